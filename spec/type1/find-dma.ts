// SPDX-License-Identifier: MIT
// How the legacy container finds maps: vfio_find_dma() in drivers/vfio/vfio_iommu_type1.c. 6.12 compares exclusive ends,
// iova + size, which wrap to 0 at U64_MAX: a search up to U64_MAX finds nothing, and no search finds a map that ends there.
// No other file compares ends.

import { U64_MAX } from '../abi/units.ts';
import { nodesOf, put } from '../collections/ordered-map.ts';
import { type Dma, type DmaNode, dmaLength, firstDmaIn, type Type1 } from '../state/container.ts';
import type { FileId } from '../state/files.ts';
import { containerOf, type World } from '../state/world.ts';
import type { Release } from '../terms/releases.ts';
import { untracked } from './untracked.ts';

/** The result of a search for maps that overlap a range. */
export type Search =
  /** The first of them. */
  | { readonly kind: 'found'; readonly node: DmaNode }
  | { readonly kind: 'none' }
  /** There are only maps that end at U64_MAX, which the search misses. */
  | { readonly kind: 'missed' }
  /** The range ends at U64_MAX, and the search finds nothing. */
  | { readonly kind: 'wraps' };

/** Whether the exclusive end of a range wraps to 0 where the release compares ends. */
export const endWraps = ({ type1 }: Release, last: bigint): boolean =>
  type1.findDmaWraps && last === U64_MAX;

/** Searches for maps that overlap [start, last]. */
export const findDma = (
  release: Release,
  { dmas, lookupMisses }: Type1,
  start: bigint,
  last: bigint,
): Search => {
  if (endWraps(release, last)) return { kind: 'wraps' };
  const node = firstDmaIn(dmas, start, last);
  if (node !== undefined) return { kind: 'found', node };
  return lookupMisses.some((first) => first <= last) ? { kind: 'missed' } : { kind: 'none' };
};

/** The end of [start, last] that is inside a map, if one is: such a range would cut the map. */
export const endInsideDma = (
  release: Release,
  type1: Type1,
  start: bigint,
  last: bigint,
): 'first' | 'last' | undefined => {
  const atFirst = findDma(release, type1, start, start);
  if (atFirst.kind === 'found' && atFirst.node.key !== start) return 'first';
  const atLast = findDma(release, type1, last, last);
  return atLast.kind === 'found' && atLast.node.value.last !== last ? 'last' : undefined;
};

/** Adds a map. One whose end wraps is known by its first IOVA only. */
export const withDma = (release: Release, type1: Type1, iova: bigint, dma: Dma): Type1 => {
  const available = type1.available - 1;
  return endWraps(release, dma.last)
    ? { ...type1, available, lookupMisses: [...type1.lookupMisses, iova] }
    : { ...type1, available, dmas: put(type1.dmas, iova, dma) };
};

/** The lengths in bytes of all maps, those that searches miss included. */
export function* dmaLengths({ dmas, lookupMisses }: Type1): Generator<bigint> {
  for (const node of nodesOf(dmas)) yield dmaLength(node);
  for (const first of lookupMisses) yield U64_MAX - first + 1n;
}

const untrackedByMissed = (world: World, file: FileId): World =>
  untracked(world, file, 'vfio_find_dma() misses a map that ends at U64_MAX');

/**
 * The container becomes untracked if it has a map that searches miss, and other maps or dirty tracking: then the shape of
 * the kernel's tree decides what is found.
 */
export const untrackedIfUndecided = (world: World, file: FileId): World => {
  const { type1 } = containerOf(world, file);
  return type1 !== undefined &&
    type1.lookupMisses.length > 0 &&
    (type1.dmas !== undefined || type1.tracksDirty)
    ? untrackedByMissed(world, file)
    : world;
};

/** The same for a container that has got a domain, into which the kernel maps everything in its tree. */
export const untrackedIfFillUndecided = (world: World, file: FileId): World => {
  const { type1 } = containerOf(world, file);
  return type1 !== undefined && type1.lookupMisses.length > 0 && type1.domains.length > 0
    ? untrackedByMissed(world, file)
    : world;
};
