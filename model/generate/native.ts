// SPDX-License-Identifier: MIT
// Generates native calls.

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
} from '../../spec/abi/native.ts';
import { objectId, U64_MAX } from '../../spec/abi/units.ts';
import { SOFTWARE_IOMMU } from '../../spec/hardware/templates.ts';
import { deviceAt } from '../../spec/state/context.ts';
import { DATA_OFFSET } from '../programs/arena.ts';
import type { Argument, Value } from '../programs/program.ts';
import type { GenContext, IommufdDescriptor } from './gen-context.ts';
import { generateSource } from './memory.ts';
import {
  generateAreaRange,
  generateArrayAddress,
  generateIova,
  generateLength,
  generateStructAddress,
  generateUserAddress,
  wrap,
} from './values.ts';

type Fields = Readonly<Record<string, Value>>;

const numbers = new Map(NATIVE_CALLS.map(({ name, command }) => [name, command]));

export const send = (
  gen: GenContext,
  { value }: IommufdDescriptor,
  stem: string,
  name: NativeCallName,
  size: number,
  fields: Fields,
  also?: Extract<Argument, { kind: 'struct' }>['also'],
): void => {
  const sized = { size: BigInt(size), ...fields };
  gen.call(stem, value, { command: numbers.get(name) as number, layout: name, size }, sized, also);
};

const rarely = (gen: GenContext, value: bigint): bigint => (gen.rng.chance(1, 40) ? value : 0n);

const mapFlags = (gen: GenContext): bigint => {
  const { rng } = gen;
  if (!rng.careful() && rng.chance(1, 20)) {
    return BigInt(rng.of([0, 1, 8, 15, 0x8000_0007, 2, 4]));
  }
  return BigInt(rng.of([7, 7, 7, 7, 5, 5, 3, 6, 6, 4, 2]));
};

export const generateIoasAlloc = (gen: GenContext, on: IommufdDescriptor): void =>
  send(gen, on, 'ioas', 'IOMMU_IOAS_ALLOC', 12, { flags: rarely(gen, 1n) });

export const generateDestroy = (gen: GenContext, on: IommufdDescriptor): void => {
  const kind = gen.rng.of([
    'ioas',
    'ioas',
    'hwpt',
    'selftest',
    'selftest',
    'device',
    'access',
  ] as const);
  send(gen, on, 'destroy', 'IOMMU_DESTROY', 8, { id: gen.object(on.context, kind) });
};

/** Destroys a mock device, so that only accesses have pages pinned. */
export const generateDestroyMock = (gen: GenContext, on: IommufdDescriptor): void =>
  send(gen, on, 'destroy', 'IOMMU_DESTROY', 8, { id: gen.object(on.context, 'selftest') });

/** Lengths at which an address space runs out of IOVAs, and the kernel's alignment overflows. */
const SPACIOUS: readonly bigint[] = [
  2n ** 63n - 2n,
  2n ** 63n - 4096n,
  2n ** 62n,
  2n ** 62n + 4096n,
  2n ** 40n,
  2n ** 22n,
];

export const generateIoasMap = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const ioas = gen.object(on.context, 'ioas');
  const flags = mapFlags(gen);
  const isChosen = (flags & BigInt(MAP_FIXED_IOVA)) === 0n;
  const spacious = isChosen && rng.chance(1, 12);
  const { address, length } = spacious
    ? { address: rng.of([0n, 0x6000_0000_0000n]), length: rng.of(SPACIOUS) }
    : gen.platform.mockDevices && rng.chance(1, 24)
      ? generateFineSource(gen)
      : generateSource(gen);
  send(gen, on, 'map', 'IOMMU_IOAS_MAP', 40, {
    flags,
    ioas_id: ioas,
    __reserved: rarely(gen, 1n),
    user_va: address,
    length,
    iova: generateIova(gen.rng, gen.table(on.context, ioas)),
  });
};

/** In half pages, as mock domains can translate. */
const generateFineSource = ({
  rng,
}: GenContext): { readonly address: Value; readonly length: bigint } => ({
  address: { arena: DATA_OFFSET + BigInt(rng.number(0, 31)) * 2048n },
  length: BigInt(rng.number(1, 9)) * 2048n,
});

/**
 * A map that is not made of whole pages: a domain or access that needs whole pages cannot use the
 * table.
 */
export const generateFineMap = (gen: GenContext, fd: Value, ioas: Value): void =>
  gen.call(
    'map',
    fd,
    { command: numbers.get('IOMMU_IOAS_MAP') as number, layout: 'IOMMU_IOAS_MAP', size: 40 },
    {
      size: 40n,
      flags: 7n,
      ioas_id: ioas,
      user_va: generateUserAddress(gen.rng),
      length: 2048n,
      iova: generateIova(gen.rng, undefined),
    },
  );

export const generateIoasUnmap = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const ioas = gen.object(on.context, 'ioas');
  const table = gen.table(on.context, ioas);
  const range = table !== undefined && rng.chance(3, 4) ? generateAreaRange(rng, table) : undefined;
  const everything = rng.chance(1, 12);
  send(gen, on, 'unmap', 'IOMMU_IOAS_UNMAP', 24, {
    ioas_id: ioas,
    iova: everything ? 0n : (range?.iova ?? generateIova(rng, table)),
    length: everything ? U64_MAX : (range?.length ?? generateLength(rng)),
  });
};

