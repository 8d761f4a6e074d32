// SPDX-License-Identifier: MIT
// VFIO_IOMMU_UNMAP_DMA of a legacy container. v1 unmaps a dma whole if the range has its start; v2
// refuses to cut one. drivers/vfio/vfio_iommu_type1.c (vfio_iommu_type1_unmap_dma,
// vfio_dma_do_unmap).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import {
  VFIO_DMA_UNMAP_FLAG_ALL,
  VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
  VFIO_DMA_UNMAP_FLAG_VADDR,
  VFIO_IOMMU_TYPE1_DMA_UNMAP,
  VFIO_IOMMU_TYPE1_DMA_UNMAP_BITMAP,
} from '../../../spec/abi/vfio.ts';
import { offsetsOf, Struct } from '../command.ts';
import { lastOf, wrap } from '../u64.ts';
import { bisects } from './bisect.ts';
import { type BitmapRequest, bitmapRequest, checkBitmap, reportDirty } from './bitmap-request.ts';
import type { Dma } from './dma.ts';
import type { Type1Iommu } from './type1-iommu.ts';

const AT = offsetsOf(VFIO_IOMMU_TYPE1_DMA_UNMAP_BITMAP);
const SIZE = VFIO_IOMMU_TYPE1_DMA_UNMAP.size;
const BITMAP_SIZE = VFIO_IOMMU_TYPE1_DMA_UNMAP_BITMAP.size - SIZE;
const OTHER_FLAGS = VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR;
const KNOWN_FLAGS = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP | OTHER_FLAGS;

type Range = { readonly iova: bigint; readonly size: bigint; readonly last: bigint };

/** The requested range, or -errno. */
const rangeOf = (iommu: Type1Iommu, iova: bigint, size: bigint, isAll: boolean): Range | number => {
  const below = iommu.granule - 1n;
  const { release, defects } = iommu.kernel;
  const { findDmaWraps } = release.type1;
  if ((iova & below) !== 0n) return -ERRNO.EINVAL;
  if (isAll) {
    if ((iova | size) !== 0n) return -ERRNO.EINVAL;
    return { iova, size: U64_MAX, last: findDmaWraps ? U64_MAX - 1n : U64_MAX };
  }
  if (size === 0n || (size & below) !== 0n) return -ERRNO.EINVAL;
  const last = lastOf(iova, size);
  if (last === undefined) return iommu.reportsOverflow ? -ERRNO.EOVERFLOW : -ERRNO.EINVAL;
  if (last === U64_MAX && defects.has('type1-last-page-not-unmapped')) return -ERRNO.EINVAL;
  return { iova, size, last };
};

/** The dmas that the range removes, in ascending order. */
const taken = (iommu: Type1Iommu, { iova, last }: Range): readonly Dma[] => {
  const first = iommu.dmas.first(iova, last);
  if (first === undefined) return [];
  const list: Dma[] = [];
  let reached = false;
  for (const dma of iommu.dmas) {
    reached ||= dma === first;
    if (!reached) continue;
    if (iommu.dmas.isAfter(dma, last)) break;
    if (!iommu.version2 && iova > dma.iova) break;
    list.push(dma);
  }
  return list;
};

/** Makes the vaddrs of the dmas invalid. Returns bytes, or -EINVAL if one is invalid already. */
const invalidate = (iommu: Type1Iommu, dmas: readonly Dma[]): bigint | number => {
  if (dmas.some(({ vaddrInvalid }) => vaddrInvalid)) return -ERRNO.EINVAL;
  for (const dma of dmas) dma.vaddrInvalid = true;
  iommu.invalidAddresses += dmas.length;
  return dmas.reduce((bytes, { size }) => bytes + size, 0n);
};

/**
 * Returns the unmapped bytes, or -EFAULT if a bitmap cannot be written; earlier dmas are unmapped
 * then.
 */
const removeAll = (
  iommu: Type1Iommu,
  dmas: readonly Dma[],
  base: bigint,
  bitmap: BitmapRequest | undefined,
): bigint | number => {
  let unmapped = 0n;
  for (const dma of dmas) {
    if (bitmap !== undefined && dma.bitmap !== undefined) {
      const error = reportDirty(iommu, bitmap, dma, dma.bitmap, base);
      if (error !== 0) return error;
    }
    unmapped += dma.size;
    iommu.remove(dma);
  }
  return unmapped;
};

const unmap = (
  iommu: Type1Iommu,
  flags: number,
  iova: bigint,
  size: bigint,
  bitmap: BitmapRequest | undefined,
): bigint | number => {
  const { defects } = iommu.kernel;
  const invalidates = (flags & VFIO_DMA_UNMAP_FLAG_VADDR) !== 0;
  const isAll = (flags & VFIO_DMA_UNMAP_FLAG_ALL) !== 0;
  if (invalidates && !iommu.mayMoveAddresses) return -ERRNO.EBUSY;
  const range = rangeOf(iommu, iova, size, isAll);
  if (typeof range === 'number') return range;
  if (bitmap !== undefined && (!iommu.tracksDirty || bitmap.pageSize !== iommu.granule)) {
    return -ERRNO.EINVAL;
  }
  const refusesCuts = iommu.version2 && !isAll && !defects.has('type1-unmap-takes-cut-mappings');
  if (refusesCuts && bisects(iommu, iova, size, range.last)) return -ERRNO.EINVAL;
  const dmas = taken(iommu, range);
  return invalidates ? invalidate(iommu, dmas) : removeAll(iommu, dmas, iova, bitmap);
};

/** The requested bitmap, or -errno. */
const requestedBitmap = (
  iommu: Type1Iommu,
  argument: bigint,
  struct: Struct,
): BitmapRequest | number => {
  if ((struct.u32(AT.flags) & OTHER_FLAGS) !== 0) return -ERRNO.EINVAL;
  if (struct.u32(AT.argsz) < SIZE + BITMAP_SIZE) return -ERRNO.EINVAL;
  const bytes = iommu.kernel.user.read(argument + BigInt(SIZE), BITMAP_SIZE);
  if (bytes === undefined) return -ERRNO.EFAULT;
  const bitmap = bitmapRequest(new Struct(bytes), 0);
  return checkBitmap(bitmap, struct.u64(AT.size)) || bitmap;
};

export const unmapDma = (iommu: Type1Iommu, argument: bigint): number => {
  const { user, defects } = iommu.kernel;
  const bytes = user.read(argument, SIZE);
  if (bytes === undefined) return -ERRNO.EFAULT;
  const struct = new Struct(bytes);
  const flags = struct.u32(AT.flags);
  if (struct.u32(AT.argsz) < SIZE) return -ERRNO.EINVAL;
  if ((flags & ~KNOWN_FLAGS) !== 0) return -ERRNO.EINVAL;
  const wantsBitmap = (flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) !== 0;
  const bitmap = wantsBitmap ? requestedBitmap(iommu, argument, struct) : undefined;
  if (typeof bitmap === 'number') return bitmap;
  const unmapped = unmap(iommu, flags, struct.u64(AT.iova), struct.u64(AT.size), bitmap);
  if (typeof unmapped === 'number') return unmapped;
  if (!defects.has('type1-asked-size-written-back')) struct.setU64(AT.size, wrap(unmapped));
  return user.write(argument, struct.bytes) ? 0 : -ERRNO.EFAULT;
};
