// IOMMU_HWPT_SET_DIRTY_TRACKING: iommufd_hwpt_set_dirty_tracking() in drivers/iommu/iommufd/hw_pagetable.c. Its reserved
// field is not looked at.

import { decode } from '../abi/layout.ts';
import { HWPT_DIRTY_TRACKING_ENABLE, IOMMU_HWPT_SET_DIRTY_TRACKING } from '../abi/native.ts';
import { failed, succeeded } from '../outcome/outcome.ts';
import { hwptAt, withObject } from '../state/context.ts';
import { withContext } from '../state/world.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { contextOfRequest, type Handler } from './request.ts';

export const hwptSetDirtyTrackingRules = rulesOf(
  {
    id: 'hwpt-set-dirty-tracking',
    title: 'IOMMU_HWPT_SET_DIRTY_TRACKING',
    source: 'iommufd_hwpt_set_dirty_tracking() in drivers/iommu/iommufd/hw_pagetable.c',
  },
  {
    unknownFlags: refuses('EOPNOTSUPP', 'A flag other than ENABLE is set.'),
    noHwpt: refuses('ENOENT', 'There is no paging hwpt of that id.'),
    noDirtyTracking: refuses(
      'EOPNOTSUPP',
      'The hwpt was not made with DIRTY_TRACKING; starting and stopping are refused alike.',
      'iopt_set_dirty_tracking() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    sets: grants(
      'Dirty pages are tracked, with none dirty yet, or not tracked any more, with those dirty that were; it may have been so before.',
      'iopt_set_dirty_tracking() in drivers/iommu/iommufd/io_pagetable.c',
    ),
  },
);

export const hwptSetDirtyTracking: Handler = (request) => {
  const { world } = request;
  const { flags, hwpt_id } = decode(IOMMU_HWPT_SET_DIRTY_TRACKING, request.bytes);
  if ((flags & ~HWPT_DIRTY_TRACKING_ENABLE) !== 0) {
    return [failed(hwptSetDirtyTrackingRules.unknownFlags, world)];
  }
  const context = contextOfRequest(request);
  const hwpt = hwptAt(context, hwpt_id);
  if (hwpt === undefined) return [failed(hwptSetDirtyTrackingRules.noHwpt, world)];
  if (!hwpt.domain.tracksDirty) return [failed(hwptSetDirtyTrackingRules.noDirtyTracking, world)];
  const tracking = (flags & HWPT_DIRTY_TRACKING_ENABLE) !== 0;
  const dirty = tracking && world.release.mockEntriesAreDirty ? [] : hwpt.dirty;
  const after = withContext(world, withObject(context, hwpt_id, { ...hwpt, tracking, dirty }));
  return [succeeded(hwptSetDirtyTrackingRules.sets, after)];
};
