// SPDX-License-Identifier: MIT
// The operations that programs of shown defects are made of on a legacy container.

import { DATA_OFFSET } from '../../model/programs/arena.ts';
import type { Operation, Value } from '../../model/programs/program.ts';
import { VFIO_IOMMU_DIRTY_PAGES } from '../../spec/abi/vfio.ts';
import { PAGE } from '../corpus/example.ts';
import { arena, open, out, vfio, vfioPlain } from '../helpers/operations.ts';

export const group = (number: number): readonly Operation[] => [
  open(`group ${number}`, `/dev/vfio/${number}`),
  vfio(`join ${number}`, `group ${number}`, 'VFIO_GROUP_SET_CONTAINER', { fd: out('container') }),
];

/** A v2 container with the groups in it. */
export const ready = (...groups: readonly number[]): readonly Operation[] => [
  open('container', '/dev/vfio/vfio'),
  ...groups.flatMap(group),
  vfioPlain('type', 'container', 'VFIO_SET_IOMMU', 3n),
];

export const map = (
  label: string,
  iova: bigint,
  length: bigint,
  flags = 3n,
  vaddr: Value = arena(DATA_OFFSET),
): Operation =>
  vfio(label, 'container', 'VFIO_IOMMU_MAP_DMA', { flags, vaddr, iova, size: length });

export const unmap = (label: string, iova: bigint, size: bigint, flags = 0n): Operation =>
  vfio(label, 'container', 'VFIO_IOMMU_UNMAP_DMA', { flags, iova, size });

export const info = vfio(
  'info',
  'container',
  'VFIO_IOMMU_GET_INFO',
  { argsz: 200n },
  { tail: '00'.repeat(176) },
);

export const leave = vfioPlain('leave', 'group 4', 'VFIO_GROUP_UNSET_CONTAINER');

export const dirtyPages = (label: string, fields: Readonly<Record<string, bigint>>): Operation => ({
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

export const BITMAP = arena(6n * PAGE);

export const dirtyBitmap = (iova: bigint, size: bigint): Operation => ({
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

export const LAST_PAGE = 2n ** 64n - PAGE;
