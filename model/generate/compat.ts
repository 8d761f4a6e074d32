// SPDX-License-Identifier: MIT
// Generates VFIO calls on iommufds and groups.

import { bytesOfLatin1, hexOf } from '../../spec/abi/bytes-text.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import type { GroupFile } from '../../spec/state/world.ts';
import { isNoIommuGroup, type Platform } from '../../spec/terms/platform.ts';
import { READ_ONLY_STRUCT_OFFSET, STRUCT_OFFSET } from '../programs/arena.ts';
import type { Argument, Value } from '../programs/program.ts';
import type { Descriptor, GenContext, GroupDescriptor, IommufdDescriptor } from './gen-context.ts';
import { generateSource } from './memory.ts';
import type { Rng } from './rng.ts';
import {
  generateAreaRange,
  generateIova,
  generateLength,
  generateStructAddress,
} from './values.ts';
import { MAP_DMA, UNMAP_DMA } from './vfio-call.ts';

const SET_CONTAINER = {
  command: vfio.VFIO_GROUP_SET_CONTAINER,
  layout: 'VFIO_GROUP_SET_CONTAINER',
  size: 4,
} as const;
const GET_STATUS = {
  command: vfio.VFIO_GROUP_GET_STATUS,
  layout: 'VFIO_GROUP_GET_STATUS',
  size: 8,
} as const;

const compatTable = (gen: GenContext, { context }: IommufdDescriptor) =>
  context.compatIoas === undefined ? undefined : gen.table(context, BigInt(context.compatIoas));

export const generateArgsz = (gen: GenContext, size: number): bigint => {
  const { rng } = gen;
  return BigInt(rng.chance(1, 20) ? rng.of([0, 4, size - 1, size + 1, 4096, 0xffff_ffff]) : size);
};

export const generateMapDma = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const { address, length } = generateSource(gen);
  gen.call('mapDma', on.value, MAP_DMA, {
    argsz: generateArgsz(gen, 32),
    flags: BigInt(rng.of([3, 3, 3, 3, 3, 1, 1, 2, 0, 4, 7])),
    vaddr: address,
    iova: generateIova(rng, compatTable(gen, on)),
    size: length,
  });
};

export const generateUnmapDma = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const table = compatTable(gen, on);
  const range = table !== undefined && rng.chance(3, 4) ? generateAreaRange(rng, table) : undefined;
  const all = rng.chance(1, 10);
  const clean = all && rng.chance(4, 5);
  gen.call('unmapDma', on.value, UNMAP_DMA, {
    argsz: generateArgsz(gen, 24),
    flags: all ? 2n : BigInt(rng.chance(1, 30) ? rng.of([1, 3, 4, 8]) : 0),
    iova: clean || (all && rng.chance(1, 2)) ? 0n : (range?.iova ?? generateIova(rng, table)),
    size: clean ? 0n : (range?.length ?? generateLength(rng)),
  });
};

const TYPES = [1n, 1n, 1n, 3n, 3n, 8n, 0n, 2n, 7n, 0x1_0000_0001n, U64_MAX] as const;

export const generateSetIommu = (gen: GenContext, { value, context }: IommufdDescriptor): void => {
  const { rng } = gen;
  const type = context.noIommu && rng.chance(2, 3) ? 8n : rng.of(TYPES);
  gen.plain('setIommu', value, vfio.VFIO_SET_IOMMU, type);
};

/** On an iommufd or a legacy container. */
export const generateCheckExtension = (gen: GenContext, { value }: Descriptor): void =>
  gen.plain(
    'extension',
    value,
    vfio.VFIO_CHECK_EXTENSION,
    gen.rng.chance(1, 10)
      ? gen.rng.of([U64_MAX, 0x1_0000_0003n, 0n, 11n])
      : BigInt(gen.rng.number(1, 10)),
  );

export const generateApiVersion = (gen: GenContext, { value }: IommufdDescriptor): void =>
  gen.plain('version', value, vfio.VFIO_GET_API_VERSION, gen.rng.of([0n, U64_MAX]));

