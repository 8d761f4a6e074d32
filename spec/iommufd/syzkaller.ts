// SPDX-License-Identifier: MIT
// Test kernels let a fuzzer pass an IOVA as the nth area and an offset in it: the low and the high half of the u64.
// __iommufd_test_syz_conv_iova() in drivers/iommu/iommufd/selftest.c.

import { nodesOf } from '../collections/ordered-map.ts';
import type { Areas } from '../state/area.ts';

/** The IOVA of the pair; 0 if there are not that many areas. */
export const nthAreaIova = (areas: Areas, pair: bigint): bigint => {
  const nth = Number(pair & 0xffff_ffffn);
  const offset = pair >> 32n;
  let index = 0;
  for (const { key } of nodesOf(areas)) {
    if (index === nth) return BigInt.asUintN(64, key + offset);
    index += 1;
  }
  return 0n;
};
