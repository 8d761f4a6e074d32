// SPDX-License-Identifier: MIT
// Chooses the IOVA of a map: the lowest one that is allowed, not reserved, free, and aligned as the
// memory is. IOVA 0 is never chosen. drivers/iommu/iommufd/io_pagetable.c (iopt_alloc_iova).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE_BYTES, U64_MAX } from '../../../spec/abi/units.ts';
import type { IovaRange } from '../../../spec/terms/platform.ts';
import { roundUpToPowerOfTwo, wrap } from '../u64.ts';
import type { Fit } from './area-tree.ts';
import type { IoPageTable } from './io-pagetable.ts';

/**
 * Alignment above the size of a huge page (2 MiB, with CONFIG_TRANSPARENT_HUGEPAGE) gains nothing.
 */
const ALIGNMENT_MAX = 2n ** 21n;

const EVERYWHERE: IovaRange = { start: PAGE_SIZE_BYTES, last: U64_MAX - PAGE_SIZE_BYTES };

const fitter =
  (length: bigint, alignment: bigint, pageOffset: bigint): Fit =>
  (start, last) => {
    const rounded = start + (alignment - 1n);
    if (rounded > U64_MAX) return undefined;
    const aligned = (rounded & ~(alignment - 1n)) | pageOffset;
    return aligned >= last || last - aligned < length - 1n ? undefined : aligned;
  };

/** From before ALIGN() was checked for overflow. */
const wrappingFitter =
  (length: bigint, alignment: bigint, pageOffset: bigint): Fit =>
  (start, last) => {
    if (last - start < length - 1n) return undefined;
    const aligned = (wrap(start + (alignment - 1n)) & ~(alignment - 1n)) | pageOffset;
    return aligned > last || last - aligned < length - 1n ? undefined : aligned;
  };

const naturalAlignment = (address: bigint, length: bigint): bigint => {
  const natural = roundUpToPowerOfTwo(length);
  const ofAddress = address & -address;
  return address !== 0n && ofAddress < natural ? ofAddress : natural;
};

const alignmentFor = ({ kernel }: IoPageTable, address: bigint, length: bigint): bigint => {
  const alignment = naturalAlignment(address, length);
  const bounded = !kernel.defects.has('chosen-iova-alignment-unbounded');
  return bounded && alignment > ALIGNMENT_MAX ? ALIGNMENT_MAX : alignment;
};

/** The IOVA for `length` bytes of memory at `address`, or -EOVERFLOW, -EINVAL, -ENOSPC. */
export const chooseIova = (
  table: IoPageTable,
  address: bigint,
  length: bigint,
): bigint | number => {
  if (length === 0n || length >= U64_MAX / 2n) return -ERRNO.EOVERFLOW;
  const alignment = alignmentFor(table, address, length);
  if (alignment < table.alignment) return -ERRNO.EINVAL;
  const { defects } = table.kernel;
  const fit = (defects.has('chosen-iova-wraps') ? wrappingFitter : fitter)(
    length,
    alignment,
    address % PAGE_SIZE_BYTES,
  );
  const everything = table.allowed.empty || defects.has('allowed-not-consulted');
  const spans = everything ? [EVERYWHERE] : table.allowed.spans(EVERYWHERE.start, EVERYWHERE.last);
  for (const span of spans) {
    const start = fit(span.start, span.last);
    if (start === undefined) continue;
    for (const hole of table.reserved.holes(start, span.last)) {
      const found = table.areas.firstFit(hole.start, hole.last, length, fit);
      if (found !== undefined) return found;
    }
  }
  return -ERRNO.ENOSPC;
};
