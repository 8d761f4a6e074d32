// SPDX-License-Identifier: MIT
// The compatibility IOAS, made when a group gets the iommufd as its container, and the no-IOMMU
// mode. drivers/iommu/iommufd/vfio_compat.c (iommufd_vfio_compat_ioas_create,
// iommufd_vfio_compat_set_no_iommu).

import { ERRNO } from '../../../spec/abi/errno.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';

/**
 * Makes one unless there is one; takes an object id meanwhile in any case. 0, or -EINVAL in
 * no-IOMMU mode.
 */
export const ensureCompatIoas = (context: IommufdContext): number => {
  const ioas = context.objects.reserve(new Ioas(context.kernel));
  const mixes = context.noIommu && !context.kernel.defects.has('noiommu-iommufd-takes-others');
  if (mixes || context.compatIoas !== undefined) {
    context.objects.free(ioas);
    return mixes ? -ERRNO.EINVAL : 0;
  }
  context.compatIoas = ioas;
  context.objects.publish(ioas);
  return 0;
};

/** 0, or -EINVAL if there is a compatibility IOAS. */
export const enterNoIommuMode = (context: IommufdContext): number => {
  if (context.compatIoas !== undefined) return -ERRNO.EINVAL;
  context.noIommu = true;
  return 0;
};
