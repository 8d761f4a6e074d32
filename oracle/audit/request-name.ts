// What a request is called in the audit. What a container is asked about is a part of the name: each number has an answer
// of its own.

import type { Operation } from '../../model/programs/program.ts';
import * as vfio from '../../spec/abi/vfio.ts';

const NAMES: ReadonlyMap<number, string> = new Map([
  [vfio.VFIO_GET_API_VERSION, 'VFIO_GET_API_VERSION'],
  [vfio.VFIO_CHECK_EXTENSION, 'VFIO_CHECK_EXTENSION'],
  [vfio.VFIO_SET_IOMMU, 'VFIO_SET_IOMMU'],
  [vfio.VFIO_GROUP_GET_STATUS, 'VFIO_GROUP_GET_STATUS'],
  [vfio.VFIO_GROUP_SET_CONTAINER, 'VFIO_GROUP_SET_CONTAINER'],
  [vfio.VFIO_GROUP_UNSET_CONTAINER, 'VFIO_GROUP_UNSET_CONTAINER'],
  [vfio.VFIO_GROUP_GET_DEVICE_FD, 'VFIO_GROUP_GET_DEVICE_FD'],
  [vfio.VFIO_IOMMU_GET_INFO, 'VFIO_IOMMU_GET_INFO'],
  [vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA'],
  [vfio.VFIO_IOMMU_UNMAP_DMA, 'VFIO_IOMMU_UNMAP_DMA'],
  [vfio.VFIO_IOMMU_ENABLE, 'VFIO_IOMMU_ENABLE'],
  [vfio.VFIO_IOMMU_DISABLE, 'VFIO_IOMMU_DISABLE'],
  [vfio.VFIO_IOMMU_DIRTY_PAGES, 'VFIO_IOMMU_DIRTY_PAGES'],
]);

const EXTENSIONS: ReadonlyMap<bigint, string> = new Map([
  [vfio.VFIO_TYPE1_IOMMU, 'TYPE1_IOMMU'],
  [vfio.VFIO_SPAPR_TCE_IOMMU, 'SPAPR_TCE_IOMMU'],
  [vfio.VFIO_TYPE1v2_IOMMU, 'TYPE1v2_IOMMU'],
  [vfio.VFIO_DMA_CC_IOMMU, 'DMA_CC_IOMMU'],
  [vfio.VFIO_EEH, 'EEH'],
  [vfio.VFIO_TYPE1_NESTING_IOMMU, 'TYPE1_NESTING_IOMMU'],
  [vfio.VFIO_SPAPR_TCE_v2_IOMMU, 'SPAPR_TCE_v2_IOMMU'],
  [vfio.VFIO_NOIOMMU_IOMMU, 'NOIOMMU_IOMMU'],
  [vfio.VFIO_UNMAP_ALL, 'UNMAP_ALL'],
  [vfio.VFIO_UPDATE_VADDR, 'UPDATE_VADDR'],
]);

const NATIVE_BASE = 0x3b80;
const NATIVE_LAST = 0x3baf;

export const requestName = (operation: Operation): string => {
  if (operation.op !== 'ioctl') return operation.op;
  const { command, argument } = operation;
  if (command >= NATIVE_BASE && command <= NATIVE_LAST) return 'calls of iommufd';
  const name = NAMES.get(command) ?? 'other numbers';
  const isAsked = command === vfio.VFIO_CHECK_EXTENSION || command === vfio.VFIO_SET_IOMMU;
  if (!isAsked || argument.kind !== 'plain' || typeof argument.value !== 'bigint') return name;
  return `${name}(${EXTENSIONS.get(argument.value) ?? 'a number without a name'})`;
};
