// SPDX-License-Identifier: MIT
// VFIO_SET_IOMMU. drivers/iommu/iommufd/vfio_compat.c (iommufd_vfio_set_iommu).

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  VFIO_NOIOMMU_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1v2_IOMMU,
} from '../../../spec/abi/vfio.ts';
import type { IommufdContext } from '../context.ts';

export const setIommu = (context: IommufdContext, type: bigint): number => {
  const { kernel, noIommu } = context;
  if (noIommu && type === VFIO_NOIOMMU_IOMMU && kernel.platform.noIommuConfigured) {
    return kernel.credentials.privileged ? 0 : -ERRNO.EPERM;
  }
  if (noIommu || (type !== VFIO_TYPE1_IOMMU && type !== VFIO_TYPE1v2_IOMMU)) return -ERRNO.EINVAL;
  const ioas = context.compatIoas;
  if (ioas === undefined) return -ERRNO.ENODEV;
  return type === VFIO_TYPE1_IOMMU ? ioas.table.disableLargePages() : 0;
};
