// SPDX-License-Identifier: MIT
// MAP_DMA and UNMAP_DMA with the values at which an answer can change.

import {
  DATA_LENGTH,
  DATA_OFFSET,
  NO_ACCESS_OFFSET,
  READ_ONLY_OFFSET,
  READ_ONLY_STRUCT_OFFSET,
  SHARED_OFFSET,
  STRUCT_LENGTH,
} from '../../../model/programs/arena.ts';
import type { Operation, Value } from '../../../model/programs/program.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import { VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA } from '../../../spec/abi/vfio.ts';
import { BAR_OFFSET } from '../platforms.ts';
import { ARRAY, type Chosen, ioctl, STRUCT, UNWRITABLE_BITMAPS, varyOne, varyTwo } from './make.ts';

const PAGE = 4096n;

/** The actions of the audit map here, MAPPED_PAGES at a time. */
export const MAPPED_IOVA = 0x10_0000n;
export const MAPPED_PAGES = 4n;
const MAPPED_END = MAPPED_IOVA + MAPPED_PAGES * PAGE;
const FREE_IOVA = 0x40_0000n;

/** The last page of the address space. */
export const LAST_PAGE = U64_MAX - PAGE + 1n;

/** QEMU's VT-d: the interrupt range, and the end of the aperture. */
export const INTERRUPTS = 0xfee0_0000n;
export const APERTURE_END = 1n << 48n;

const END_OF_STRUCTS: Value = { arena: STRUCT_LENGTH - 16n };
const UNWRITABLE: Value = { arena: READ_ONLY_STRUCT_OFFSET };
const ADDRESSES: readonly Value[] = [STRUCT, 0n, UNWRITABLE, END_OF_STRUCTS];

const MAP_CHOICES = {
  argsz: [32n, 0n, 24n, 31n, 33n, 0xffff_ffffn],
  flags: [3n, 0n, 1n, 2n, 4n, 5n, 7n, 8n, 0x8000_0003n],
  vaddr: [
    { arena: DATA_OFFSET },
    { arena: DATA_OFFSET + 0x100n },
    { arena: DATA_OFFSET + DATA_LENGTH - PAGE },
    { arena: READ_ONLY_OFFSET },
    { arena: NO_ACCESS_OFFSET },
    { arena: SHARED_OFFSET },
    { arena: BAR_OFFSET },
    0n,
    0xffff_8000_0000_0000n,
    LAST_PAGE,
    U64_MAX,
  ],
  iova: [
    FREE_IOVA,
    0n,
    MAPPED_IOVA,
    MAPPED_IOVA + PAGE,
    MAPPED_IOVA - PAGE,
    MAPPED_END,
    FREE_IOVA + 0x100n,
    FREE_IOVA + 0x800n,
    INTERRUPTS - PAGE,
    INTERRUPTS,
    APERTURE_END - PAGE,
    APERTURE_END,
    LAST_PAGE,
    U64_MAX,
  ],
  size: [
    PAGE,
    2n * PAGE,
    0n,
    1n,
    0x800n,
    PAGE + 1n,
    DATA_LENGTH,
    DATA_LENGTH + PAGE,
    1n << 40n,
    1n << 52n,
    1n << 63n,
    LAST_PAGE,
    U64_MAX,
  ],
  at: ADDRESSES,
} as const;

const UNMAP_CHOICES = {
  argsz: [24n, 0n, 16n, 23n, 25n, 40n, 0xffff_ffffn],
  flags: [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 0x8000_0000n],
  iova: [
    MAPPED_IOVA,
    0n,
    MAPPED_IOVA + PAGE,
    MAPPED_IOVA - PAGE,
    MAPPED_END - PAGE,
    MAPPED_END,
    FREE_IOVA,
    MAPPED_IOVA + 1n,
    MAPPED_IOVA + 0x800n,
    LAST_PAGE,
    U64_MAX,
  ],
  size: [
    MAPPED_PAGES * PAGE,
    0n,
    1n,
    0x800n,
    PAGE,
    PAGE + 1n,
    2n * PAGE,
    (MAPPED_PAGES + 1n) * PAGE,
    2n * MAPPED_PAGES * PAGE,
    0x100_0000n,
    1n << 63n,
    LAST_PAGE,
    U64_MAX - MAPPED_IOVA,
    U64_MAX,
  ],
  at: ADDRESSES,
} as const;

/** Flags of UNMAP_DMA. */
const BITMAP = 1n;
const ALL = 2n;
const VADDR = 4n;

