// SPDX-License-Identifier: MIT
// The IOAS that the VFIO calls mean, made when a group gets the iommufd as its container, and the mode without one.
// drivers/iommu/iommufd/vfio_compat.c (iommufd_vfio_compat_ioas_create, iommufd_vfio_compat_set_no_iommu).

import { ERRNO } from '../../../spec/abi/errno.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';

/** Makes one unless there is one. A number is taken meanwhile in any case. 0, or -EINVAL in the mode without IOMMU. */
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

/** 0, or -EINVAL where something was mapped or could be. */
export const enterNoIommuMode = (context: IommufdContext): number => {
  if (context.compatIoas !== undefined) return -ERRNO.EINVAL;
  context.noIommu = true;
  return 0;
};
