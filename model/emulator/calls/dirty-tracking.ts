// SPDX-License-Identifier: MIT
// IOMMU_HWPT_SET_DIRTY_TRACKING and _GET_DIRTY_BITMAP. drivers/iommu/iommufd/hw_pagetable.c,
// drivers/iommu/iommufd/io_pagetable.c (iommufd_check_iova_range), drivers/iommu/iommufd/iova_bitmap.c.

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  HWPT_DIRTY_TRACKING_ENABLE,
  HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
  IOMMU_HWPT_GET_DIRTY_BITMAP,
  IOMMU_HWPT_SET_DIRTY_TRACKING,
} from '../../../spec/abi/native.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Hwpt } from '../hwpt.ts';
import { leadingAreas } from '../iopt/map.ts';
import { lastOf, trailingZeros, wrap } from '../u64.ts';

const SET = offsetsOf(IOMMU_HWPT_SET_DIRTY_TRACKING);
const GET = offsetsOf(IOMMU_HWPT_GET_DIRTY_BITMAP);

export const setDirtyTracking = (context: IommufdContext, command: Command): number => {
  const flags = command.u32(SET.flags);
  if (flags > HWPT_DIRTY_TRACKING_ENABLE) return -ERRNO.EOPNOTSUPP;
  const hwpt = context.objects.find(command.u32(SET.hwpt_id), Hwpt);
  if (hwpt === undefined) return -ERRNO.ENOENT;
  if (!hwpt.domain.dirtyTracking) return -ERRNO.EOPNOTSUPP;
  hwpt.tracking = flags === HWPT_DIRTY_TRACKING_ENABLE;
  if (hwpt.tracking) {
    for (const { start, last } of hwpt.ioas.table.areas) {
      Array.from(hwpt.domain.table.dirtyEntries(start, last, true));
    }
  }
  return 0;
};

const isOn = (unit: bigint, ...edges: readonly bigint[]): boolean =>
  edges.every((edge) => (edge & (unit - 1n)) === 0n);

/** The bitmap of the program: bit 0 of the first byte at `data` is the page at `iova`. */
type Bitmap = { readonly iova: bigint; readonly page: bigint; readonly data: bigint };

/** Bits of pages that begin before the bitmap, or that cannot be written, are lost. */
const setBits = (context: IommufdContext, bitmap: Bitmap, start: bigint, last: bigint): void => {
  if (start < bitmap.iova) return;
  const shift = BigInt(trailingZeros(bitmap.page));
  const first = (start - bitmap.iova) >> shift;
  const end = (last - bitmap.iova) >> shift;
  const { user } = context.kernel;
  const at = wrap(bitmap.data + first / 8n);
  const bytes = user.read(at, Number(end / 8n - first / 8n) + 1);
  if (bytes === undefined) return;
  for (let bit = Number(first % 8n), left = Number(end - first) + 1; left > 0; left -= 1) {
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    bit += 1;
  }
  user.write(at, bytes);
};

export const getDirtyBitmap = (context: IommufdContext, command: Command): number => {
  if (command.u32(GET.flags) > HWPT_GET_DIRTY_BITMAP_NO_CLEAR) return -ERRNO.EOPNOTSUPP;
  if (command.u32(GET.__reserved) !== 0) return -ERRNO.EOPNOTSUPP;
  const hwpt = context.objects.find(command.u32(GET.hwpt_id), Hwpt);
  if (hwpt === undefined) return -ERRNO.ENOENT;
  const iova = command.u64(GET.iova);
  const length = command.u64(GET.length);
  if (length === 0n && context.kernel.release.dirtyBitmapRefusesZeroLength) return -ERRNO.EINVAL;
  // With length 0 the last byte is the one before iova, which wraps at IOVA 0 only.
  const ends = length === 0n ? iova === 0n : lastOf(iova, length) !== undefined;
  if (!ends) return -ERRNO.EOVERFLOW;
  const end = wrap(iova + length);
  if (!isOn(hwpt.ioas.table.alignment, iova, end)) return -ERRNO.EINVAL;
  const page = command.u64(GET.page_size);
  if (page === 0n || !isOn(page, iova, end)) return -ERRNO.EINVAL;
  if (!hwpt.domain.dirtyTracking) return -ERRNO.EOPNOTSUPP;
  const bitmap: Bitmap = { iova, page, data: command.u64(GET.data) };
  const clean = command.u32(GET.flags) !== HWPT_GET_DIRTY_BITMAP_NO_CLEAR;
  for (const part of leadingAreas(hwpt.ioas.table, iova, wrap(iova + length - 1n))) {
    for (const entry of hwpt.domain.table.dirtyEntries(part.start, part.last, clean)) {
      setBits(context, bitmap, entry.start, entry.last);
    }
  }
  return 0;
};
