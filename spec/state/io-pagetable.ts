// SPDX-License-Identifier: MIT
// The I/O page table of one IOAS: which IOVAs are mapped, reserved and allowed, and its domains and accesses. struct
// io_pagetable in drivers/iommu/iommufd/io_pagetable.h.

import { type ObjectId, PAGE_SIZE_BYTES, U64_MAX } from '../abi/units.ts';
import type { IovaRange } from '../terms/platform.ts';
import type { Areas } from './area.ts';

/** What reserved a range: the aperture of a domain, a device, or the test command, whose ranges stay reserved. */
export type ReservedBy =
  | { readonly kind: 'domain'; readonly hwpt: ObjectId }
  | { readonly kind: 'device'; readonly device: ObjectId }
  | { readonly kind: 'test' };

export type Reserved = IovaRange & { readonly by: ReservedBy };

export type IoPagetable = {
  readonly areas: Areas;
  readonly reserved: readonly Reserved[];
  /** The union of `reserved`, ascending, with adjacent ranges merged. */
  readonly reservedSpans: readonly IovaRange[];
  /** Ascending, with adjacent ranges merged, as a map may cross from one into the next. All IOVAs if empty. */
  readonly allowed: readonly IovaRange[];
  /** IOVAs, lengths and offsets of maps are multiples of this, in bytes: a power of two, at most a page. */
  readonly alignment: bigint;
  /** Every page has its own entry in the domains, so that areas can be cut. */
  readonly largePagesDisabled: boolean;
  /** The hwpts whose domains translate this table. Each of them has every area. */
  readonly domains: readonly ObjectId[];
  /**
   * The same hwpts in the kernel's slots: if one is removed, the last moves to its slot. The kernel reads pages back
   * from slot 0.
   */
  readonly slots: readonly ObjectId[];
  /** The attached accesses. */
  readonly accesses: readonly ObjectId[];
};

export const EMPTY_IO_PAGETABLE: IoPagetable = {
  areas: undefined,
  reserved: [],
  reservedSpans: [],
  allowed: [],
  alignment: 1n,
  largePagesDisabled: false,
  domains: [],
  slots: [],
  accesses: [],
};

/** The union of the ranges, ascending, with overlapping and adjacent ranges merged. */
export const mergedRanges = (ranges: readonly IovaRange[]): readonly IovaRange[] => {
  const sorted = [...ranges].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  const spans: IovaRange[] = [];
  for (const { start, last } of sorted) {
    const before = spans.at(-1);
    if (before !== undefined && (before.last === U64_MAX || start <= before.last + 1n)) {
      if (last > before.last) spans[spans.length - 1] = { start: before.start, last };
    } else {
      spans.push({ start, last });
    }
  }
  return spans;
};

/** Written out because each map and unmap calls it: a spread costs many times as much. */
export const withAreas = (table: IoPagetable, areas: Areas): IoPagetable => ({
  areas,
  reserved: table.reserved,
  reservedSpans: table.reservedSpans,
  allowed: table.allowed,
  alignment: table.alignment,
  largePagesDisabled: table.largePagesDisabled,
  domains: table.domains,
  slots: table.slots,
  accesses: table.accesses,
});

export const withReserved = (table: IoPagetable, reserved: readonly Reserved[]): IoPagetable => ({
  areas: table.areas,
  reserved,
  reservedSpans: mergedRanges(reserved),
  allowed: table.allowed,
  alignment: table.alignment,
  largePagesDisabled: table.largePagesDisabled,
  domains: table.domains,
  slots: table.slots,
  accesses: table.accesses,
});

/** The table with other domains and accesses, and the alignment that they need. */
export const withUsers = (
  table: IoPagetable,
  domains: IoPagetable['domains'],
  accesses: IoPagetable['accesses'],
  alignment: bigint,
  slots = table.slots,
): IoPagetable => ({
  areas: table.areas,
  reserved: table.reserved,
  reservedSpans: table.reservedSpans,
  allowed: table.allowed,
  alignment,
  largePagesDisabled: table.largePagesDisabled,
  domains,
  slots,
  accesses,
});

/** The first of the sorted ranges that overlaps [start, last]. */
export const overlapping = (
  ranges: readonly IovaRange[],
  start: bigint,
  last: bigint,
): IovaRange | undefined => {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle] as IovaRange).last < start) low = middle + 1;
    else high = middle;
  }
  const found = ranges[low];
  return found !== undefined && found.start <= last ? found : undefined;
};

/** The ranges that are not reserved, ascending: those that a program may use. */
export const usableRanges = (table: IoPagetable): readonly IovaRange[] => {
  const usable: IovaRange[] = [];
  let at = 0n;
  for (const { start, last } of table.reservedSpans) {
    if (start > at) usable.push({ start: at, last: start - 1n });
    if (last === U64_MAX) return usable;
    at = last + 1n;
  }
  usable.push({ start: at, last: U64_MAX });
  return usable;
};

/** The smallest page size of a bitmap of page sizes, in bytes. */
export const smallestPageSize = (pageSizes: bigint): bigint => pageSizes & -pageSizes;

export const PAGE_ALIGNMENT = PAGE_SIZE_BYTES;
