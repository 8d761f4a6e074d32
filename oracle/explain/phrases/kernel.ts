// SPDX-License-Identifier: MIT
// Lines of the kernel's log (vfio_iommu_type1.c, iommufd's device.c, the IOMMU drivers).

import type { Phrase } from '../phrase.ts';

const KERNEL = { program: 'the kernel' } as const;

export const kernelPhrases: readonly Phrase[] = [
  {
    ...KERNEL,
    pattern: /RLIMIT_MEMLOCK \(\d+\) exceeded/,
    calls: ['VFIO_IOMMU_MAP_DMA'],
    errno: 'ENOMEM',
    paths: ['type1'],
    causes: ['memlock'],
  },
  {
    ...KERNEL,
    pattern: /No interrupt remapping support/,
    calls: ['VFIO_SET_IOMMU'],
    errno: 'EPERM',
    paths: ['type1'],
    causes: ['interrupts'],
  },
  {
    ...KERNEL,
    pattern: /MSI interrupts are not secure/,
    calls: ['VFIO_DEVICE_BIND_IOMMUFD'],
    errno: 'EPERM',
    causes: ['interrupts'],
  },
  {
    ...KERNEL,
    pattern: /requested this device have a 1:1 IOMMU mapping/,
    calls: ['VFIO_GROUP_SET_CONTAINER', 'VFIO_DEVICE_BIND_IOMMUFD'],
    errno: 'EINVAL',
    hints: ['firmware'],
    causes: ['firmware-mapping'],
  },
  {
    ...KERNEL,
    pattern: /ineligible for IOMMU domain attach due to platform RMRR/,
    calls: ['VFIO_SET_IOMMU'],
    errno: 'EPERM',
    hints: ['firmware'],
    causes: ['firmware-mapping'],
  },
  {
    ...KERNEL,
    pattern: /iommu width \(\d+\) is not sufficient for the mapped address/,
    calls: ['VFIO_IOMMU_MAP_DMA', 'IOMMU_IOAS_MAP'],
    errno: 'EFAULT',
    causes: ['beyond-aperture'],
  },
  {
    ...KERNEL,
    pattern: /vfio_pin_pages failed for gfn/,
    calls: ['VFIO_IOMMU_MAP_DMA'],
  },
  {
    ...KERNEL,
    pattern: /DMAR:.*fault addr|IO_PAGE_FAULT|DMAR:.*\[fault reason/,
    causes: ['dma-fault'],
  },
  {
    ...KERNEL,
    pattern: /(?:avc: +denied|apparmor="DENIED").*vfio/,
    causes: ['file-mode'],
  },
  { ...KERNEL, pattern: /BAR \d+.*: can't reserve/, causes: ['bar-in-use'] },
  {
    ...KERNEL,
    pattern: /vfio-pci.*probe.*failed with error/,
    calls: ['binding a device to vfio-pci'],
  },
  {
    ...KERNEL,
    pattern: /interrupt remapping.*(?:disabl|erratum|not supported)|DMAR-IR:.*(?:disabl|fail)/i,
    causes: ['interrupts'],
  },
  {
    ...KERNEL,
    pattern: /(?:DMAR|AMD-Vi):.*(?:IOMMU|command-line).*disabled|AMD-Vi: disabled/,
    causes: ['iommu-off'],
  },
  {
    ...KERNEL,
    pattern: /vfio-pci .*(?:config space inaccessible|can't change power state)/,
    causes: ['driver-refuses'],
  },
  { pattern: /vfio-noiommu|noiommu-\d|no-?iommu mode|VFIO_NOIOMMU/i, hints: ['no-iommu'] },
  { pattern: /\bnot viable\b/i, causes: ['group-in-use'] },
  { ...KERNEL, pattern: /^\[ *\d+\.\d+\] |\bkernel: / },
];
