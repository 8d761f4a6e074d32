// SPDX-License-Identifier: MIT
// The bitmap of dirty pages that a program asks for, and its bits. drivers/vfio/vfio_iommu_type1.c
// (verify_bitmap_size, update_user_bitmap).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { DIRTY_BITMAP_SIZE_MAX } from '../../../spec/abi/vfio.ts';
import { Struct } from '../command.ts';
import { TASK_END_BYTES } from '../memory/address-space.ts';
import { trailingZeros, wrap } from '../u64.ts';
import { bitmapBytes, type DirtyBitmap } from './dirty-bitmap.ts';
import type { Dma } from './dma.ts';
import type { Type1Iommu } from './type1-iommu.ts';

/** struct vfio_bitmap: bytes of a page, bytes of the bitmap, its address. */
export type BitmapRequest = {
  readonly pageSize: bigint;
  readonly size: bigint;
  readonly data: bigint;
};

/** Reads the three words at an offset. */
export const bitmapRequest = (struct: Struct, offset: number): BitmapRequest => ({
  pageSize: struct.u64(offset),
  size: struct.u64(offset + 8),
  data: struct.u64(offset + 16),
});

/**
 * 0, or -EINVAL if the bitmap is not in user memory, or too small or too large for `length` bytes
 * of pages.
 */
export const checkBitmap = ({ pageSize, size, data }: BitmapRequest, length: bigint): number => {
  if (data + size > TASK_END_BYTES) return -ERRNO.EINVAL;
  // x86 takes a shift by 64 as a shift by 0.
  const pages = pageSize === 0n ? length : length >> BigInt(trailingZeros(pageSize));
  if (pages === 0n || size === 0n || size > DIRTY_BITMAP_SIZE_MAX) return -ERRNO.EINVAL;
  return size < (wrap(pages + 63n) / 64n) * 8n ? -ERRNO.EINVAL : 0;
};

const WORD_BITS = 64n;
/** Words copied at a time. */
const CHUNK = 512;

const copyOut = (iommu: Type1Iommu, bitmap: DirtyBitmap, to: bigint, bytes: bigint): number => {
  const words = Number(bytes / 8n);
  for (let first = 0; first < words; first += CHUNK) {
    const part = bitmap.bytes(first, Math.min(CHUNK, words - first));
    if (!iommu.kernel.user.write(to + BigInt(first) * 8n, part)) return -ERRNO.EFAULT;
  }
  return 0;
};

/** Writes the dirty pages of a dma into a bitmap that begins at IOVA `base`. 0, or -EFAULT. */
export const reportDirty = (
  iommu: Type1Iommu,
  { data }: BitmapRequest,
  dma: Dma,
  bitmap: DirtyBitmap,
  base: bigint,
): number => {
  const pages = iommu.pagesOf(dma);
  const offset = (dma.iova - base) >> BigInt(iommu.shift);
  const address = data + (offset / WORD_BITS) * 8n;
  const shift = iommu.kernel.defects.has('type1-bitmap-not-shifted')
    ? 0
    : Number(offset % WORD_BITS);
  if (iommu.unreportedWriters > 0 && dma.iommuMapped) bitmap.setFirst(pages);
  if (shift > 0) {
    bitmap.shift(shift, pages + shift);
    const word = iommu.kernel.user.read(address, 8);
    if (word === undefined) return -ERRNO.EFAULT;
    bitmap.orFirstWord(new Struct(word).u64(0));
  }
  return copyOut(iommu, bitmap, address, bitmapBytes(BigInt(pages + shift)));
};
