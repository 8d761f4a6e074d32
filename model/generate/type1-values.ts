// SPDX-License-Identifier: MIT
// IOVAs that matter in a legacy container: the edges of its maps and of the IOVAs that it may map,
// and values near them.

import { nodesOf } from '../../spec/collections/ordered-map.ts';
import type { Type1 } from '../../spec/state/container.ts';
import type { IovaRange } from '../../spec/terms/platform.ts';
import type { Rng } from './rng.ts';
import { FAR, generateExtremeRange, LOW_PAGES, NEARBY, type Range, wrap } from './values.ts';

const PAGE = 4096n;
const LOW_START = 0x100_0000n;
const MOST_EDGES = 16;
/** Longer ranges get no part. */
const MANY_PAGES = 1024;

/** The container's maps, ascending; only the first of them if there are very many. */
export const mappingsOf = (type1: Type1 | undefined): readonly IovaRange[] => {
  const list: IovaRange[] = [];
  for (const { key, value } of nodesOf(type1?.dmas)) {
    list.push({ start: key, last: value.last });
    if (list.length === MOST_EDGES) break;
  }
  return list;
};

const edges = (rng: Rng, type1: Type1): readonly bigint[] => {
  const list = mappingsOf(type1).flatMap(({ start, last }) => [start, last, last + 1n]);
  if (type1.ranges.length > 0) {
    const { start, last } = rng.of(type1.ranges);
    list.push(start, last, last + 1n);
  }
  return list;
};

export const generateType1Iova = (rng: Rng, type1: Type1 | undefined): bigint => {
  const kind = rng.number(1, 20);
  const low = LOW_START + BigInt(rng.number(0, LOW_PAGES)) * PAGE;
  if (type1 === undefined || kind <= 10) return low;
  if (kind <= 18) {
    const list = edges(rng, type1);
    if (list.length > 0) return wrap(rng.of(list) + rng.of(NEARBY));
  }
  return wrap(rng.of(FAR) + rng.of(NEARBY));
};

/**
 * Where a few pages may fit: after a map, low, or at the start or near the end of a usable range.
 */
export const generateFreeIova = (rng: Rng, type1: Type1 | undefined): bigint => {
  const low = LOW_START + BigInt(rng.number(0, LOW_PAGES)) * PAGE;
  const kind = rng.number(1, 10);
  if (type1 === undefined || kind <= 5) return low;
  const mappings = mappingsOf(type1);
  if (mappings.length > 0 && kind <= 8) {
    return wrap(rng.of(mappings).last + 1n + BigInt(rng.of([0, 0, 1, 3])) * PAGE);
  }
  const range = type1.ranges.length > 0 ? rng.of(type1.ranges) : undefined;
  if (range === undefined) return rng.chance(1, 2) ? low : wrap(-BigInt(rng.number(1, 4)) * PAGE);
  return rng.chance(1, 2) ? range.start : wrap(range.last + 1n - BigInt(rng.number(1, 4)) * PAGE);
};

/** One map or some that follow each other, mostly whole. */
export const generateMappingRange = (rng: Rng, type1: Type1 | undefined): Range | undefined => {
  if (rng.chance(1, 40)) return generateExtremeRange(rng);
  const list = mappingsOf(type1);
  const index = rng.number(0, Math.max(0, list.length - 1));
  const first = list[index];
  const last = list[Math.min(list.length - 1, index + rng.of([0, 0, 0, 1, 2]))];
  if (first === undefined || last === undefined) return undefined;
  const length = last.last - first.start + 1n;
  if (rng.chance(3, 5)) return { iova: first.start, length };
  const pages = Number(length / PAGE);
  if (pages > 1 && pages < MANY_PAGES && rng.chance(1, 2)) {
    const skipped = rng.number(0, pages - 1);
    const count = rng.number(1, pages - skipped);
    return { iova: first.start + BigInt(skipped) * PAGE, length: BigInt(count) * PAGE };
  }
  const from = rng.of([0n, 0n, PAGE, -PAGE, -3n * PAGE, 2048n]);
  const more = rng.of([0n, 0n, PAGE, -PAGE, 2n * PAGE, 1n]);
  return { iova: wrap(first.start + from), length: wrap(length + more) };
};
