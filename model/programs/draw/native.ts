// Native calls, drawn.

import {
  HWPT_ALLOC_DIRTY_TRACKING,
  HWPT_ALLOC_NEST_PARENT,
  HWPT_ALLOC_PASID,
  IOVA_RANGE,
  MAP_FIXED_IOVA,
  NATIVE_CALLS,
  type NativeCallName,
  OPTION_HUGE_PAGES,
  OPTION_OP_SET,
  OPTION_RLIMIT_MODE,
} from '../../../spec/abi/native.ts';
import { objectId, U64_MAX } from '../../../spec/abi/units.ts';
import { SOFTWARE_IOMMU } from '../../../spec/hardware/templates.ts';
import { deviceAt } from '../../../spec/state/context.ts';
import { DATA_OFFSET } from '../arena.ts';
import type { Argument, Value } from '../program.ts';
import {
  drawAreaRange,
  drawArrayPlace,
  drawIova,
  drawLength,
  drawStructPlace,
  drawUserAddress,
  wrap,
} from '../values.ts';
import { drawSource } from './memory.ts';
import type { IommufdDescriptor, Scene } from './scene.ts';

type Fields = Readonly<Record<string, Value>>;

const numbers = new Map(NATIVE_CALLS.map(({ name, command }) => [name, command]));

export const send = (
  scene: Scene,
  { value }: IommufdDescriptor,
  stem: string,
  name: NativeCallName,
  size: number,
  fields: Fields,
  also?: Extract<Argument, { kind: 'struct' }>['also'],
): void => {
  const sized = { size: BigInt(size), ...fields };
  scene.call(stem, value, numbers.get(name) as number, name, size, sized, also);
};

const rarely = (scene: Scene, value: bigint): bigint => (scene.dice.chance(1, 40) ? value : 0n);

const mapFlags = (scene: Scene): bigint => {
  const { dice } = scene;
  if (!dice.careful() && dice.chance(1, 20)) {
    return BigInt(dice.of([0, 1, 8, 15, 0x8000_0007, 2, 4]));
  }
  return BigInt(dice.of([7, 7, 7, 7, 5, 5, 3, 6, 6, 4, 2]));
};

export const drawIoasAlloc = (scene: Scene, on: IommufdDescriptor): void =>
  send(scene, on, 'ioas', 'IOMMU_IOAS_ALLOC', 12, { flags: rarely(scene, 1n) });

export const drawDestroy = (scene: Scene, on: IommufdDescriptor): void => {
  const kind = scene.dice.of([
    'ioas',
    'ioas',
    'hwpt',
    'selftest',
    'selftest',
    'device',
    'access',
  ] as const);
  send(scene, on, 'destroy', 'IOMMU_DESTROY', 8, { id: scene.object(on.context, kind) });
};

/** Takes a mock device away, so that accesses are the only ones to hold pages. */
export const drawDestroyMock = (scene: Scene, on: IommufdDescriptor): void =>
  send(scene, on, 'destroy', 'IOMMU_DESTROY', 8, { id: scene.object(on.context, 'selftest') });

/** Lengths at which an address space runs out of places, and their steps out of bits. */
const SPACIOUS: readonly bigint[] = [
  2n ** 63n - 2n,
  2n ** 63n - 4096n,
  2n ** 62n,
  2n ** 62n + 4096n,
  2n ** 40n,
  2n ** 22n,
];

export const drawIoasMap = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const ioas = scene.object(on.context, 'ioas');
  const flags = mapFlags(scene);
  const isChosen = (flags & BigInt(MAP_FIXED_IOVA)) === 0n;
  const spacious = isChosen && dice.chance(1, 12);
  const { address, length } = spacious
    ? { address: dice.of([0n, 0x6000_0000_0000n]), length: dice.of(SPACIOUS) }
    : scene.platform.mockDevices && dice.chance(1, 24)
      ? drawFineSource(scene)
      : drawSource(scene);
  send(scene, on, 'map', 'IOMMU_IOAS_MAP', 40, {
    flags,
    ioas_id: ioas,
    __reserved: rarely(scene, 1n),
    user_va: address,
    length,
    iova: drawIova(scene.dice, scene.table(on.context, ioas)),
  });
};

