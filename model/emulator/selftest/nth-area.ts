// SPDX-License-Identifier: MIT
// What syzkaller's flag makes of an IOVA: the number of an area, and an offset into it.
// drivers/iommu/iommufd/selftest.c (__iommufd_test_syz_conv_iova).

import { U32_MAX } from '../../../spec/abi/units.ts';
import type { IoPageTable } from '../iopt/io-pagetable.ts';
import { wrap } from '../u64.ts';

/** Counting from 0; IOVA 0 where there are not so many areas. */
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
