// SPDX-License-Identifier: MIT
// Messages of DPDK (lib/eal/linux/eal_vfio.c) and SPDK (lib/env_dpdk/memory.c, once vtophys.c).

import type { Phrase } from '../phrase.ts';

const DPDK = { program: 'DPDK' } as const;
const SPDK = { program: 'SPDK' } as const;

export const dpdkPhrases: readonly Phrase[] = [
  { ...SPDK, pattern: /cannot set up DMA mapping/i, calls: ['VFIO_IOMMU_MAP_DMA'] },
  { ...SPDK, pattern: /cannot (?:clear|update) DMA mapping/i, calls: ['VFIO_IOMMU_UNMAP_DMA'] },
  {
    ...SPDK,
    pattern: /spdk_mem_register\(?\)? failed|failed to register memory region/i,
    calls: ['VFIO_IOMMU_MAP_DMA'],
  },
  { ...SPDK, pattern: /\bvtophys\.c|\bmemory\.c: ?\d+|spdk/i },
  {
    ...DPDK,
    pattern:
      /cannot set up DMA remapping|DMA remapping failed|couldn't map (?:new region|user memory) for DMA/i,
    calls: ['VFIO_IOMMU_MAP_DMA'],
  },
  {
    ...DPDK,
    pattern: /cannot clear DMA remapping|couldn't unmap region for DMA/i,
    calls: ['VFIO_IOMMU_UNMAP_DMA'],
  },
  {
    ...DPDK,
    pattern: /unexpected size \d+ of DMA remapping cleared/i,
    calls: ['VFIO_IOMMU_UNMAP_DMA'],
    causes: ['part-of-map'],
  },
  {
    ...DPDK,
    pattern: /DMA partial unmap unsupported/i,
    calls: ['VFIO_IOMMU_UNMAP_DMA'],
    causes: ['part-of-map'],
  },
  { ...DPDK, pattern: /larger hugepage size if supported/i, causes: ['entry-limit'] },
  { ...DPDK, pattern: /VFIO group is not viable/i, causes: ['group-in-use'] },
  { ...DPDK, pattern: /cannot add VFIO group to container/i, calls: ['VFIO_GROUP_SET_CONTAINER'] },
  { ...DPDK, pattern: /cannot get VFIO group status/i, calls: ['VFIO_GROUP_GET_STATUS'] },
  {
    ...DPDK,
    pattern: /set IOMMU type \d+.*failed|failed to select IOMMU type/i,
    calls: ['VFIO_SET_IOMMU'],
  },
  {
    ...DPDK,
    pattern: /no supported IOMMU extensions/i,
    calls: ['VFIO_SET_IOMMU'],
    errno: 'ENODEV',
  },
  { ...DPDK, pattern: /cannot open VFIO container/i, calls: ['open of /dev/vfio/vfio'] },
  {
    ...DPDK,
    pattern: /VFIO modules? not (?:all )?loaded|VFIO support could not be initialized/i,
    causes: ['modules-missing'],
  },
  { ...DPDK, pattern: /getting a vfio_dev_fd for .*failed/i, calls: ['VFIO_GROUP_GET_DEVICE_FD'] },
  { ...DPDK, pattern: /cannot get IOMMU group/i, causes: ['iommu-off'] },
  { ...DPDK, pattern: /not managed by VFIO driver/i, causes: ['no-group-file'] },
  { ...DPDK, pattern: /failed to open VFIO group/i, calls: ['open of /dev/vfio/N'] },
  { ...DPDK, pattern: /cannot get (?:IOMMU|device) info/i, calls: ['VFIO_IOMMU_GET_INFO'] },
  { ...DPDK, pattern: /\bEAL\b|\brte_|\bdpdk\b/i },
];
