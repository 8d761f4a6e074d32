// SPDX-License-Identifier: MIT
// VFIO_IOMMU_DIRTY_PAGES: starts and stops dirty tracking, and reports the pages that devices may
// have written. drivers/vfio/vfio_iommu_type1.c (vfio_iommu_type1_dirty_pages,
// vfio_iova_dirty_bitmap).

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  DIRTY_BITMAP_PAGES_MAX,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP,
  VFIO_IOMMU_TYPE1_DIRTY_BITMAP,
  VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET,
} from '../../../spec/abi/vfio.ts';
import { offsetsOf, Struct } from '../command.ts';
import { lastOf } from '../u64.ts';
import { bisects } from './bisect.ts';
import { type BitmapRequest, bitmapRequest, checkBitmap, reportDirty } from './bitmap-request.ts';
import type { Type1Iommu } from './type1-iommu.ts';

const AT = offsetsOf(VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET);
const HEADER = VFIO_IOMMU_TYPE1_DIRTY_BITMAP.size;
const RANGE = VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET.size - HEADER;

const start = (iommu: Type1Iommu): number => {
  if (iommu.tracksDirty) return 0;
  const begun = [];
  for (const dma of iommu.dmas) {
    if (dma.size >> BigInt(iommu.shift) > DIRTY_BITMAP_PAGES_MAX) {
      for (const other of begun) other.bitmap = undefined;
      return -ERRNO.EINVAL;
    }
    dma.bitmap = iommu.newBitmap();
    begun.push(dma);
  }
  iommu.tracksDirty = true;
  return 0;
};

const stop = (iommu: Type1Iommu): number => {
  iommu.tracksDirty = false;
  for (const dma of iommu.dmas) dma.bitmap = undefined;
  return 0;
};

const report = (
  iommu: Type1Iommu,
  bitmap: BitmapRequest,
  iova: bigint,
  size: bigint,
  last: bigint,
): number => {
  if (bisects(iommu, iova, size, last)) return -ERRNO.EINVAL;
  for (const dma of iommu.dmas) {
    if (dma.iova < iova || dma.bitmap === undefined) continue;
    if (dma.iova > last) break;
    const error = reportDirty(iommu, bitmap, dma, dma.bitmap, iova);
    if (error !== 0) return error;
    dma.bitmap.clearFirst(iommu.pagesOf(dma));
  }
  return 0;
};

/** The last byte of the range, or -errno. */
const lastByte = (iommu: Type1Iommu, iova: bigint, size: bigint): bigint | number => {
  const { reportsOverflow } = iommu;
  if (size === 0n) return -ERRNO.EINVAL;
  const last = lastOf(iova, size);
  if (last === undefined) return reportsOverflow ? -ERRNO.EOVERFLOW : -ERRNO.EINVAL;
  // With exclusive ends, a range that ends at U64_MAX wraps.
  const endWraps = lastOf(iova, size + 1n) === undefined;
  return endWraps && !reportsOverflow ? -ERRNO.EINVAL : last;
};

const getBitmap = (iommu: Type1Iommu, argument: bigint, argsz: number): number => {
  if (argsz - HEADER < RANGE) return -ERRNO.EINVAL;
  const bytes = iommu.kernel.user.read(argument + BigInt(HEADER), RANGE);
  if (bytes === undefined) return -ERRNO.EFAULT;
  const range = new Struct(bytes);
  const iova = range.u64(AT.iova - HEADER);
  const size = range.u64(AT.size - HEADER);
  const last = lastByte(iommu, iova, size);
  if (typeof last === 'number') return last;
  const bitmap = bitmapRequest(range, AT.bitmap_pgsize - HEADER);
  const error = checkBitmap(bitmap, size);
  if (error !== 0) return error;
  if (bitmap.pageSize !== iommu.granule) return -ERRNO.EINVAL;
  if (((iova | size) & (iommu.granule - 1n)) !== 0n) return -ERRNO.EINVAL;
  return iommu.tracksDirty ? report(iommu, bitmap, iova, size, last) : -ERRNO.EINVAL;
};

export const dirtyPages = (iommu: Type1Iommu, argument: bigint): number => {
  if (!iommu.version2) return -ERRNO.EACCES;
  const bytes = iommu.kernel.user.read(argument, HEADER);
  if (bytes === undefined) return -ERRNO.EFAULT;
  const struct = new Struct(bytes);
  const argsz = struct.u32(AT.argsz);
  if (argsz < HEADER) return -ERRNO.EINVAL;
  switch (struct.u32(AT.flags)) {
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
      return start(iommu);
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
      return stop(iommu);
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
      return getBitmap(iommu, argument, argsz);
    default:
      return -ERRNO.EINVAL;
  }
};
