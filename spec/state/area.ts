// SPDX-License-Identifier: MIT
// Areas: ranges of IOVAs that were mapped as one (struct iopt_area). They never overlap.

import { PAGE_SIZE_BYTES, type PageIndex, pageIndex, U64_MAX } from '../abi/units.ts';
import {
  atOrAfter,
  atOrBefore,
  type Node,
  type Tree,
  treeOperations,
} from '../collections/tree.ts';
import type { PagesId } from './pages.ts';

export type Area = {
  /** The last IOVA, inclusive. The first is the key. */
  readonly last: bigint;
  readonly pages: PagesId;
  /** Bytes from the start of the pages to the area's first byte. */
  readonly startByte: bigint;
  /** What a device may do. A native map permits at least one; the compatibility layer allows neither. */
  readonly readable: boolean;
  readonly writable: boolean;
};

/** The range of a subtree, and the largest hole between two of its areas, in bytes. */
type AreaMeasure = { readonly first: bigint; readonly last: bigint; readonly hole: bigint };

export type Areas = Tree<bigint, Area, AreaMeasure>;
export type AreaNode = Node<bigint, Area, AreaMeasure>;

const operations = treeOperations<bigint, Area, AreaMeasure>((left, iova, area, right) => {
  let hole = 0n;
  let first = iova;
  let { last } = area;
  if (left !== undefined) {
    const before = iova - left.measure.last - 1n;
    hole = before > left.measure.hole ? before : left.measure.hole;
    first = left.measure.first;
  }
  if (right !== undefined) {
    const after = right.measure.first - area.last - 1n;
    if (after > hole) hole = after;
    if (right.measure.hole > hole) hole = right.measure.hole;
    last = right.measure.last;
  }
  return { first, last, hole };
});

export const putArea = operations.set;
export const dropArea = operations.remove;

/** The area that contains the IOVA. */
export const areaAt = (areas: Areas, iova: bigint): AreaNode | undefined => {
  const found = atOrBefore(areas, iova);
  return found === undefined || found.value.last < iova ? undefined : found;
};

/** The first area that overlaps [start, last]. */
export const firstOverlapping = (
  areas: Areas,
  start: bigint,
  last: bigint,
): AreaNode | undefined => {
  const holding = areaAt(areas, start);
  if (holding !== undefined) return holding;
  const next = atOrAfter(areas, start);
  return next === undefined || next.key > last ? undefined : next;
};

export const areaLength = ({ key, value }: AreaNode): bigint => value.last - key + 1n;

/** The page that contains a byte of the pages. */
export const pageOfByte = (byte: bigint): PageIndex => pageIndex(Number(byte / PAGE_SIZE_BYTES));

/** The first and the last page of an area in its pages, both inclusive. */
export const pagesOfArea = (
  iova: bigint,
  area: Area,
): { readonly first: PageIndex; readonly last: PageIndex } => ({
  first: pageOfByte(area.startByte),
  last: pageOfByte(area.startByte + (area.last - iova)),
});

/** The offset of an IOVA of an area in its pages, in bytes. */
export const byteOf = (node: AreaNode, iova: bigint): bigint =>
  node.value.startByte + (iova - node.key);

/**
 * The free spans of at least `length` bytes within [start, last], ascending. Subtrees without such a hole are skipped.
 */
export function* holesIn(
  areas: Areas,
  start: bigint,
  last: bigint,
  length: bigint,
): Generator<{ readonly start: bigint; readonly last: bigint }> {
  let at = start;
  for (const area of areasAroundHoles(areas, start, last, length)) {
    const end = area.key > last ? last : area.key - 1n;
    if (area.key > at && end - at + 1n >= length) yield { start: at, last: end };
    if (area.value.last >= at) {
      if (area.value.last === U64_MAX) return;
      at = area.value.last + 1n;
    }
    if (at > last) return;
  }
  if (last >= at && last - at + 1n >= length) yield { start: at, last };
}

// The areas, ascending. A subtree in which every hole is shorter than `length` counts as one area.
function* areasAroundHoles(
  tree: Areas,
  start: bigint,
  last: bigint,
  length: bigint,
): Generator<AreaNode> {
  if (tree === undefined || tree.measure.first > last || tree.measure.last < start) return;
  if (tree.measure.hole < length && tree.left !== undefined && tree.right !== undefined) {
    yield* asOneArea(tree);
    return;
  }
  yield* areasAroundHoles(tree.left, start, last, length);
  yield tree;
  yield* areasAroundHoles(tree.right, start, last, length);
}

// Such a subtree: one area from its first to its last IOVA.
function* asOneArea(tree: AreaNode): Generator<AreaNode> {
  yield {
    ...tree,
    key: tree.measure.first,
    value: { ...tree.value, last: tree.measure.last },
    left: undefined,
    right: undefined,
  };
}
