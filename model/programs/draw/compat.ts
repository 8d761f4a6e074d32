// VFIO calls on iommufds and groups, drawn.

import { bytesOfLatin1, hexOf } from '../../../spec/abi/bytes-text.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import * as vfio from '../../../spec/abi/vfio.ts';
import type { GroupFile } from '../../../spec/state/world.ts';
import type { Platform } from '../../../spec/terms/platform.ts';
import { isNoIommuGroup } from '../../../spec/terms/platform.ts';
import { READ_ONLY_STRUCT_OFFSET, STRUCT_OFFSET } from '../arena.ts';
import type { Argument, Value } from '../program.ts';
import { type Dice, drawAreaRange, drawIova, drawLength, drawStructPlace } from '../values.ts';
import { drawSource } from './memory.ts';
import type { Descriptor, GroupDescriptor, IommufdDescriptor, Scene } from './scene.ts';

const compatTable = (scene: Scene, { context }: IommufdDescriptor) =>
  context.compatIoas === undefined ? undefined : scene.table(context, BigInt(context.compatIoas));

export const drawArgsz = (scene: Scene, size: number): bigint => {
  const { dice } = scene;
  return BigInt(dice.chance(1, 20) ? dice.of([0, 4, size - 1, size + 1, 4096, 0xffff_ffff]) : size);
};

export const drawMapDma = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const { address, length } = drawSource(scene);
  scene.call('mapDma', on.value, vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA', 32, {
    argsz: drawArgsz(scene, 32),
    flags: BigInt(dice.of([3, 3, 3, 3, 3, 1, 1, 2, 0, 4, 7])),
    vaddr: address,
    iova: drawIova(dice, compatTable(scene, on)),
    size: length,
  });
};

export const drawUnmapDma = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const table = compatTable(scene, on);
  const range = table !== undefined && dice.chance(3, 4) ? drawAreaRange(dice, table) : undefined;
  const all = dice.chance(1, 10);
  const clean = all && dice.chance(4, 5);
  scene.call('unmapDma', on.value, vfio.VFIO_IOMMU_UNMAP_DMA, 'VFIO_IOMMU_UNMAP_DMA', 24, {
    argsz: drawArgsz(scene, 24),
    flags: all ? 2n : BigInt(dice.chance(1, 30) ? dice.of([1, 3, 4, 8]) : 0),
    iova: clean || (all && dice.chance(1, 2)) ? 0n : (range?.iova ?? drawIova(dice, table)),
    size: clean ? 0n : (range?.length ?? drawLength(dice)),
  });
};

const TYPES = [1n, 1n, 1n, 3n, 3n, 8n, 0n, 2n, 7n, 0x1_0000_0001n, U64_MAX] as const;

export const drawSetIommu = (scene: Scene, { value, context }: IommufdDescriptor): void => {
  const { dice } = scene;
  const type = context.noIommu && dice.chance(2, 3) ? 8n : dice.of(TYPES);
  scene.plain('setIommu', value, vfio.VFIO_SET_IOMMU, type);
};

/** On an iommufd or a legacy container. */
export const drawCheckExtension = (scene: Scene, { value }: Descriptor): void =>
  scene.plain(
    'extension',
    value,
    vfio.VFIO_CHECK_EXTENSION,
    scene.dice.chance(1, 10)
      ? scene.dice.of([U64_MAX, 0x1_0000_0003n, 0n, 11n])
      : BigInt(scene.dice.number(1, 10)),
  );

export const drawApiVersion = (scene: Scene, { value }: IommufdDescriptor): void =>
  scene.plain('version', value, vfio.VFIO_GET_API_VERSION, scene.dice.of([0n, U64_MAX]));

/** Now and then where it can be read and not be written, as far as there is memory. */
export const drawInfoPlace = (dice: Dice, room: number): Value =>
  dice.chance(1, 16)
    ? { arena: READ_ONLY_STRUCT_OFFSET }
    : drawStructPlace(dice, Math.max(room, 24));