/** Sometimes memory that can be read but not written, and sometimes where memory ends. */
export const generateInfoAddress = (rng: Rng, room: number): Value =>
  rng.chance(1, 16)
    ? { arena: READ_ONLY_STRUCT_OFFSET }
    : generateStructAddress(rng, Math.max(room, 24));

/** A reply struct whose bytes are not zero before the call, so that those that are written show. */
export const infoFields = (argsz: bigint): Readonly<Record<string, bigint>> => ({
  argsz,
  flags: 0xaaaa_aaaan,
  iova_pgsizes: 0xaaaa_aaaa_aaaa_aaaan,
  cap_offset: 0xaaaa_aaaan,
});

export const generateGetInfo = (gen: GenContext, { value }: IommufdDescriptor): void => {
  const { rng } = gen;
  const room = rng.of([16, 20, 24, 32, 36, 39, 40, 41, 55, 56, 71, 72, 73, 88, 104, 128, 15, 0]);
  const argument: Argument = {
    kind: 'struct',
    at: generateInfoAddress(rng, room),
    layout: 'VFIO_IOMMU_GET_INFO',
    fields: infoFields(BigInt(rng.chance(1, 30) ? 0xffff_ffff : room)),
    tail: 'aa'.repeat(Math.max(0, 128 - 24)),
  };
  const label = gen.builder.label('info');
  gen.add({ op: 'ioctl', label, fd: value, command: vfio.VFIO_IOMMU_GET_INFO, argument });
};

export const generateInvalidCompat = (gen: GenContext, { value }: IommufdDescriptor): void => {
  const command = gen.rng.of([
    vfio.VFIO_IOMMU_DIRTY_PAGES,
    vfio.VFIO_IOMMU_ENABLE,
    vfio.VFIO_IOMMU_DISABLE,
    vfio.VFIO_GROUP_GET_STATUS,
    vfio.VFIO_GROUP_SET_CONTAINER,
    0x3b6b,
    vfio.VFIO_DEVICE_BIND_IOMMUFD,
    0x3b7f,
  ]);
  gen.plain('invalid', value, command, { arena: STRUCT_OFFSET });
};

/** Whether there is a device without an IOMMU. */
export const hasNoIommu = ({ platform }: GenContext): boolean =>
  platform.devices.some(({ iommu }) => iommu === 'noiommu');

/** Page sizes that are no larger than the machine's. */
const SERVED_SIZES = 0x1fffn;

type Wanted = 'any' | 'served' | 'emulated';

