// SPDX-License-Identifier: MIT
// VFIO_CHECK_EXTENSION. drivers/iommu/iommufd/vfio_compat.c (iommufd_vfio_check_extension).

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  VFIO_DMA_CC_IOMMU,
  VFIO_NOIOMMU_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  VFIO_UNMAP_ALL,
} from '../../../spec/abi/vfio.ts';
import type { IommufdContext } from '../context.ts';

const everyDomainIsCoherent = (context: IommufdContext): number => {
  const { compatIoas, kernel } = context;
  if (compatIoas === undefined) return -ERRNO.ENODEV;
  if (kernel.defects.has('coherency-always-yes')) return 1;
  return compatIoas.hwpts.every((hwpt) => hwpt.enforcesCacheCoherency) ? 1 : 0;
};

export const checkExtension = (context: IommufdContext, extension: bigint): number => {
  switch (extension) {
    case VFIO_TYPE1_IOMMU:
    case VFIO_TYPE1v2_IOMMU:
    case VFIO_UNMAP_ALL:
      return context.noIommu && !context.kernel.defects.has('type1-reported-without-iommu') ? 0 : 1;
    case VFIO_NOIOMMU_IOMMU:
      return context.kernel.platform.noIommuConfigured ? 1 : 0;
    case VFIO_DMA_CC_IOMMU:
      return everyDomainIsCoherent(context);
    default:
      return 0;
  }
};