/** In halves of pages, as mock domains can translate them. */
const drawFineSource = ({ dice }: Scene): { readonly address: Value; readonly length: bigint } => ({
  address: { arena: DATA_OFFSET + BigInt(dice.number(0, 31)) * 2048n },
  length: BigInt(dice.number(1, 9)) * 2048n,
});

/** A map that is finer than a page: who needs whole pages cannot follow the table. */
export const drawFineMap = (scene: Scene, fd: Value, ioas: Value): void =>
  scene.call('map', fd, numbers.get('IOMMU_IOAS_MAP') as number, 'IOMMU_IOAS_MAP', 40, {
    size: 40n,
    flags: 7n,
    ioas_id: ioas,
    user_va: drawUserAddress(scene.dice),
    length: 2048n,
    iova: drawIova(scene.dice, undefined),
  });

export const drawIoasUnmap = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const ioas = scene.object(on.context, 'ioas');
  const table = scene.table(on.context, ioas);
  const range = table !== undefined && dice.chance(3, 4) ? drawAreaRange(dice, table) : undefined;
  const everything = dice.chance(1, 12);
  send(scene, on, 'unmap', 'IOMMU_IOAS_UNMAP', 24, {
    ioas_id: ioas,
    iova: everything ? 0n : (range?.iova ?? drawIova(dice, table)),
    length: everything ? U64_MAX : (range?.length ?? drawLength(dice)),
  });
};

export const drawIoasCopy = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const source = scene.object(on.context, 'ioas');
  const target = scene.object(on.context, 'ioas');
  const table = scene.table(on.context, source);
  const range = table === undefined ? undefined : drawAreaRange(dice, table);
  const flags = dice.chance(1, 30) ? 0x1_0007n : mapFlags(scene);
  send(scene, on, 'copy', 'IOMMU_IOAS_COPY', 40, {
    flags,
    dst_ioas_id: target,
    src_ioas_id: source,
    length: range?.length ?? drawLength(dice),
    dst_iova: drawIova(dice, scene.table(on.context, target)),
    src_iova: flags > 0xffffn ? BigInt(dice.number(0, 2)) : (range?.iova ?? drawIova(dice, table)),
  });
};

export const drawAllowIovas = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const ioas = scene.object(on.context, 'ioas');
  const table = scene.table(on.context, ioas);
  const count = dice.of([0, 1, 1, 1, 2, 3]);
  const words: bigint[] = [];
  for (let index = 0; index < count; index += 1) {
    // Right below the last page, what is chosen may not wrap.
    const high = dice.chance(1, 3);
    const room = high ? BigInt(dice.number(2, 7)) * 4096n : drawLength(dice) * 8n;
    const start = high ? U64_MAX - 4095n - room : drawIova(dice, table);
    const length = dice.chance(1, 12) ? dice.of([0n, 1n, 2n]) : room;
    words.push(wrap(start), wrap(start + length - 1n));
  }
  const at = drawArrayPlace(dice, Math.max(count, 1) * IOVA_RANGE.size);
  send(
    scene,
    on,
    'allow',
    'IOMMU_IOAS_ALLOW_IOVAS',
    24,
    { ioas_id: ioas, num_iovas: BigInt(count), __reserved: rarely(scene, 7n), allowed_iovas: at },
    [{ at, words }],
  );
};

export const drawIovaRanges = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const room = dice.of([0, 1, 2, 3, 8]);
  const at = drawArrayPlace(dice, room * IOVA_RANGE.size);
  const words = Array.from({ length: room * 2 }, () => 0xaaaa_aaaa_aaaa_aaaan);
  send(
    scene,
    on,
    'ranges',
    'IOMMU_IOAS_IOVA_RANGES',
    32,
    {
      ioas_id: scene.object(on.context, 'ioas'),
      num_iovas: BigInt(room),
      __reserved: rarely(scene, 1n),
      allowed_iovas: at,
    },
    [{ at, words }],
  );
};

