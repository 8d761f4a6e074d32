// SPDX-License-Identifier: MIT
// Choosing an IOVA: iopt_alloc_iova() in drivers/iommu/iommufd/io_pagetable.c. Which one is the kernel's
// business, so a reply may name any that fits; where it searches, and in which steps, decides whether it finds one.

import { PAGE_SIZE_BYTES, U64_MAX } from '../abi/units.ts';
import { firstMeeting, holesIn } from '../state/area.ts';
import { type IoPagetable, meeting } from '../state/io-pagetable.ts';
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
      'The address of the memory is no multiple of the alignment of the IOAS.',
    ),
    noSpace: refuses(
      'ENOSPC',
      'No hole in the allowed ranges, without the first and the last page, fits the length at the required alignment.',
    ),
  },
);

// The search leaves out the first and the last page of the address space.
const SEARCH: IovaRange = { start: PAGE_SIZE_BYTES, last: U64_MAX - PAGE_SIZE_BYTES };

const powerOfTwoAtLeast = (value: bigint): bigint => {
  let power = 1n;
  while (power < value) power <<= 1n;
  return power;
};

const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const greater = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The alignment that the search keeps, in bytes: as much of the memory's as is of use. */
const searchAlignment = (address: bigint, length: bigint, maximum: bigint): bigint => {
  const ofLength = powerOfTwoAtLeast(length);
  const alignment = address === 0n ? ofLength : lesser(ofLength, address & -address);
  return lesser(alignment, maximum);
};

/** The first aligned IOVA of a span at which the length fits. A span of one byte never serves. */
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

/** What is free of a span, reserved ranges and areas taken out; in ascending order. */
function* freeWithin(table: IoPagetable, span: IovaRange, length: bigint): Generator<IovaRange> {
  let at = span.start;
  while (at <= span.last) {
    const reserved = meeting(table.reservedSpans, at, span.last);
    const last = reserved === undefined ? span.last : reserved.start - 1n;
    if (reserved === undefined || reserved.start > at) {
      yield* holesIn(table.areas, at, last, length);
    }
    if (reserved === undefined || reserved.last === U64_MAX) return;
    at = reserved.last + 1n;
  }
}

/**
 * The first IOVA that the kernel's search finds for memory at `address` (for a file, its offset).
 * `maximumAlignment` is the largest page of the processor that the kernel cares for.
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

/** Why the kernel may not have chosen this IOVA for memory at `address`; undefined where it may. */
export const unfitIova = (
  table: IoPagetable,
  address: bigint,
  iova: bigint,
  length: bigint,
): string | undefined => {
  const last = iova + length - 1n;
  if (last > U64_MAX) return 'the stretch wraps around the end of the address space';
  if (iova < SEARCH.start || last > SEARCH.last) {
    return 'it lies in the first or the last page, where no IOVA is chosen';
  }
  // Larger pages are kept in mind by kernels that were built with them only.
  const alignment = searchAlignment(address, length, PAGE_SIZE_BYTES);
  if ((iova & (alignment - 1n)) !== 0n) {
    return `it is not as aligned as the memory and its length are, to ${alignment} bytes`;
  }
  if ((iova & (table.alignment - 1n)) !== 0n) {
    return `it is no multiple of the IOAS's alignment, ${table.alignment} bytes`;
  }
  if (meeting(table.reservedSpans, iova, last) !== undefined) return 'it meets a reserved range';
  if (firstMeeting(table.areas, iova, last) !== undefined) return 'it meets an area';
  if (table.allowed.length === 0) return undefined;
  const allowed = meeting(table.allowed, iova, last);
  return allowed !== undefined && allowed.start <= iova && last <= allowed.last
    ? undefined
    : 'it does not lie in an allowed range';
};