/** `served`: devices whose IOMMU has small pages; `emulated`: mdevs, if there are any. */
const wantedDevices = ({ platform }: GenContext, wanted: Wanted): Platform['devices'] => {
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

export const generateOpenGroup = (gen: GenContext, wanted: Wanted = 'any'): void => {
  const { rng, platform } = gen;
  const groups = [...new Set(wantedDevices(gen, wanted).map(({ group }) => group))];
  const group = rng.chance(1, 30) ? 99 : rng.of(groups);
  // Sometimes the path of the other kind, with or without the prefix noiommu-.
  const noIommu = isNoIommuGroup(platform, group) !== (hasNoIommu(gen) && rng.chance(1, 30));
  const path = `/dev/vfio/${noIommu ? 'noiommu-' : ''}${group}`;
  gen.add({ op: 'open', label: gen.builder.label('group'), path });
};

/** Mostly a descriptor of an iommufd. */
export const generateContainer = (gen: GenContext): Value => {
  const { rng } = gen;
  const iommufds = gen.iommufds();
  if (iommufds.length > 0 && rng.chance(9, 10)) return rng.of(iommufds).value;
  const others = gen.descriptors();
  return others.length > 0 && rng.chance(1, 2) ? rng.of(others).value : rng.of([77n, 0xffff_ffffn]);
};

const LEAST_PAGE = 4096n;

/**
 * Whether the group's IOMMU has pages as small as the machine's: otherwise the result depends on
 * physical addresses.
 */
export const fitsLegacyContainer = ({ platform }: GenContext, group: number): boolean =>
  platform.devices
    .filter((device) => device.group === group)
    .every(({ iommu }) => {
      const sizes =
        typeof iommu === 'number' ? (platform.iommus[iommu]?.pageSizes ?? 0n) : LEAST_PAGE;
      return (sizes & (2n * LEAST_PAGE - 1n)) !== 0n;
    });

const containers = (gen: GenContext, group: GroupFile): Value => {
  const { rng } = gen;
  const legacy = fitsLegacyContainer(gen, group.group) ? gen.containers() : [];
  const fitting = [...gen.iommufds(), ...legacy];
  if (fitting.length > 0 && rng.chance(9, 10)) return rng.of(fitting).value;
  const others = gen.descriptors().filter(({ file }) => file.kind !== 'container');
  return others.length > 0 && rng.chance(1, 2) ? rng.of(others).value : rng.of([77n, 0xffff_ffffn]);
};

const generateStatus = (gen: GenContext, group: Value): void =>
  gen.call('status', group, GET_STATUS, {
    argsz: generateArgsz(gen, 8),
    flags: 0xffn,
  });

export const joinContainer = (gen: GenContext, group: Value, container: Value): void =>
  gen.call('setContainer', group, SET_CONTAINER, {
    fd: container,
  });

/** Adds a group without a container to one. */
export const generateJoin = (gen: GenContext, { value, file }: GroupDescriptor): void =>
  joinContainer(gen, value, containers(gen, file));

export const generateGroupCall = (gen: GenContext, group: GroupDescriptor): void => {
  const { rng } = gen;
  const { value } = group;
  const kind = rng.number(1, 20);
  if (kind <= 6) {
    generateJoin(gen, group);
  } else if (kind <= 14) {
    generateGetDevice(gen, group);
  } else if (kind <= 16) {
    generateStatus(gen, value);
  } else if (kind <= 18) {
    gen.plain('unsetContainer', value, vfio.VFIO_GROUP_UNSET_CONTAINER, 0n);
  } else {
    gen.plain('invalidGroup', value, rng.of([0x3b64, 0x3b6b, 0x3b71, 0x3b85]), 0n);
  }
};

/** Bytes of a string that is too long for a name. */
const ENDLESS_NAME = 4096;

/**
 * A device that an iommufd opened is not opened again through a legacy container: the result is
 * unspecified.
 */
const staysBound = (gen: GenContext, file: GroupFile, name: string): boolean => {
  const open = gen.builder.world.devices.get(name);
  return gen.isInLegacyContainer(file) && open !== undefined && open.kind !== 'held';
};

const generateGetDevice = (gen: GenContext, { value, file }: GroupDescriptor): void => {
  const { rng, platform } = gen;
  const own = platform.devices.filter(
    ({ group, name }) => group === file.group && !staysBound(gen, file, name),
  );
  if (own.length === 0) {
    generateStatus(gen, value);
    return;
  }
  const [chosen, first] = [rng.of(own).name, platform.devices[0]?.name ?? ''];
  // A PCI device takes options after its name, and refuses those that it does not know.
  const name = rng.chance(1, 10)
    ? rng.of(['0000:00:1f.7', '', first, `${chosen} `, `${chosen} vf_token=1`, `${chosen}x`])
    : chosen;
  const argument: Argument = rng.chance(1, 60)
    ? { kind: 'bytes', at: { arena: STRUCT_OFFSET }, hex: 'aa'.repeat(ENDLESS_NAME) }
    : {
        kind: 'bytes',
        at: generateStructAddress(rng, name.length + 1),
        hex: `${hexOf(bytesOfLatin1(name))}00`,
      };
  const label = gen.builder.label('device');
  gen.add({
    op: 'ioctl',
    label,
    fd: value,
    command: vfio.VFIO_GROUP_GET_DEVICE_FD,
    argument,
  });
};
