// SPDX-License-Identifier: MIT
// Values that matter: the edges in the present world, and values near them.

import { PAGE_SIZE_BYTES, U64_MAX } from '../../spec/abi/units.ts';
import { nodesOf } from '../../spec/collections/ordered-map.ts';
import { areaAt } from '../../spec/state/area.ts';
import { type IoPagetable, usableRanges } from '../../spec/state/io-pagetable.ts';
import {
  ARRAY_LENGTH,
  ARRAY_OFFSET,
  DATA_LENGTH,
  DATA_OFFSET,
  HUGE_OFFSET,
  NO_ACCESS_OFFSET,
  READ_ONLY_LENGTH,
  READ_ONLY_OFFSET,
  SHARED_LENGTH,
  SHARED_OFFSET,
  STRUCT_LENGTH,
  STRUCT_OFFSET,
} from '../programs/arena.ts';
import type { Value } from '../programs/program.ts';
import type { Rng } from './rng.ts';

const PAGE = PAGE_SIZE_BYTES;

export const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Distances of a value from an edge. */
export const NEARBY: readonly bigint[] = [
  0n,
  0n,
  0n,
  0n,
  1n,
  -1n,
  2048n,
  -2048n,
  PAGE,
  -PAGE,
  2n * PAGE,
];

const MAX_EDGES = 24;

/** Starts and ends in the table. */
const edgesOf = (rng: Rng, table: IoPagetable): readonly bigint[] => {
  const edges: bigint[] = [];
  for (const { key, value } of nodesOf(table.areas)) {
    edges.push(key, value.last, value.last + 1n);
    if (edges.length > MAX_EDGES) break;
  }
  const usable = usableRanges(table);
  const range = usable.length > 0 ? rng.of(usable) : undefined;
  if (range !== undefined) edges.push(range.start, range.last, range.last + 1n);
  for (const { start, last } of table.allowed) edges.push(start, last + 1n);
  return edges;
};

/** The ends and the middle of 64 bits. */
export const FAR: readonly bigint[] = [
  0n,
  U64_MAX,
  U64_MAX - 1n,
  U64_MAX - PAGE + 1n,
  1n << 63n,
  1n << 32n,
];

/** Mock domains translate these IOVAs, so that most of what is mapped there fits. */
export const LOW_PAGES = 24;

const low = (rng: Rng, table: IoPagetable): bigint => {
  const first = usableRanges(table)[0]?.start ?? 0n;
  const base = first > 0x100_0000n ? first : 0x100_0000n;
  return base + BigInt(rng.number(0, LOW_PAGES)) * PAGE;
};

/** A free IOVA, if one is found soon. */
const free = (rng: Rng, table: IoPagetable): bigint => {
  for (let attempt = 0; attempt < 4; attempt += 1) {
    const iova = low(rng, table);
    if (areaAt(table.areas, iova) === undefined) return iova;
  }
  return low(rng, table);
};

/** An IOVA to map, unmap or probe. */
export const generateIova = (rng: Rng, table: IoPagetable | undefined): bigint => {
  if (table === undefined) return 0x100_0000n + BigInt(rng.number(0, LOW_PAGES)) * PAGE;
  if (rng.careful()) return free(rng, table);
  const kind = rng.number(1, 20);
  if (kind <= 9) return low(rng, table);
  if (kind <= 17) {
    const edges = edgesOf(rng, table);
    if (edges.length > 0) return wrap(rng.of(edges) + rng.of(NEARBY));
  }
  return wrap(rng.of(FAR) + rng.of(NEARBY));
};

/**
 * A length in bytes: mostly a few pages, sometimes almost the size of something, or nothing, or
 * everything.
 */
export const generateLength = (rng: Rng): bigint => {
  if (rng.careful()) return BigInt(rng.number(1, 6)) * PAGE;
  const kind = rng.number(1, 24);
  if (kind <= 17) return BigInt(rng.number(1, 6)) * PAGE;
  if (kind === 18) return 2048n * BigInt(rng.number(1, 5));
  if (kind === 19) return BigInt(rng.number(7, 40)) * PAGE;
  if (kind === 20) return BigInt(rng.number(0, 3));
  if (kind === 21) return BigInt(rng.number(1, 4)) * PAGE + rng.of([1n, -1n, 2048n]);
  return rng.of([0n, U64_MAX, U64_MAX - 1n, U64_MAX - PAGE + 1n, 1n << 63n, 1n << 40n]);
};

export type Range = { readonly iova: bigint; readonly length: bigint };

/** The shortest and the longest ranges, at the ends of 64 bits, where sums wrap. */
export const generateExtremeRange = (rng: Rng): Range => ({
  iova: rng.of([0n, 0n, 1n, PAGE, U64_MAX - PAGE + 1n, U64_MAX - 1n, U64_MAX, U64_MAX]),
  length: rng.of([0n, 1n, 1n, 2n, PAGE, 1n << 63n, U64_MAX - PAGE + 1n, U64_MAX - 1n, U64_MAX]),
});