export const drawOption = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const hugePages = dice.chance(3, 4);
  send(scene, on, 'option', 'IOMMU_OPTION', 24, {
    option_id: BigInt(dice.chance(1, 30) ? 2 : hugePages ? OPTION_HUGE_PAGES : OPTION_RLIMIT_MODE),
    op: BigInt(dice.of([OPTION_OP_SET, OPTION_OP_SET, OPTION_OP_SET, 1, 1, 2])),
    __reserved: dice.chance(1, 12) ? 1n : 0n,
    object_id: hugePages ? scene.object(on.context, 'ioas') : rarely(scene, 1n),
    val64: dice.of([0n, 0n, 1n, 1n, 2n, U64_MAX]),
  });
};

/** From now on maps are charged to the process, where there is nothing yet. */
export const chargeProcess = (scene: Scene, fd: Value): void =>
  scene.call('option', fd, numbers.get('IOMMU_OPTION') as number, 'IOMMU_OPTION', 24, {
    size: 24n,
    option_id: BigInt(OPTION_RLIMIT_MODE),
    op: BigInt(OPTION_OP_SET),
    object_id: 0n,
    val64: 1n,
  });

export const drawVfioIoas = (scene: Scene, on: IommufdDescriptor): void =>
  send(scene, on, 'vfioIoas', 'IOMMU_VFIO_IOAS', 12, {
    ioas_id: scene.object(on.context, 'ioas'),
    op: BigInt(scene.dice.of([0, 0, 1, 1, 1, 1, 1, 2, 3])),
    __reserved: rarely(scene, 1n),
  });

const HWPT_FLAGS = [0, 0, 0, 0, HWPT_ALLOC_NEST_PARENT, HWPT_ALLOC_DIRTY_TRACKING, 3] as const;

/** What VT-d can make besides plain domains is not specified, nor what is for PASIDs before 7.3.4. */
const drawHwptFlags = (
  { dice, draft, release }: Scene,
  context: IommufdDescriptor['context'],
  id: Value,
): bigint => {
  const device = deviceAt(context, objectId(Number(draft.valueOf(id))));
  if (device !== undefined && device.mock === undefined && device.iommu !== SOFTWARE_IOMMU)
    return 0n;
  const forPasids = release === '7.3.4' && dice.chance(1, 8) ? HWPT_ALLOC_PASID : 0;
  return BigInt(dice.of(HWPT_FLAGS) | forPasids);
};

/** An id beyond those that a program comes to. */
const NO_OBJECT = 99n;

/** Bytes that are not a call's. */
const OTHERS = 0xaaaa_aaaan;

export const drawHwptAlloc = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  // Older headers have a struct that ends before its data; what stands behind it is neither read nor written.
  const size = dice.chance(1, 6) ? dice.of([24, 32, 36, 40]) : 48;
  const behind = size === 24 ? { data_type: 1n, data_uptr: OTHERS } : { fault_id: OTHERS };
  const device = scene.object(on.context, 'device');
  send(scene, on, 'hwpt', 'IOMMU_HWPT_ALLOC', 48, {
    size: BigInt(size),
    flags: drawHwptFlags(scene, on.context, device),
    dev_id: device,
    pt_id: dice.chance(1, 16) ? NO_OBJECT : scene.object(on.context, 'ioas'),
    __reserved: rarely(scene, 1n),
    data_len: rarely(scene, 8n),
    data_type: rarely(scene, 1n),
    ...(size < 48 ? behind : {}),
  });
};

export const drawChangeProcess = (scene: Scene, on: IommufdDescriptor): void =>
  send(scene, on, 'changeProcess', 'IOMMU_IOAS_CHANGE_PROCESS', 8, {
    __reserved: rarely(scene, 1n),
  });

