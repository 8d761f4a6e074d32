// SPDX-License-Identifier: MIT
// The VFIO container's calls on an iommufd. drivers/iommu/iommufd/vfio_compat.c (iommufd_vfio_ioctl).

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  VFIO_API_VERSION,
  VFIO_CHECK_EXTENSION,
  VFIO_GET_API_VERSION,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
} from '../../../spec/abi/vfio.ts';
import type { IommufdContext } from '../context.ts';
import { checkExtension } from './check-extension.ts';
import { getInfo } from './get-info.ts';
import { mapDma } from './map-dma.ts';
import { setIommu } from './set-iommu.ts';
import { unmapDma } from './unmap-dma.ts';

export const compatCall = (context: IommufdContext, command: number, argument: bigint): number => {
  switch (command) {
    case VFIO_GET_API_VERSION:
      return VFIO_API_VERSION;
    case VFIO_SET_IOMMU:
      return setIommu(context, argument);
    case VFIO_CHECK_EXTENSION:
      return checkExtension(context, argument);
    case VFIO_IOMMU_GET_INFO:
      return getInfo(context, argument);
    case VFIO_IOMMU_MAP_DMA:
      return mapDma(context, argument);
    case VFIO_IOMMU_UNMAP_DMA:
      return unmapDma(context, argument);
    default:
      return -ERRNO.ENOTTY;
  }
};
