// SPDX-License-Identifier: MIT
// The dirty areas of a domain. An entry of a domain is dirty as a whole, and its size depends on how contiguous memory
// is. So dirty state is known only while whole areas are written, reported and cleared.
// drivers/iommu/generic_pt/iommu_pt.h, drivers/iommu/iommufd/iova_bitmap.c.

import { type ObjectId, PAGE_SIZE_BYTES, U64_MAX } from '../abi/units.ts';
import { type AreaNode, type Areas, areaAt } from '../state/area.ts';
import { type Context, type Dirty, type Hwpt, hwptAt, withObject } from '../state/context.ts';
import type { IovaRange } from '../terms/platform.ts';

const isClean = (dirty: Dirty): boolean => dirty.length === 0;

/** The ranges without [start, last]. */
export const withoutRange = (
  ranges: readonly IovaRange[],
  start: bigint,
  last: bigint,
): readonly IovaRange[] =>
  ranges.flatMap((range) => {
    if (range.last < start || range.start > last) return [range];
    const before = range.start < start ? [{ start: range.start, last: start - 1n }] : [];
    return range.last > last ? [...before, { start: last + 1n, last: range.last }] : before;
  });

/** The context in which the area, which is unmapped, is dirty in no domain. */
export const withoutDirtyArea = (
  context: Context,
  hwpts: readonly ObjectId[],
  { key, value: { last } }: AreaNode,
): Context => {
  let after = context;
  for (const id of hwpts) {
    const hwpt = hwptAt(context, id);
    if (hwpt === undefined || hwpt.dirty === 'unknown' || isClean(hwpt.dirty)) continue;
    after = withObject(after, id, { ...hwpt, dirty: withoutRange(hwpt.dirty, key, last) });
  }
  return after;
};

/** Whether the area is dirty. An area is dirty as a whole. */
export const isDirty = (ranges: readonly IovaRange[], { key }: AreaNode): boolean =>
  ranges.some(({ start, last }) => start <= key && key <= last);

/** The areas of [iova, last], up to the first gap. */
export const contiguousAreas = (areas: Areas, iova: bigint, last: bigint): readonly AreaNode[] => {
  const found: AreaNode[] = [];
  let at = iova;
  for (;;) {
    const node = areaAt(areas, at);
    if (node === undefined) return found;
    found.push(node);
    if (node.value.last >= last || node.value.last === U64_MAX) return found;
    at = node.value.last + 1n;
  }
};

/** The smallest entry that a domain may have for the area, in bytes: a page if the area is page-aligned. */
const smallestEntry = ({ key, value: { last, startByte } }: AreaNode): bigint =>
  ((key | (last + 1n) | startByte) & (PAGE_SIZE_BYTES - 1n)) === 0n
    ? PAGE_SIZE_BYTES
    : PAGE_SIZE_BYTES / 2n;

/** The IOVAs that are written: the first of each page whose bit is set. Bit 0 is the page at `iova`. */
export type WrittenPages = {
  readonly iova: bigint;
  /** Bytes. */
  readonly pageSize: bigint;
  /** How many pages the bitmap is for. */
  readonly count: number;
  readonly bitmap: Uint8Array;
};

/** The first set bit at or after `index`; undefined if there is none. */
const firstSet = ({ bitmap, count }: WrittenPages, index: number): number | undefined => {
  let at = index;
  while (at < count) {
    const rest = (bitmap[at >> 3] as number) >> (at & 7);
    if (rest === 0) at = (at | 7) + 1;
    else if ((rest & 1) === 0) at += 1;
    else return at;
  }
  return undefined;
};

/** Whether a page is written whose first IOVA is from `start` to `last`, both inclusive. */
const isWrittenIn = (pages: WrittenPages, start: bigint, last: bigint): boolean => {
  const { iova, pageSize, count } = pages;
  if (last < iova) return false;
  const index = start <= iova ? 0n : (start - iova + pageSize - 1n) / pageSize;
  if (index >= count) return false;
  const written = firstSet(pages, Number(index));
  return written !== undefined && iova + BigInt(written) * pageSize <= last;
};

/** Larger areas, in entries, are not followed entry by entry. */
const FOLLOWED_ENTRIES = 1n << 20n;

/** How much of an area is written; 'part' also if that is not known. */
export const writtenOf = (node: AreaNode, pages: WrittenPages): 'none' | 'part' | 'whole' => {
  const { last } = node.value;
  if (!isWrittenIn(pages, node.key, last)) return 'none';
  const step = smallestEntry(node);
  if ((last - node.key) / step >= FOLLOWED_ENTRIES) return 'part';
  for (let at = node.key; at <= last; at += step) {
    if (!isWrittenIn(pages, at, at + step - 1n)) return 'part';
  }
  return 'whole';
};

/** The hwpt with other dirty areas. */
export const withDirty = (hwpt: Hwpt, dirty: Dirty): Hwpt => ({ ...hwpt, dirty });
