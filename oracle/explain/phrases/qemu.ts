// SPDX-License-Identifier: MIT
// Messages of QEMU (hw/vfio, backends/iommufd.c; old and new wording) and of libvirt, which passes them on.

import type { Phrase } from '../phrase.ts';

const QEMU = { program: 'QEMU' } as const;

export const qemuPhrases: readonly Phrase[] = [
  { ...QEMU, pattern: /\bvfio_dma_map\b/, calls: ['VFIO_IOMMU_MAP_DMA'] },
  {
    ...QEMU,
    pattern: /\bvfio_container_dma_map\b/,
    calls: ['VFIO_IOMMU_MAP_DMA', 'IOMMU_IOAS_MAP'],
  },
  {
    ...QEMU,
    pattern: /\bvfio(?:_container)?_dma_unmap(?:_bitmap)?\b/,
    calls: ['VFIO_IOMMU_UNMAP_DMA', 'IOMMU_IOAS_UNMAP'],
  },
  { ...QEMU, pattern: /\bVFIO_MAP_DMA\b/, calls: ['VFIO_IOMMU_MAP_DMA'] },
  { ...QEMU, pattern: /\bVFIO_UNMAP_DMA\b/, calls: ['VFIO_IOMMU_UNMAP_DMA'] },
  {
    ...QEMU,
    pattern: /iommufd_backend_map_dma|IOMMU_IOAS_MAP failed/,
    calls: ['IOMMU_IOAS_MAP'],
  },
  { ...QEMU, pattern: /iommufd_backend_map_file_dma/, calls: ['IOMMU_IOAS_MAP_FILE'] },
  { ...QEMU, pattern: /iommufd_backend_unmap_dma/, calls: ['IOMMU_IOAS_UNMAP'] },
  {
    ...QEMU,
    pattern: /DMA mapping failed, unable to continue/,
    calls: ['VFIO_IOMMU_MAP_DMA', 'IOMMU_IOAS_MAP'],
  },
  {
    ...QEMU,
    pattern: /can't map guest IOVA region/,
    calls: ['VFIO_IOMMU_MAP_DMA', 'IOMMU_IOAS_MAP'],
    errno: 'EINVAL',
  },
  {
    ...QEMU,
    pattern: /received unaligned region/,
    calls: ['VFIO_IOMMU_MAP_DMA', 'IOMMU_IOAS_MAP'],
    errno: 'EINVAL',
    causes: ['misaligned'],
  },
  { ...QEMU, pattern: /error attach .+ to id=/, calls: ['VFIO_DEVICE_ATTACH_IOMMUFD_PT'] },
  { ...QEMU, pattern: /error bind device fd=/, calls: ['VFIO_DEVICE_BIND_IOMMUFD'] },
  { ...QEMU, pattern: /Failed to allocate hwpt/, calls: ['IOMMU_HWPT_ALLOC'] },
  { ...QEMU, pattern: /Failed to allocate ioas/, calls: ['IOMMU_IOAS_ALLOC'] },
  { ...QEMU, pattern: /Failed to get hardware info/, calls: ['IOMMU_GET_HW_INFO'] },
  { ...QEMU, pattern: /failed to set iommu for container/i, calls: ['VFIO_SET_IOMMU'] },
  {
    ...QEMU,
    pattern: /failed to set (?:group container|container for group)/i,
    calls: ['VFIO_GROUP_SET_CONTAINER'],
  },
  { ...QEMU, pattern: /No available IOMMU models/, calls: ['VFIO_SET_IOMMU'], errno: 'ENODEV' },
  { ...QEMU, pattern: /failed to get group \d+ status/i, calls: ['VFIO_GROUP_GET_STATUS'] },
  { ...QEMU, pattern: /failed to get VFIO IOMMU info/i, calls: ['VFIO_IOMMU_GET_INFO'] },
  {
    ...QEMU,
    pattern: /failed to set dirty tracking flag|get dirty bitmap/i,
    calls: ['VFIO_IOMMU_DIRTY_PAGES'],
  },
  {
    ...QEMU,
    pattern: /error getting device .*from group/i,
    calls: ['VFIO_GROUP_GET_DEVICE_FD'],
  },
  { ...QEMU, pattern: /group \d+ is not viable/i, causes: ['group-in-use'] },
  { ...QEMU, pattern: /used in multiple address spaces/, causes: ['group-in-two-spaces'] },
  { ...QEMU, pattern: /no iommu_group found/, causes: ['iommu-off', 'modules-missing'] },
  { ...QEMU, pattern: /failed to find vfio-dev/, causes: ['no-group-file'] },
  {
    ...QEMU,
    pattern: /couldn't open directory .*\/vfio-dev/,
    calls: ['open of /dev/vfio/devices/vfioN'],
  },
  {
    ...QEMU,
    pattern: /map backing store for guest RAM|preallocate memory|os_mem_prealloc/,
    causes: ['no-memory-behind'],
  },
  { ...QEMU, pattern: /device is already attached/, causes: ['device-busy'] },
  { ...QEMU, pattern: /stuck in D3|Unknown header type/i, causes: ['driver-refuses'] },
  { pattern: /\biommufd=\w+/, paths: ['native'] },
  { ...QEMU, pattern: /running out of DMA mappings/, causes: ['entry-limit'] },
  { ...QEMU, pattern: /peer-to-peer transactions on BARs/i, hints: ['bar'] },
  { ...QEMU, pattern: /Failed to mmap .* BAR \d+/, causes: ['bar-in-use'] },
  { pattern: /\bBAR \d+(?: mmaps\[\d+\])?:? /, hints: ['bar'] },
  {
    pattern: /Region \S*(?:ram|mem)\S*:|memory listener initialization failed: Region \S*ram/i,
    hints: ['guest-memory'],
  },
  {
    program: 'libvirt',
    pattern:
      /(?:limit|RLIMIT_MEMLOCK|locked) (?:locked )?memory (?:of process|for)|set.*RLIMIT_MEMLOCK/,
    causes: ['memlock'],
  },
  {
    program: 'libvirt',
    pattern: /host doesn't support (?:VFIO PCI|passthrough of host PCI)/,
    causes: ['iommu-off', 'modules-missing'],
  },
  { program: 'libvirt', pattern: /PCI device .* is in use by/, causes: ['device-busy'] },
  { ...QEMU, pattern: /\bqemu\b|qemu-(?:system|kvm)|QEMU\[|\bkvm: |-device vfio-pci/i },
  { program: 'libvirt', pattern: /libvirt/i },
];

/** Prefixes of messages, which decide only if nothing else does. */
export const prefixPhrases: readonly Phrase[] = [
  {
    ...QEMU,
    pattern: /failed to set ?up container|cannot set ?up container/i,
    calls: ['VFIO_GROUP_SET_CONTAINER', 'VFIO_SET_IOMMU', 'open of /dev/vfio/vfio'],
  },
];
