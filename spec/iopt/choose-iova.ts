// SPDX-License-Identifier: MIT
// Choosing an IOVA: iopt_alloc_iova() in drivers/iommu/iommufd/io_pagetable.c. The kernel may choose any IOVA that
// fits. Where it searches, and in which steps, decides whether it finds one.

import { PAGE_SIZE_BYTES, U64_MAX } from '../abi/units.ts';
import { firstOverlapping, holesIn } from '../state/area.ts';
import { type IoPagetable, overlapping } from '../state/io-pagetable.ts';
import type { IovaRange } from '../terms/platform.ts';
import { type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';

export const choosingIovaRules = rulesOf(
  {
    id: 'choosing-iova',
    title: 'choosing an IOVA',
    source: 'iopt_alloc_iova() in drivers/iommu/iommufd/io_pagetable.c',
  },
  {
    tooLong: refuses('EOVERFLOW', 'The length is 2^63 - 1 or more.'),
    misalignedAddress: refuses(
      'EINVAL',
      'The address of the memory is not a multiple of the alignment of the IOAS.',
    ),
    noSpace: refuses(
      'ENOSPC',
      'No hole in the allowed ranges, without the first and the last page, fits the length at the required alignment.',
    ),
  },
);

// The search excludes the first and the last page of the address space.
const SEARCH: IovaRange = { start: PAGE_SIZE_BYTES, last: U64_MAX - PAGE_SIZE_BYTES };

const powerOfTwoAtLeast = (value: bigint): bigint => {
  let power = 1n;
  while (power < value) power <<= 1n;
  return power;
};

const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const greater = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The alignment of the search in bytes: that of the address, limited by the length and by `maximum`. */
const searchAlignment = (address: bigint, length: bigint, maximum: bigint): bigint => {
  const ofLength = powerOfTwoAtLeast(length);
  const alignment = address === 0n ? ofLength : lesser(ofLength, address & -address);
  return lesser(alignment, maximum);
};

/** The first aligned IOVA of a span at which the length fits. A span of one byte never fits. */
const fitting = (
  span: IovaRange,
  length: bigint,
  alignment: bigint,
  pageOffset: bigint,
): bigint | undefined => {
  const up = span.start + alignment - 1n;
  if (up > U64_MAX) return undefined;
  const start = (up & -alignment) | pageOffset;
  return start >= span.last || span.last - start < length - 1n ? undefined : start;
};

/** The parts of a span that are neither reserved nor mapped, ascending. */
function* freeWithin(table: IoPagetable, span: IovaRange, length: bigint): Generator<IovaRange> {
  let at = span.start;
  while (at <= span.last) {
    const reserved = overlapping(table.reservedSpans, at, span.last);
    const last = reserved === undefined ? span.last : reserved.start - 1n;
    if (reserved === undefined || reserved.start > at) {
      yield* holesIn(table.areas, at, last, length);
    }
    if (reserved === undefined || reserved.last === U64_MAX) return;
    at = reserved.last + 1n;
  }
}

/**
 * The first IOVA that the kernel's search finds for memory at `address` (for a file, its offset). `maximumAlignment` is
 * the largest processor page that the kernel considers, in bytes.
 */
export const chosenIova = (
  table: IoPagetable,
  address: bigint,
  length: bigint,
  maximumAlignment: bigint,
): bigint | Refused => {
  if (length >= U64_MAX / 2n) return refused(choosingIovaRules.tooLong);
  const alignment = searchAlignment(address, length, maximumAlignment);
  if (alignment < table.alignment) return refused(choosingIovaRules.misalignedAddress);
  const pageOffset = address % PAGE_SIZE_BYTES;
  const spans = table.allowed.length === 0 ? [SEARCH] : table.allowed;
  for (const { start, last } of spans) {
    const clipped = { start: greater(start, SEARCH.start), last: lesser(last, SEARCH.last) };
    if (clipped.start > clipped.last) continue;
    const begin = fitting(clipped, length, alignment, pageOffset);
    if (begin === undefined) continue;
    for (const hole of freeWithin(table, { start: begin, last: clipped.last }, length)) {
      const iova = fitting(hole, length, alignment, pageOffset);
      if (iova !== undefined) return iova;
    }
  }
  return refused(choosingIovaRules.noSpace);
};

/** Why the kernel may not choose this IOVA for memory at `address`; undefined if it may. */
export const unfitIova = (
  table: IoPagetable,
  address: bigint,
  iova: bigint,
  length: bigint,
): string | undefined => {
  const last = iova + length - 1n;
  if (last > U64_MAX) return 'the range wraps around the end of the address space';
  if (iova < SEARCH.start || last > SEARCH.last) {
    return 'it is in the first or the last page, where the kernel chooses none';
  }
  // Only kernels that were built with large pages consider a larger alignment.
  const alignment = searchAlignment(address, length, PAGE_SIZE_BYTES);
  if ((iova & (alignment - 1n)) !== 0n) {
    return `it is not aligned to ${alignment} bytes, as the memory and its length are`;
  }
  if ((iova & (table.alignment - 1n)) !== 0n) {
    return `it is not a multiple of the alignment of the IOAS, ${table.alignment} bytes`;
  }
  if (overlapping(table.reservedSpans, iova, last) !== undefined)
    return 'it overlaps a reserved range';
  if (firstOverlapping(table.areas, iova, last) !== undefined) return 'it overlaps an area';
  if (table.allowed.length === 0) return undefined;
  const allowed = overlapping(table.allowed, iova, last);
  return allowed !== undefined && allowed.start <= iova && last <= allowed.last
    ? undefined
    : 'it is not in an allowed range';
};
