// IOMMU_HWPT_SET_DIRTY_TRACKING and _GET_DIRTY_BITMAP, of domains in which nothing is ever dirty.
// drivers/iommu/iommufd/hw_pagetable.c, drivers/iommu/iommufd/io_pagetable.c (iommufd_check_iova_range).

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
import { lastOf, wrap } from '../u64.ts';

const SET = offsetsOf(IOMMU_HWPT_SET_DIRTY_TRACKING);
const GET = offsetsOf(IOMMU_HWPT_GET_DIRTY_BITMAP);

export const setDirtyTracking = (context: IommufdContext, command: Command): number => {
  const flags = command.u32(SET.flags);
  if (flags > HWPT_DIRTY_TRACKING_ENABLE) return -ERRNO.EOPNOTSUPP;
  const hwpt = context.objects.find(command.u32(SET.hwpt_id), Hwpt);
  if (hwpt === undefined) return -ERRNO.ENOENT;
  if (!hwpt.domain.dirtyTracking) return -ERRNO.EOPNOTSUPP;
  hwpt.tracking = flags === HWPT_DIRTY_TRACKING_ENABLE;
  return 0;
};

const isOn = (unit: bigint, ...edges: readonly bigint[]): boolean =>
  edges.every((edge) => (edge & (unit - 1n)) === 0n);

export const getDirtyBitmap = (context: IommufdContext, command: Command): number => {
  if (command.u32(GET.flags) > HWPT_GET_DIRTY_BITMAP_NO_CLEAR) return -ERRNO.EOPNOTSUPP;
  if (command.u32(GET.__reserved) !== 0) return -ERRNO.EOPNOTSUPP;
  const hwpt = context.objects.find(command.u32(GET.hwpt_id), Hwpt);
  if (hwpt === undefined) return -ERRNO.ENOENT;
  const iova = command.u64(GET.iova);
  const length = command.u64(GET.length);
  if (length === 0n && context.kernel.release.bitmapsHaveLength) return -ERRNO.EINVAL;
  // Of no bytes the last one is the one before the first, which there is none of but below IOVA 0, where it wraps.
  const ends = length === 0n ? iova === 0n : lastOf(iova, length) !== undefined;
  if (!ends) return -ERRNO.EOVERFLOW;
  const end = wrap(iova + length);
  if (!isOn(hwpt.ioas.table.alignment, iova, end)) return -ERRNO.EINVAL;
  const page = command.u64(GET.page_size);
  if (page === 0n || !isOn(page, iova, end)) return -ERRNO.EINVAL;
  return hwpt.domain.dirtyTracking ? 0 : -ERRNO.EOPNOTSUPP;
};
