// For each deliberate fault of the emulated legacy container the shortest program that shows it, written by hand.

import type { FaultName } from '../../../model/emulator/faults.ts';
import { DATA_LENGTH, DATA_OFFSET } from '../../../model/programs/arena.ts';
import type { Operation, Value } from '../../../model/programs/program.ts';
import { VFIO_IOMMU_DIRTY_PAGES } from '../../../spec/abi/vfio.ts';
import type { Setting } from '../../../spec/platform.ts';
import { IOVA, MIXED, PAGE, VTD } from '../../corpus/example.ts';
import { arena, getDeviceFd, open, out, vfio, vfioPlain } from '../../operations.ts';
import type { ShownFault } from './shown-faults.ts';

const group = (number: number): readonly Operation[] => [
  open(`group ${number}`, `/dev/vfio/${number}`),
  vfio(`join ${number}`, `group ${number}`, 'VFIO_GROUP_SET_CONTAINER', { fd: out('container') }),
];

/** A container with the groups in it, as version 2. */
const ready = (...groups: readonly number[]): readonly Operation[] => [
  open('container', '/dev/vfio/vfio'),
  ...groups.flatMap(group),
  vfioPlain('type', 'container', 'VFIO_SET_IOMMU', 3n),
];

const map = (
  label: string,
  iova: bigint,
  length: bigint,
  flags = 3n,
  vaddr: Value = arena(DATA_OFFSET),
): Operation =>
  vfio(label, 'container', 'VFIO_IOMMU_MAP_DMA', { flags, vaddr, iova, size: length });

const unmap = (label: string, iova: bigint, size: bigint, flags = 0n): Operation =>
  vfio(label, 'container', 'VFIO_IOMMU_UNMAP_DMA', { flags, iova, size });

const info = vfio(
  'info',
  'container',
  'VFIO_IOMMU_GET_INFO',
  { argsz: 200n },
  { tail: '00'.repeat(176) },
);

const leave = vfioPlain('leave', 'group 4', 'VFIO_GROUP_UNSET_CONTAINER');

const dirtyPages = (label: string, fields: Readonly<Record<string, bigint>>): Operation => ({
  op: 'ioctl',
  label,
  fd: out('container'),
  command: VFIO_IOMMU_DIRTY_PAGES,
  argument: {
    kind: 'struct',
    at: arena(0n),
    layout: 'VFIO_IOMMU_DIRTY_PAGES',
    fields: { argsz: 8n, ...fields },
  },
});

const BITMAP = arena(6n * PAGE);

const dirtyBitmap = (iova: bigint, size: bigint): Operation => ({
  op: 'ioctl',
  label: 'bitmap',
  fd: out('container'),
  command: VFIO_IOMMU_DIRTY_PAGES,
  argument: {
    kind: 'struct',
    at: arena(0n),
    layout: 'VFIO_IOMMU_DIRTY_PAGES with bitmap',
    fields: {
      argsz: 48n,
      flags: 4n,
      iova,
      size,
      bitmap_pgsize: PAGE,
      bitmap_size: 8n,
      bitmap_data: BITMAP,
    },
    also: [{ at: BITMAP, words: [0n] }],
  },
});

const LAST_PAGE = 2n ** 64n - PAGE;

const shown = (
  fault: FaultName,
  program: readonly Operation[],
  setting: Setting = VTD,
): ShownFault => ({ fault, setting, program });

export const SHOWN_TYPE1_FAULTS: readonly ShownFault[] = [
  shown('type1-wrong-errno-on-overlap', [
    ...ready(4),
    map('map', IOVA, PAGE),
    map('over', IOVA, PAGE),
  ]),
  shown('type1-unmap-takes-cut-mappings', [
    ...ready(4),
    map('map', IOVA, 2n * PAGE),
    unmap('part', IOVA, PAGE),
  ]),
  shown('type1-asked-size-written-back', [...ready(4), unmap('nothing', IOVA, PAGE)]),
  shown('type1-reserved-not-excluded', [...ready(4), map('reserved', 0xfee0_0000n, PAGE)]),
  shown('type1-entry-not-returned', [...ready(4), map('fails', IOVA, PAGE, 3n, 0n), info]),
  shown('type1-capabilities-not-shifted', [...ready(4), info]),
  shown('type1-charge-not-returned', [
    ...ready(4),
    map('map', IOVA, PAGE),
    unmap('unmap', IOVA, PAGE),
  ]),
  shown('type1-failed-map-keeps-pins', [
    ...ready(4),
    map('beyond', IOVA, 2n * PAGE, 3n, arena(DATA_OFFSET + DATA_LENGTH - PAGE)),
  ]),
  shown('type1-read-only-mapped-writable', [...ready(4), map('map', IOVA, PAGE, 1n)]),
  shown(
    'type1-second-domain-not-unmapped',
    [...ready(4, 5), map('map', IOVA, PAGE), unmap('unmap', IOVA, PAGE)],
    MIXED,
  ),
  shown('type1-invalid-address-still-counted', [
    ...ready(4),
    map('map', IOVA, PAGE),
    unmap('invalid', IOVA, PAGE, 4n),
    unmap('unmap', IOVA, PAGE),
    ...group(5),
  ]),
  shown('type1-iommu-outlives-groups', [...ready(4), leave, info]),
  shown('type1-leaves-with-open-device', [
    ...ready(4),
    getDeviceFd('device', 'group 4', '0000:00:04.0'),
    leave,
  ]),
  shown(
    'type1-addresses-move-under-mdevs',
    [...ready(7), vfioPlain('moves', 'container', 'VFIO_CHECK_EXTENSION', 10n)],
    MIXED,
  ),
  shown('type1-bitmap-not-shifted', [
    ...ready(4),
    map('map', IOVA, PAGE),
    dirtyPages('start', { flags: 1n }),
    dirtyBitmap(IOVA - PAGE, 2n * PAGE),
  ]),
  shown(
    'type1-end-of-all-not-seen',
    [...ready(7), map('map', LAST_PAGE, PAGE), map('over', LAST_PAGE, PAGE)],
    MIXED,
  ),
];
