// SPDX-License-Identifier: MIT
// The IOVA for syzkaller's flag: an area's number and an offset into the area.
// drivers/iommu/iommufd/selftest.c (__iommufd_test_syz_conv_iova).

import { U32_MAX } from '../../../spec/abi/units.ts';
import type { IoPageTable } from '../iopt/io-pagetable.ts';
import { wrap } from '../u64.ts';

/** Areas count from 0; returns IOVA 0 if there are too few. */
export const iovaOfNthArea = (table: IoPageTable, encoded: bigint): bigint => {
  let left = encoded & BigInt(U32_MAX);
  const offset = encoded >> 32n;
  if (left >= BigInt(table.areas.size)) return 0n;
  for (const area of table.areas) {
    if (left === 0n) return wrap(area.start + offset);
    left -= 1n;
  }
  return 0n;
};
