// The IOAS that the VFIO calls mean, made when a group gets the iommufd as its container.
// drivers/iommu/iommufd/vfio_compat.c (iommufd_vfio_compat_ioas_create).

import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';

/** Makes one unless there is one. A number is taken meanwhile in either case. */
export const ensureCompatIoas = (context: IommufdContext): void => {
  const ioas = context.objects.reserve(new Ioas(context.kernel));
  if (context.compatIoas !== undefined) {
    context.objects.free(ioas);
    return;
  }
  context.compatIoas = ioas;
  context.objects.publish(ioas);
};
