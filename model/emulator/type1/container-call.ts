// SPDX-License-Identifier: MIT
// The calls on a legacy container: three that always work, and those that SET_IOMMU makes possible.
// drivers/vfio/container.c (vfio_fops_unl_ioctl), drivers/vfio/vfio_iommu_type1.c
// (vfio_iommu_type1_ioctl).

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  VFIO_API_VERSION,
  VFIO_CHECK_EXTENSION,
  VFIO_DMA_CC_IOMMU,
  VFIO_GET_API_VERSION,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_NOIOMMU_IOMMU,
  VFIO_SET_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1_NESTING_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  VFIO_UNMAP_ALL,
  VFIO_UPDATE_VADDR,
} from '../../../spec/abi/vfio.ts';
import type { Container } from './container.ts';
import { dirtyPages } from './dirty-pages.ts';
import { getInfo } from './get-info.ts';
import { mapDma } from './map-dma.ts';
import type { Type1Iommu } from './type1-iommu.ts';
import { unmapDma } from './unmap-dma.ts';

/** Without groups every driver is asked, with groups only the driver that can serve them. */
const checkExtension = (container: Container, extension: bigint): boolean =>
  (container.mayUse('noiommu') && hasNoIommuExtension(container, extension)) ||
  (container.mayUse('type1') && hasType1Extension(container, extension));

const hasNoIommuExtension = ({ kernel }: Container, extension: bigint): boolean =>
  extension === VFIO_NOIOMMU_IOMMU && kernel.platform.noIommuEnabled === true;

const hasType1Extension = ({ kernel, iommu }: Container, extension: bigint): boolean => {
  switch (extension) {
    case VFIO_TYPE1_IOMMU:
    case VFIO_TYPE1v2_IOMMU:
    case VFIO_UNMAP_ALL:
      return true;
    case VFIO_TYPE1_NESTING_IOMMU:
      return kernel.release.type1.knowsNesting;
    case VFIO_UPDATE_VADDR:
      return iommu?.mayMoveAddresses === true;
    case VFIO_DMA_CC_IOMMU:
      return iommu?.domains.every(({ hardware }) => hardware.enforcesCacheCoherency) === true;
    default:
      return false;
  }
};

const iommuCall = (iommu: Type1Iommu, command: number, argument: bigint): number => {
  switch (command) {
    case VFIO_IOMMU_GET_INFO:
      return getInfo(iommu, argument);
    case VFIO_IOMMU_MAP_DMA:
      return mapDma(iommu, argument);
    case VFIO_IOMMU_UNMAP_DMA:
      return unmapDma(iommu, argument);
    case VFIO_IOMMU_DIRTY_PAGES:
      return dirtyPages(iommu, argument);
    default:
      return -ERRNO.ENOTTY;
  }
};

export const containerCall = (container: Container, command: number, argument: bigint): number => {
  switch (command) {
    case VFIO_GET_API_VERSION:
      return VFIO_API_VERSION;
    case VFIO_CHECK_EXTENSION:
      return checkExtension(container, argument) ? 1 : 0;
    case VFIO_SET_IOMMU:
      return container.setIommu(argument);
    default:
      if (container.hasNoIommu) return -ERRNO.ENOTTY;
      return container.iommu === undefined
        ? -ERRNO.EINVAL
        : iommuCall(container.iommu, command, argument);
  }
};