export const drawMapFile = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const files = scene.descriptorsOf('memfd');
  if (files.length === 0) {
    const length = BigInt(dice.number(1, 8)) * 4096n + dice.of([0n, 0n, 0n, 1n]);
    scene.add({ op: 'memfd', label: scene.draft.label('file'), length });
    return;
  }
  const ioas = scene.object(on.context, 'ioas');
  send(scene, on, 'mapFile', 'IOMMU_IOAS_MAP_FILE', 40, {
    flags: mapFlags(scene),
    ioas_id: ioas,
    fd: dice.chance(1, 20) ? dice.of([99n, 0xffff_ffffn]) : dice.of(files).value,
    start: dice.of([0n, 0n, 4096n, 8192n, 2048n, 1n, U64_MAX, U64_MAX - 4095n]),
    length: drawLength(dice),
    iova: drawIova(dice, scene.table(on.context, ioas)),
  });
};

/** Asks where memory lies that is mapped for devices without an IOMMU. */
export const drawGetPa = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const ioas = scene.object(on.context, 'ioas');
  const table = scene.table(on.context, ioas);
  const range = table !== undefined && dice.chance(4, 5) ? drawAreaRange(dice, table) : undefined;
  send(scene, on, 'physical', 'IOMMU_IOAS_NOIOMMU_GET_PA', 40, {
    flags: rarely(scene, 1n),
    ioas_id: ioas,
    __reserved: rarely(scene, 1n),
    iova: range?.iova ?? dice.of([drawIova(dice, table), U64_MAX]),
    length: dice.chance(1, 3)
      ? (range?.length ?? U64_MAX)
      : dice.of([0n, 1n, 100n, 0x3000n, U64_MAX]),
  });
};

/** A struct that is too short or too long, or a number that there is none of. */
export const drawOddNative = (scene: Scene, { value, context }: IommufdDescriptor): void => {
  const { dice } = scene;
  if (dice.chance(1, 4)) {
    const command = dice.of([0x3b7f, 0x3b96, 0x3ba1, 0x3bff, 0x3b9f, 0x1281, 0x4081, 0x3b00]);
    const argument: Argument = {
      kind: 'bytes',
      at: drawStructPlace(dice, 8),
      hex: '0800000000000000',
    };
    scene.add({ op: 'ioctl', label: scene.draft.label('odd'), fd: value, command, argument });
    return;
  }
  const call = dice.of(NATIVE_CALLS);
  // A struct ends between two fields, as that of an older header would, or where no header has an end.
  const ends = call.layout.fields.map(({ offset }) => offset);
  const short = ends.filter((end) => end < call.minimum);
  const long = [call.minimum, call.layout.size, call.layout.size + 1, call.layout.size + 8, 4096];
  const size = dice.of(
    SPECIFIED.has(call.name)
      ? [dice.of(ends), dice.of(ends), call.minimum - 1, 0, ...long, 0x1_0000]
      : [dice.of(short), call.minimum - 1],
  );
  const tail = dice.of(['', '00', '0000000000000000', '01', '0000000000000001', '00'.repeat(64)]);
  const argument: Argument = {
    kind: 'struct',
    at: drawStructPlace(dice, Math.min(size, 4096)),
    layout: call.name,
    fields: { size: BigInt(size), ioas_id: scene.object(context, 'ioas') },
    tail,
  };
  const label = scene.draft.label('odd');
  scene.add({ op: 'ioctl', label, fd: value, command: call.command, argument });
};

/** Those that do more than the door's checks; of the others nothing is known but these. */
const SPECIFIED: ReadonlySet<NativeCallName> = new Set<NativeCallName>([
  'IOMMU_DESTROY',
  'IOMMU_IOAS_ALLOC',
  'IOMMU_IOAS_ALLOW_IOVAS',
  'IOMMU_IOAS_IOVA_RANGES',
  'IOMMU_IOAS_MAP',
  'IOMMU_IOAS_MAP_FILE',
  'IOMMU_IOAS_UNMAP',
  'IOMMU_IOAS_COPY',
  'IOMMU_OPTION',
  'IOMMU_VFIO_IOAS',
  'IOMMU_HWPT_ALLOC',
  'IOMMU_GET_HW_INFO',
  'IOMMU_HWPT_SET_DIRTY_TRACKING',
  'IOMMU_HWPT_GET_DIRTY_BITMAP',
  'IOMMU_IOAS_CHANGE_PROCESS',
  'IOMMU_IOAS_NOIOMMU_GET_PA',
]);