export const generateIoasCopy = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const source = gen.object(on.context, 'ioas');
  const target = gen.object(on.context, 'ioas');
  const table = gen.table(on.context, source);
  const range = table === undefined ? undefined : generateAreaRange(rng, table);
  const flags = rng.chance(1, 30) ? 0x1_0007n : mapFlags(gen);
  send(gen, on, 'copy', 'IOMMU_IOAS_COPY', 40, {
    flags,
    dst_ioas_id: target,
    src_ioas_id: source,
    length: range?.length ?? generateLength(rng),
    dst_iova: generateIova(rng, gen.table(on.context, target)),
    src_iova:
      flags > 0xffffn ? BigInt(rng.number(0, 2)) : (range?.iova ?? generateIova(rng, table)),
  });
};

export const generateAllowIovas = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const ioas = gen.object(on.context, 'ioas');
  const table = gen.table(on.context, ioas);
  const count = rng.of([0, 1, 1, 1, 2, 3]);
  const words: bigint[] = [];
  for (let index = 0; index < count; index += 1) {
    // Just below the last page, a chosen IOVA must not wrap.
    const high = rng.chance(1, 3);
    const room = high ? BigInt(rng.number(2, 7)) * 4096n : generateLength(rng) * 8n;
    const start = high ? U64_MAX - 4095n - room : generateIova(rng, table);
    const length = rng.chance(1, 12) ? rng.of([0n, 1n, 2n]) : room;
    words.push(wrap(start), wrap(start + length - 1n));
  }
  const at = generateArrayAddress(rng, Math.max(count, 1) * IOVA_RANGE.size);
  send(
    gen,
    on,
    'allow',
    'IOMMU_IOAS_ALLOW_IOVAS',
    24,
    { ioas_id: ioas, num_iovas: BigInt(count), __reserved: rarely(gen, 7n), allowed_iovas: at },
    [{ at, words }],
  );
};

export const generateIovaRanges = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const room = rng.of([0, 1, 2, 3, 8]);
  const at = generateArrayAddress(rng, room * IOVA_RANGE.size);
  const words = Array.from({ length: room * 2 }, () => 0xaaaa_aaaa_aaaa_aaaan);
  send(
    gen,
    on,
    'ranges',
    'IOMMU_IOAS_IOVA_RANGES',
    32,
    {
      ioas_id: gen.object(on.context, 'ioas'),
      num_iovas: BigInt(room),
      __reserved: rarely(gen, 1n),
      allowed_iovas: at,
    },
    [{ at, words }],
  );
};

export const generateOption = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const hugePages = rng.chance(3, 4);
  send(gen, on, 'option', 'IOMMU_OPTION', 24, {
    option_id: BigInt(rng.chance(1, 30) ? 2 : hugePages ? OPTION_HUGE_PAGES : OPTION_RLIMIT_MODE),
    op: BigInt(rng.of([OPTION_OP_SET, OPTION_OP_SET, OPTION_OP_SET, 1, 1, 2])),
    __reserved: rng.chance(1, 12) ? 1n : 0n,
    object_id: hugePages ? gen.object(on.context, 'ioas') : rarely(gen, 1n),
    val64: rng.of([0n, 0n, 1n, 1n, 2n, U64_MAX]),
  });
};

/** Charges maps to the process from now on, if there is no object yet. */
export const chargeProcess = (gen: GenContext, fd: Value): void =>
  gen.call(
    'option',
    fd,
    { command: numbers.get('IOMMU_OPTION') as number, layout: 'IOMMU_OPTION', size: 24 },
    {
      size: 24n,
      option_id: BigInt(OPTION_RLIMIT_MODE),
      op: BigInt(OPTION_OP_SET),
      object_id: 0n,
      val64: 1n,
    },
  );

export const generateVfioIoas = (gen: GenContext, on: IommufdDescriptor): void =>
  send(gen, on, 'vfioIoas', 'IOMMU_VFIO_IOAS', 12, {
    ioas_id: gen.object(on.context, 'ioas'),
    op: BigInt(gen.rng.of([0, 0, 1, 1, 1, 1, 1, 2, 3])),
    __reserved: rarely(gen, 1n),
  });

const HWPT_FLAGS = [0, 0, 0, 0, HWPT_ALLOC_NEST_PARENT, HWPT_ALLOC_DIRTY_TRACKING, 3] as const;

/**
 * Flags of VT-d other than for plain domains are unspecified, and so are flags for PASIDs before
 * 7.3.4.
 */
const generateHwptFlags = (
  { rng, builder, release }: GenContext,
  context: IommufdDescriptor['context'],
  id: Value,
): bigint => {
  const device = deviceAt(context, objectId(Number(builder.valueOf(id))));
  if (device !== undefined && device.mock === undefined && device.iommu !== SOFTWARE_IOMMU)
    return 0n;
  const forPasids = release.has.hwptPasid && rng.chance(1, 8) ? HWPT_ALLOC_PASID : 0;
  return BigInt(rng.of(HWPT_FLAGS) | forPasids);
};

