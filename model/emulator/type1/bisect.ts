// SPDX-License-Identifier: MIT
// Whether a range cuts through a dma. drivers/vfio/vfio_iommu_type1.c (vfio_dma_do_unmap,
// vfio_iova_dirty_bitmap).

import type { Type1Iommu } from './type1-iommu.ts';

/** Whether a dma is on both sides of the range's start or end. `last` is the range's last byte. */
export const bisects = (
  { dmas, kernel }: Type1Iommu,
  iova: bigint,
  size: bigint,
  last: bigint,
): boolean => {
  const atStart = dmas.find(iova, 1n);
  if (atStart !== undefined && atStart.iova !== iova) return true;
  // Releases whose end is exclusive search with size 0 at the end.
  const atEnd = dmas.find(last, kernel.release.type1.findDmaWraps ? 0n : 1n);
  return atEnd !== undefined && atEnd.iova + atEnd.size !== iova + size;
};