const mapDma = (container: Value, { at, ...fields }: Chosen): Operation =>
  ioctl('map', container, VFIO_IOMMU_MAP_DMA, {
    kind: 'struct',
    at: at ?? STRUCT,
    layout: 'VFIO_IOMMU_MAP_DMA',
    fields,
  });

/** struct vfio_bitmap, which follows the struct if the call asks for the dirty bitmap. */
const bitmapAfter = (at: Value, pageSize: bigint, bytes: bigint, bitmap: Value = ARRAY) =>
  typeof at === 'object' && 'arena' in at
    ? [{ at: { arena: at.arena + 24n }, words: [pageSize, bytes, bitmap] }]
    : [];

const unmapDma = (container: Value, { at, ...fields }: Chosen): Operation => {
  const address = at ?? STRUCT;
  const withBitmap = typeof fields.flags === 'bigint' && (fields.flags & 1n) !== 0n;
  return ioctl('unmap', container, VFIO_IOMMU_UNMAP_DMA, {
    kind: 'struct',
    at: address,
    layout: 'VFIO_IOMMU_UNMAP_DMA',
    fields,
    ...(withBitmap && address === STRUCT ? { also: bitmapAfter(address, PAGE, 8n) } : {}),
  });
};

const PLAIN_MAP = { argsz: 32n, flags: 3n };

/** Every map request. */
export function* mapRequests(container: Value): Generator<Operation> {
  for (const chosen of varyTwo(MAP_CHOICES)) yield mapDma(container, chosen);
  // Passes the end of the address space only if rounded up to pages.
  yield mapDma(container, { ...PLAIN_MAP, vaddr: 0x800n, iova: 0n, size: LAST_PAGE - 1n });
  // A new vaddr for the maps of the actions.
  const another = { flags: 4n, iova: MAPPED_IOVA, size: MAPPED_PAGES * PAGE };
  for (const chosen of varyOne(MAP_CHOICES, another)) yield mapDma(container, chosen);
}

const unmapReporting = (
  container: Value,
  pages: bigint,
  also: ReturnType<typeof bitmapAfter>,
): Operation =>
  ioctl('unmap', container, VFIO_IOMMU_UNMAP_DMA, {
    kind: 'struct',
    at: STRUCT,
    layout: 'VFIO_IOMMU_UNMAP_DMA',
    fields: { argsz: 48n, flags: BITMAP, iova: MAPPED_IOVA, size: pages * PAGE },
    also,
  });

/** Every unmap request. */
export function* unmapRequests(container: Value): Generator<Operation> {
  for (const chosen of varyTwo(UNMAP_CHOICES)) yield unmapDma(container, chosen);
  // All maps, or the vaddrs of all maps; the range must be empty.
  for (const flags of [ALL, ALL | VADDR, ALL | BITMAP, ALL | 8n]) {
    const everything = { flags, iova: 0n, size: 0n };
    for (const chosen of varyOne(UNMAP_CHOICES, everything)) yield unmapDma(container, chosen);
  }
  // The dirty bitmap of a whole map.
  for (const pages of [MAPPED_PAGES, 1n, 0n]) {
    for (const pageSize of [PAGE, 0n, 0x800n, 2n * PAGE]) {
      for (const bytes of [8n, 0n, 7n, 16n]) {
        yield unmapReporting(container, pages, bitmapAfter(STRUCT, pageSize, bytes));
      }
    }
  }
  for (const bitmap of UNWRITABLE_BITMAPS) {
    yield unmapReporting(container, MAPPED_PAGES, bitmapAfter(STRUCT, PAGE, 8n, bitmap));
  }
}

/** The maps and unmaps of the actions. */
export const mapOf = (label: string, container: Value, other: Chosen): Operation => ({
  ...mapDma(container, {
    argsz: 32n,
    flags: 3n,
    vaddr: { arena: DATA_OFFSET },
    iova: MAPPED_IOVA,
    size: MAPPED_PAGES * PAGE,
    ...other,
  }),
  label,
});

export const plainMap = (label: string, container: Value, iova: bigint, flags = 3n): Operation =>
  mapOf(label, container, { iova, flags });

export const plainUnmap = (
  label: string,
  container: Value,
  iova: bigint,
  size: bigint,
): Operation => ({ ...unmapDma(container, { argsz: 24n, flags: 0n, iova, size }), label });

export const takeAddresses = (label: string, container: Value): Operation => ({
  ...unmapDma(container, { argsz: 24n, flags: ALL | VADDR, iova: 0n, size: 0n }),
  label,
});