/** An id that no program reaches. */
const NO_OBJECT = 99n;

/** Bytes that belong to no field. */
const UNRELATED_BYTES = 0xaaaa_aaaan;

export const generateHwptAlloc = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  // Older headers have a struct that ends before data_type; the bytes after it are neither read nor
  // written.
  const size = rng.chance(1, 6) ? rng.of([24, 32, 36, 40]) : 48;
  const after =
    size === 24 ? { data_type: 1n, data_uptr: UNRELATED_BYTES } : { fault_id: UNRELATED_BYTES };
  const device = gen.object(on.context, 'device');
  send(gen, on, 'hwpt', 'IOMMU_HWPT_ALLOC', 48, {
    size: BigInt(size),
    flags: generateHwptFlags(gen, on.context, device),
    dev_id: device,
    pt_id: rng.chance(1, 16) ? NO_OBJECT : gen.object(on.context, 'ioas'),
    __reserved: rarely(gen, 1n),
    data_len: rarely(gen, 8n),
    data_type: rarely(gen, 1n),
    ...(size < 48 ? after : {}),
  });
};

export const generateChangeProcess = (gen: GenContext, on: IommufdDescriptor): void =>
  send(gen, on, 'changeProcess', 'IOMMU_IOAS_CHANGE_PROCESS', 8, {
    __reserved: rarely(gen, 1n),
  });

export const generateMapFile = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const files = gen.descriptorsOf('memfd');
  if (files.length === 0) {
    const length = BigInt(rng.number(1, 8)) * 4096n + rng.of([0n, 0n, 0n, 1n]);
    gen.add({ op: 'memfd', label: gen.builder.label('file'), length });
    return;
  }
  const ioas = gen.object(on.context, 'ioas');
  send(gen, on, 'mapFile', 'IOMMU_IOAS_MAP_FILE', 40, {
    flags: mapFlags(gen),
    ioas_id: ioas,
    fd: rng.chance(1, 20) ? rng.of([99n, 0xffff_ffffn]) : rng.of(files).value,
    start: rng.of([0n, 0n, 4096n, 8192n, 2048n, 1n, U64_MAX, U64_MAX - 4095n]),
    length: generateLength(rng),
    iova: generateIova(rng, gen.table(on.context, ioas)),
  });
};

/** Asks for the physical address of memory that is mapped for devices without an IOMMU. */
export const generateGetPa = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const ioas = gen.object(on.context, 'ioas');
  const table = gen.table(on.context, ioas);
  const range = table !== undefined && rng.chance(4, 5) ? generateAreaRange(rng, table) : undefined;
  send(gen, on, 'physical', 'IOMMU_IOAS_NOIOMMU_GET_PA', 40, {
    flags: rarely(gen, 1n),
    ioas_id: ioas,
    __reserved: rarely(gen, 1n),
    iova: range?.iova ?? rng.of([generateIova(rng, table), U64_MAX]),
    length: rng.chance(1, 3)
      ? (range?.length ?? U64_MAX)
      : rng.of([0n, 1n, 100n, 0x3000n, U64_MAX]),
  });
};

/** A struct that is too short or too long, or an unknown ioctl number. */
export const generateInvalidNative = (
  gen: GenContext,
  { value, context }: IommufdDescriptor,
): void => {
  const { rng } = gen;
  if (rng.chance(1, 4)) {
    const command = rng.of([0x3b7f, 0x3b96, 0x3ba1, 0x3bff, 0x3b9f, 0x1281, 0x4081, 0x3b00]);
    const argument: Argument = {
      kind: 'bytes',
      at: generateStructAddress(rng, 8),
      hex: '0800000000000000',
    };
    gen.add({ op: 'ioctl', label: gen.builder.label('invalid'), fd: value, command, argument });
    return;
  }
  const call = rng.of(NATIVE_CALLS);
  // A struct ends between two fields, like that of an older header, or inside a field.
  const ends = call.layout.fields.map(({ offset }) => offset);
  const short = ends.filter((end) => end < call.minimum);
  const long = [call.minimum, call.layout.size, call.layout.size + 1, call.layout.size + 8, 4096];
  const size = rng.of(
    SPECIFIED.has(call.name)
      ? [rng.of(ends), rng.of(ends), call.minimum - 1, 0, ...long, 0x1_0000]
      : [rng.of(short), call.minimum - 1],
  );
  const tail = rng.of(['', '00', '0000000000000000', '01', '0000000000000001', '00'.repeat(64)]);
  const argument: Argument = {
    kind: 'struct',
    at: generateStructAddress(rng, Math.min(size, 4096)),
    layout: call.name,
    fields: { size: BigInt(size), ioas_id: gen.object(context, 'ioas') },
    tail,
  };
  const label = gen.builder.label('invalid');
  gen.add({ op: 'ioctl', label, fd: value, command: call.command, argument });
};

/** Calls with rules of their own; the others have only those of the ioctl dispatch. */
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
