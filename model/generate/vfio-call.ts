// SPDX-License-Identifier: MIT
// MAP_DMA and UNMAP_DMA with their structs, as both containers take them.

import { VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA } from '../../spec/abi/vfio.ts';

export const MAP_DMA = {
  command: VFIO_IOMMU_MAP_DMA,
  layout: 'VFIO_IOMMU_MAP_DMA',
  size: 32,
} as const;

export const UNMAP_DMA = {
  command: VFIO_IOMMU_UNMAP_DMA,
  layout: 'VFIO_IOMMU_UNMAP_DMA',
  size: 24,
} as const;