/** An existing area's IOVA and length, or parts of it and its neighbours. */
export const generateAreaRange = (rng: Rng, table: IoPagetable): Range | undefined => {
  if (rng.chance(1, 40)) return generateExtremeRange(rng);
  const areas = [...nodesOf(table.areas)].slice(0, 16);
  if (areas.length === 0) return undefined;
  const index = rng.number(0, areas.length - 1);
  const first = areas[index];
  const last = areas[Math.min(areas.length - 1, index + rng.number(0, 2))];
  if (first === undefined || last === undefined) return undefined;
  const iova = first.key;
  const length = last.value.last - iova + 1n;
  const pages = Number(length / PAGE);
  // If areas can be cut, cuts matter; otherwise a part can be copied, pinned and probed.
  if (pages > 1 && (table.largePagesDisabled ? rng.chance(1, 2) : rng.chance(1, 5))) {
    const from = rng.number(0, pages - 1);
    const count = rng.number(1, pages - from);
    return { iova: iova + BigInt(from) * PAGE, length: BigInt(count) * PAGE };
  }
  const kind = rng.number(1, 10);
  if (kind <= 6) return { iova, length };
  const from = wrap(iova + rng.of([0n, 0n, PAGE, -PAGE, 2048n, 1n]));
  const to = rng.of([0n, 0n, PAGE, -PAGE, -2048n, 1n, -1n]);
  return { iova: from, length: wrap(length + to) };
};

const CHANGING_LENGTH = 12n * PAGE;

/** The program's memory to map. `huge`: sometimes huge pages. */
export const generateUserAddress = (rng: Rng, huge = false): Value => {
  if (huge && rng.chance(1, 3)) {
    const page = rng.of([0, 0, 1, 511, 512, 512, 1023, rng.number(0, 1023)]);
    return { arena: HUGE_OFFSET + BigInt(page) * PAGE };
  }
  const within = (offset: bigint, length: bigint): bigint =>
    offset + BigInt(rng.number(0, Number(length / PAGE) - 1)) * PAGE;
  if (rng.careful()) {
    // The alignment of the address decides where the kernel searches.
    if (rng.chance(1, 4)) return { arena: DATA_OFFSET };
    return { arena: within(DATA_OFFSET, DATA_LENGTH - 6n * PAGE) };
  }
  const kind = rng.number(1, 30);
  // Where programs change their memory, or elsewhere.
  if (kind <= 7) return { arena: within(DATA_OFFSET, CHANGING_LENGTH) };
  if (kind <= 20) return { arena: within(DATA_OFFSET, DATA_LENGTH) };
  if (kind <= 22) return { arena: within(SHARED_OFFSET, SHARED_LENGTH) };
  if (kind === 23) return { arena: within(READ_ONLY_OFFSET, READ_ONLY_LENGTH) };
  if (kind === 24) return { arena: NO_ACCESS_OFFSET };
  if (kind === 25) return { arena: DATA_OFFSET + DATA_LENGTH - PAGE };
  if (kind === 26) return { arena: DATA_OFFSET + DATA_LENGTH };
  if (kind === 27) return { arena: within(DATA_OFFSET, DATA_LENGTH) + rng.of([2048n, 1n, 4095n]) };
  if (kind === 28) return { arena: READ_ONLY_OFFSET - PAGE };
  return rng.of([0n, U64_MAX, U64_MAX - PAGE + 1n, 0xffff_8000_0000_0000n, U64_MAX - 2048n]);
};

/** An address for an array or a buffer. */
export const generateArrayAddress = (rng: Rng, bytes: number): Value =>
  rng.chance(12, 13)
    ? { arena: ARRAY_OFFSET + BigInt(rng.number(0, 8)) * 256n }
    : { arena: ARRAY_OFFSET + ARRAY_LENGTH - BigInt(rng.number(0, bytes)) };

/** An address for a struct of so many bytes: mostly readable and writable, but not if `invalid`. */
export const generateStructAddress = (rng: Rng, bytes: number, invalid = false): Value => {
  if (!invalid && (rng.careful() || rng.chance(60, 64))) return { arena: STRUCT_OFFSET };
  const end = STRUCT_OFFSET + STRUCT_LENGTH;
  const kind = rng.number(1, 6);
  if (kind <= 2) return { arena: end - BigInt(rng.number(1, Math.max(1, bytes))) };
  if (kind === 3) return { arena: end - BigInt(bytes) };
  if (kind === 4) return { arena: 4n * PAGE };
  if (kind === 5) return { arena: READ_ONLY_OFFSET - BigInt(rng.number(0, bytes)) };
  return rng.of([0n, U64_MAX - 3n, { arena: NO_ACCESS_OFFSET }, { arena: end }]);
};
