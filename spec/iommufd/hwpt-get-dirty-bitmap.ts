// IOMMU_HWPT_GET_DIRTY_BITMAP, as far as no page is dirty: iommufd_hwpt_get_dirty_bitmap() in
// drivers/iommu/iommufd/hw_pagetable.c. What walks the range may fail, and the kernel does not tell; the bitmap is touched
// only where a bit is set in it.

import { decode } from '../abi/layout.ts';
import { HWPT_GET_DIRTY_BITMAP_NO_CLEAR, IOMMU_HWPT_GET_DIRTY_BITMAP } from '../abi/native.ts';
import { U64_MAX } from '../abi/units.ts';
import { failed, succeeded } from '../outcome.ts';
import type { Release } from '../releases.ts';
import { grants, type Rule, refuses, rulesOf } from '../rule.ts';
import { hwptAt, tableOf } from './context.ts';
import { unspecified } from './forget.ts';
import { contextOfRequest, type Handler } from './request.ts';

const CHECKED = 'iommufd_check_iova_range() in drivers/iommu/iommufd/io_pagetable.c';

export const hwptGetDirtyBitmapRules = rulesOf(
  'IOMMU_HWPT_GET_DIRTY_BITMAP',
  'iommufd_hwpt_get_dirty_bitmap() in drivers/iommu/iommufd/hw_pagetable.c',
  {
    unknownFlags: refuses(
      'EOPNOTSUPP',
      'A flag other than NO_CLEAR is set, or __reserved is not 0.',
    ),
    noHwpt: refuses('ENOENT', 'There is no paging hwpt of that id.'),
    noLength: { ...refuses('EINVAL', 'length is 0.', CHECKED), only: ['7.3.4'] },
    wraps: refuses(
      'EOVERFLOW',
      'The IOVA and the length together pass the end of the address space; a length of 0, where it is not refused, counts as 2^64.',
      CHECKED,
    ),
    misaligned: refuses(
      'EINVAL',
      "The range does not begin and end on a multiple of the IOAS's alignment.",
      CHECKED,
    ),
    noPageSize: refuses('EINVAL', 'page_size is 0.', CHECKED),
    splitsPage: refuses(
      'EINVAL',
      'The beginning or the end of the range has a bit in common with page_size - 1.',
      CHECKED,
    ),
    cannotTrack: refuses(
      'EOPNOTSUPP',
      'The hwpt was not made with DIRTY_TRACKING.',
      'iommu_read_and_clear_dirty() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    nothingDirty: grants(
      'No page is dirty: the bitmap stays as it is, also where it could not be written; whether the range is mapped, and whether pages are tracked at all, is not told.',
      'iommu_read_and_clear_dirty() in drivers/iommu/iommufd/io_pagetable.c',
    ),
  },
);

/** Why the range and the size of its pages are refused, in the order in which they are looked at. */
const badRange = (
  iova: bigint,
  length: bigint,
  pageSize: bigint,
  alignment: bigint,
  release: Release,
): Rule | undefined => {
  if (length === 0n && release.bitmapsHaveLength) return hwptGetDirtyBitmapRules.noLength;
  const end = iova + BigInt.asUintN(64, length - 1n) + 1n;
  if (end - 1n > U64_MAX) return hwptGetDirtyBitmapRules.wraps;
  if (((iova | end) & (alignment - 1n)) !== 0n) return hwptGetDirtyBitmapRules.misaligned;
  if (pageSize === 0n) return hwptGetDirtyBitmapRules.noPageSize;
  const inside = (iova | BigInt.asUintN(64, end)) & (pageSize - 1n);
  return inside === 0n ? undefined : hwptGetDirtyBitmapRules.splitsPage;
};

export const hwptGetDirtyBitmap: Handler = (request) => {
  const { world } = request;
  const fields = decode(IOMMU_HWPT_GET_DIRTY_BITMAP, request.bytes);
  if ((fields.flags & ~HWPT_GET_DIRTY_BITMAP_NO_CLEAR) !== 0 || fields.__reserved !== 0) {
    return [failed(hwptGetDirtyBitmapRules.unknownFlags, world)];
  }
  const context = contextOfRequest(request);
  const hwpt = hwptAt(context, fields.hwpt_id);
  if (hwpt === undefined) return [failed(hwptGetDirtyBitmapRules.noHwpt, world)];
  const { alignment } = tableOf(context, hwpt.ioas);
  const bad = badRange(fields.iova, fields.length, fields.page_size, alignment, world.release);
  if (bad !== undefined) return [failed(bad, world)];
  if (!hwpt.domain.tracksDirty) return [failed(hwptGetDirtyBitmapRules.cannotTrack, world)];
  if (hwpt.dirtyTracking === 'doubtful') {
    return [unspecified(world, 'IOMMU_HWPT_GET_DIRTY_BITMAP of pages that a test has written')];
  }
  return [succeeded(hwptGetDirtyBitmapRules.nothingDirty, world)];
};