/** Answers with bytes that are not zero before, so that it shows which of them are written. */
export const infoFields = (argsz: bigint): Readonly<Record<string, bigint>> => ({
  argsz,
  flags: 0xaaaa_aaaan,
  iova_pgsizes: 0xaaaa_aaaa_aaaa_aaaan,
  cap_offset: 0xaaaa_aaaan,
});

export const drawGetInfo = (scene: Scene, { value }: IommufdDescriptor): void => {
  const { dice } = scene;
  const room = dice.of([16, 20, 24, 32, 36, 39, 40, 41, 55, 56, 71, 72, 73, 88, 104, 128, 15, 0]);
  const argument: Argument = {
    kind: 'struct',
    at: drawInfoPlace(dice, room),
    layout: 'VFIO_IOMMU_GET_INFO',
    fields: infoFields(BigInt(dice.chance(1, 30) ? 0xffff_ffff : room)),
    tail: 'aa'.repeat(Math.max(0, 128 - 24)),
  };
  const label = scene.draft.label('info');
  scene.add({ op: 'ioctl', label, fd: value, command: vfio.VFIO_IOMMU_GET_INFO, argument });
};

export const drawOddCompat = (scene: Scene, { value }: IommufdDescriptor): void => {
  const command = scene.dice.of([
    vfio.VFIO_IOMMU_DIRTY_PAGES,
    vfio.VFIO_IOMMU_ENABLE,
    vfio.VFIO_IOMMU_DISABLE,
    vfio.VFIO_GROUP_GET_STATUS,
    vfio.VFIO_GROUP_SET_CONTAINER,
    0x3b6b,
    vfio.VFIO_DEVICE_BIND_IOMMUFD,
    0x3b7f,
  ]);
  scene.plain('odd', value, command, { arena: STRUCT_OFFSET });
};

/** Whether there is a device that nothing translates for. */
export const hasNoIommu = ({ platform }: Scene): boolean =>
  platform.devices.some(({ iommu }) => iommu === 'noiommu');

/** Bits of pages that are no larger than the machine's. */
const SERVED_SIZES = 0x1fffn;

type Wanted = 'any' | 'served' | 'emulated';

/** `served`: behind an IOMMU whose pages are not too large; `emulated`: of mediated devices, where there is one. */
const wantedDevices = ({ platform }: Scene, wanted: Wanted): Platform['devices'] => {
  const { devices, iommus } = platform;
  if (wanted === 'any') return devices;
  const emulated = devices.filter(({ iommu }) => iommu === 'none');
  if (wanted === 'emulated' && emulated.length > 0) return emulated;
  const served = devices.filter(
    ({ iommu }) =>
      iommu === 'none' ||
      (iommu !== 'noiommu' && ((iommus[iommu]?.pageSizes ?? 0n) & SERVED_SIZES) !== 0n),
  );
  return served.length > 0 ? served : devices;
};

export const drawOpenGroup = (scene: Scene, wanted: Wanted = 'any'): void => {
  const { dice, platform } = scene;
  const groups = [...new Set(wantedDevices(scene, wanted).map(({ group }) => group))];
  const group = dice.chance(1, 30) ? 99 : dice.of(groups);
  // Now and then by the name that it would have if it had an IOMMU, or had none.
  const noIommu = isNoIommuGroup(platform, group) !== (hasNoIommu(scene) && dice.chance(1, 30));
  const path = `/dev/vfio/${noIommu ? 'noiommu-' : ''}${group}`;
  scene.add({ op: 'open', label: scene.draft.label('group'), path });
};

/** A descriptor of an iommufd, mostly. */
export const drawContainer = (scene: Scene): Value => {
  const { dice } = scene;
  const iommufds = scene.iommufds();
  if (iommufds.length > 0 && dice.chance(9, 10)) return dice.of(iommufds).value;
  const others = scene.descriptors();
  return others.length > 0 && dice.chance(1, 2)
    ? dice.of(others).value
    : dice.of([77n, 0xffff_ffffn]);
};

const LEAST_PAGE = 4096n;

