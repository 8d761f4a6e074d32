// SPDX-License-Identifier: MIT
// Removes whole areas. drivers/iommu/iommufd/io_pagetable.c (iopt_unmap_iova_range).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import { lastOf } from '../u64.ts';
import type { Area } from './area.ts';
import { unfillDomains } from './fill.ts';
import type { IoPageTable } from './io-pagetable.ts';

/** `error` is 0 or -errno; areas before the one that failed are unmapped, and their bytes count. */
export type Unmapped = { readonly error: number; readonly bytes: bigint };

const TRIES = 100;

/** Notifies the accesses of an area until they have unpinned it. Returns whether they did. */
const evict = (table: IoPageTable, area: Area): boolean => {
  for (let tries = 0; area.accesses > 0; tries += 1) {
    if (tries > TRIES) return false;
    area.preventAccess = true;
    if (table.kernel.defects.has('access-not-notified')) continue;
    for (const access of table.accesses) access.unmapped(area.start, area.length);
  }
  return true;
};

const dissolve = (table: IoPageTable, area: Area): void => {
  unfillDomains(area, table.domains);
  table.areas.remove(area);
  area.pages.put();
};

const unmapRange = (table: IoPageTable, first: bigint, last: bigint): Unmapped => {
  const { defects } = table.kernel;
  let start = first;
  let bytes = 0n;
  let error = 0;
  let area = table.areas.first(start, last);
  if (area === undefined && defects.has('empty-unmap-enoent')) error = -ERRNO.ENOENT;
  while (area !== undefined) {
    const whole = area.start >= start && area.last <= last;
    if (!whole && !defects.has('unmap-truncates-areas')) {
      error = -ERRNO.ENOENT;
      break;
    }
    if (!evict(table, area)) {
      error = -ERRNO.EDEADLOCK;
      break;
    }
    dissolve(table, area);
    bytes += area.length;
    if (area.last >= last) break;
    start = area.last + 1n;
    area = table.areas.first(start, last);
  }
  if (error !== 0 && defects.has('unmapped-bytes-not-reported')) bytes = 0n;
  return { error, bytes };
};

/** Errors: -EINVAL, -EOVERFLOW, -ENOENT if the range cuts an area. */
export const unmapIova = (table: IoPageTable, iova: bigint, length: bigint): Unmapped => {
  if (length === 0n) return { error: -ERRNO.EINVAL, bytes: 0n };
  const last = lastOf(iova, length);
  if (last === undefined) return { error: -ERRNO.EOVERFLOW, bytes: 0n };
  return unmapRange(table, iova, last);
};

export const unmapAll = (table: IoPageTable): Unmapped => {
  if (table.kernel.defects.has('unmap-all-stops-at-first-area')) {
    const area = table.areas.first(0n, U64_MAX);
    if (area !== undefined) return unmapRange(table, area.start, area.last);
  }
  const unmapped = unmapRange(table, 0n, U64_MAX);
  return unmapped.error === -ERRNO.ENOENT ? { ...unmapped, error: 0 } : unmapped;
};
