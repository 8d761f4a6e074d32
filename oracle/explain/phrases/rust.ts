// SPDX-License-Identifier: MIT
// Messages of the programs in Rust: cloud-hypervisor and others with the crates vfio-ioctls and iommufd-ioctls, and
// crosvm. An error is printed as a sentence, or as the names of its variants.

import type { Phrase } from '../phrase.ts';

export const rustPhrases: readonly Phrase[] = [
  {
    pattern: /\bVfioDmaMap\(|failed to DMA map VFIO device/i,
    program: 'cloud-hypervisor',
    hints: ['guest-memory'],
  },
  {
    pattern: /\bVfioMapRegion\(|map VFIO MMIO region/i,
    program: 'cloud-hypervisor',
    hints: ['bar'],
  },
  {
    pattern: /\bIommuDmaMap\b|guest memory map into iommu table/,
    calls: ['VFIO_IOMMU_MAP_DMA'],
  },
  {
    pattern: /failed to map an IOVA range to the IOAS|\bIommuIoasMap\b/,
    calls: ['IOMMU_IOAS_MAP'],
  },
  {
    pattern: /\bIommuDmaUnmap\b|guest memory map from iommu table/,
    calls: ['VFIO_IOMMU_UNMAP_DMA'],
  },
  { pattern: /\bIommuIoasUnmap\b|failed to unmap an IOVA range/i, calls: ['IOMMU_IOAS_UNMAP'] },
  { pattern: /\bOpenContainer\(|vfio\/vfio container:/, calls: ['open of /dev/vfio/vfio'] },
  {
    pattern: /\bOpenGroup\(|failed to open \/dev\/vfio\/\S+ group/,
    calls: ['open of /dev/vfio/N'],
  },
  { pattern: /\bOpenDeviceCdev\b|open device cdev/, calls: ['open of /dev/vfio/devices/vfioN'] },
  { pattern: /\bGroupViable\b|group is (?:not |in)viable/i, causes: ['group-in-use'] },
  {
    pattern: /\bGroupSetContainer\b|add vfio group into vfio container/,
    calls: ['VFIO_GROUP_SET_CONTAINER'],
  },
  {
    pattern: /\bContainerSetIOMMU\b|set container's IOMMU (?:driver )?type/,
    calls: ['VFIO_SET_IOMMU'],
  },
  { pattern: /\bVfioType1V2\b(?!:)|doesn't support VfioType1V2/, causes: ['type-unknown'] },
  { pattern: /\bGroupGetDeviceFD\b|get vfio device fd/, calls: ['VFIO_GROUP_GET_DEVICE_FD'] },
  {
    pattern: /\bVfioDeviceBindIommufd\b|bind the vfio device to the specified iommufd/,
    calls: ['VFIO_DEVICE_BIND_IOMMUFD'],
  },
  {
    pattern: /\bVfioDeviceAttachIommufdPt\b|associate the vfio device with an IOAS/,
    calls: ['VFIO_DEVICE_ATTACH_IOMMUFD_PT'],
  },
  { pattern: /\bVfioNoIommuGroup\b/, causes: ['iommu-off'] },
  {
    pattern: /IommufdCreate|cannot create iommufd|open \/dev\/iommu/i,
    calls: ['open of /dev/iommu'],
  },
  { pattern: /cloud-hypervisor|\bVmBoot\(|DeviceManager\(/, program: 'cloud-hypervisor' },
  { pattern: /crosvm/, program: 'crosvm' },
];