/** Whether the group's IOMMU has pages as small as memory: what it does otherwise depends on where memory lies. */
export const fitsLegacyContainer = ({ platform }: Scene, group: number): boolean =>
  platform.devices
    .filter((device) => device.group === group)
    .every(({ iommu }) => {
      const sizes =
        typeof iommu === 'number' ? (platform.iommus[iommu]?.pageSizes ?? 0n) : LEAST_PAGE;
      return (sizes & (2n * LEAST_PAGE - 1n)) !== 0n;
    });

const containers = (scene: Scene, group: GroupFile): Value => {
  const { dice } = scene;
  const legacy = fitsLegacyContainer(scene, group.group) ? scene.containers() : [];
  const fitting = [...scene.iommufds(), ...legacy];
  if (fitting.length > 0 && dice.chance(9, 10)) return dice.of(fitting).value;
  const others = scene.descriptors().filter(({ file }) => file.kind !== 'container');
  return others.length > 0 && dice.chance(1, 2)
    ? dice.of(others).value
    : dice.of([77n, 0xffff_ffffn]);
};

const drawStatus = (scene: Scene, group: Value): void =>
  scene.call('status', group, vfio.VFIO_GROUP_GET_STATUS, 'VFIO_GROUP_GET_STATUS', 8, {
    argsz: drawArgsz(scene, 8),
    flags: 0xffn,
  });

export const joinContainer = (scene: Scene, group: Value, container: Value): void =>
  scene.call('setContainer', group, vfio.VFIO_GROUP_SET_CONTAINER, 'VFIO_GROUP_SET_CONTAINER', 4, {
    fd: container,
  });

/** Puts a group that is in no container into one. */
export const drawJoin = (scene: Scene, { value, file }: GroupDescriptor): void =>
  joinContainer(scene, value, containers(scene, file));

export const drawGroupCall = (scene: Scene, group: GroupDescriptor): void => {
  const { dice } = scene;
  const { value } = group;
  const kind = dice.number(1, 20);
  if (kind <= 6) {
    drawJoin(scene, group);
  } else if (kind <= 14) {
    drawGetDevice(scene, group);
  } else if (kind <= 16) {
    drawStatus(scene, value);
  } else if (kind <= 18) {
    scene.plain('unsetContainer', value, vfio.VFIO_GROUP_UNSET_CONTAINER, 0n);
  } else {
    scene.plain('oddGroup', value, dice.of([0x3b64, 0x3b6b, 0x3b71, 0x3b85]), 0n);
  }
};

/** Bytes of a name that does not end where names must. */
const ENDLESS_NAME = 4096;

/** A device that an iommufd opened is not opened again through a legacy container: what follows is not specified. */
const staysBound = (scene: Scene, file: GroupFile, name: string): boolean => {
  const open = scene.draft.world.devices.get(name);
  return scene.isInLegacyContainer(file) && open !== undefined && open.kind !== 'held';
};

const drawGetDevice = (scene: Scene, { value, file }: GroupDescriptor): void => {
  const { dice, platform } = scene;
  const own = platform.devices.filter(
    ({ group, name }) => group === file.group && !staysBound(scene, file, name),
  );
  if (own.length === 0) {
    drawStatus(scene, value);
    return;
  }
  const [chosen, first] = [dice.of(own).name, platform.devices[0]?.name ?? ''];
  // A PCI device takes options behind its name, of which it may know none.
  const name = dice.chance(1, 10)
    ? dice.of(['0000:00:1f.7', '', first, `${chosen} `, `${chosen} vf_token=1`, `${chosen}x`])
    : chosen;
  const argument: Argument = dice.chance(1, 60)
    ? { kind: 'bytes', at: { arena: STRUCT_OFFSET }, hex: 'aa'.repeat(ENDLESS_NAME) }
    : {
        kind: 'bytes',
        at: drawStructPlace(dice, name.length + 1),
        hex: `${hexOf(bytesOfLatin1(name))}00`,
      };
  const label = scene.draft.label('device');
  scene.add({
    op: 'ioctl',
    label,
    fd: value,
    command: vfio.VFIO_GROUP_GET_DEVICE_FD,
    argument,
  });
};
