// SPDX-License-Identifier: MIT
// IOMMU_HWPT_SET_DIRTY_TRACKING: iommufd_hwpt_set_dirty_tracking() in drivers/iommu/iommufd/hw_pagetable.c. __reserved
// is not checked.

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
    noHwpt: refuses('ENOENT', 'No paging hwpt has the id hwpt_id.'),
    noDirtyTracking: refuses(
      'EOPNOTSUPP',
      'The hwpt was allocated without DIRTY_TRACKING; ENABLE makes no difference.',
      'iopt_set_dirty_tracking() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    sets: grants(
      'With ENABLE starts tracking, with every page clean; without it stops, and dirty pages stay dirty. Both can be repeated.',
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
