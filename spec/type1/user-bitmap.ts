// SPDX-License-Identifier: MIT
// The bitmap that a program passes to DIRTY_PAGES or UNMAP_DMA, and the checks of it, which come before any map is
// searched. verify_bitmap_size() in drivers/vfio/vfio_iommu_type1.c.

import { U64_MAX } from '../abi/units.ts';
import { DIRTY_BITMAP_SIZE_MAX } from '../abi/vfio.ts';
import { bitmapBytes } from './dirty-bitmap.ts';

export type UserBitmap = {
  /** Bytes of IOVAs for each bit. */
  readonly pageSize: bigint;
  /** Bytes of the bitmap. */
  readonly size: bigint;
  readonly address: bigint;
};

export const userBitmapOf = (fields: {
  readonly bitmap_pgsize: bigint;
  readonly bitmap_size: bigint;
  readonly bitmap_data: bigint;
}): UserBitmap => ({
  pageSize: fields.bitmap_pgsize,
  size: fields.bitmap_size,
  address: fields.bitmap_data,
});

/** The end of user memory depends on the processor: four or five levels of page tables, or masked addresses. */
const LOWER_USER_END = (1n << 47n) - 4096n;
const UPPER_USER_END = (1n << 63n) - 4096n;

/** Whether the bitmap is in user memory, mapped or not; 'unknown' if that depends on the processor. */
export const liesInUserMemory = ({ address, size }: UserBitmap): boolean | 'unknown' => {
  const end = address + size;
  if (end > U64_MAX || end > UPPER_USER_END) return false;
  return end <= LOWER_USER_END ? true : 'unknown';
};

/** The number of the lowest set bit. Without one the kernel shifts by 64, which does nothing on x86-64. */
const shiftOf = (pageSize: bigint): bigint => {
  if (pageSize === 0n) return 0n;
  let shift = 0n;
  while (((pageSize >> shift) & 1n) === 0n) shift += 1n;
  return shift;
};

/** Whether the bitmap has room for the pages of `length` bytes, and is not longer than the kernel allows. */
export const hasRoom = ({ pageSize, size }: UserBitmap, length: bigint): boolean => {
  const pages = length >> shiftOf(pageSize);
  return pages > 0n && size > 0n && size <= DIRTY_BITMAP_SIZE_MAX && size >= bitmapBytes(pages);
};
