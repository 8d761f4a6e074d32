// SPDX-License-Identifier: MIT
// The named platforms: machines with mock devices, and virtual machines of QEMU.

import { U64_MAX } from '../abi/units.ts';
import type { Iommu, IovaRange, Platform } from './platform.ts';

/** The kernel's default for dma_entry_limit. */
export const DMA_ENTRY_LIMIT = 65535;

/** Nothing but mock devices. */
export const MOCK_PLATFORM: Platform = {
  name: 'mock',
  iommus: [],
  devices: [],
  testCommands: true,
  mockDevices: true,
  noIommuConfigured: true,
  noIommuEnabled: false,
  memoryKinds: ['device', 'huge'],
  dmaEntryLimit: DMA_ENTRY_LIMIT,
};

/** QEMU's VT-d. */
export const VTD_IOMMU: Iommu = {
  pageSizes: 0x4020_1000n,
  aperture: { start: 0n, last: 0xffff_ffff_ffffn },
  enforcesCacheCoherency: false,
};

/** The name of the mdev in virtual machines. */
export const MDEV_NAME = '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001';

/** Devices write to this range to send interrupts. */
const VTD_RESERVED: readonly IovaRange[] = [{ start: 0xfee0_0000n, last: 0xfeef_ffffn }];

/** QEMU's VT-d with two devices, each in its own group. */
export const VTD_PLATFORM: Platform = {
  name: 'vtd',
  iommus: [VTD_IOMMU],
  devices: [
    { name: '0000:00:04.0', group: 4, cdev: 0, iommu: 0, reserved: VTD_RESERVED, dmaEngine: true },
    { name: '0000:00:05.0', group: 5, cdev: 1, iommu: 0, reserved: VTD_RESERVED },
  ],
  testCommands: true,
  mockDevices: true,
  noIommuConfigured: true,
  noIommuEnabled: false,
  memoryKinds: ['device', 'huge'],
  dmaEntryLimit: DMA_ENTRY_LIMIT,
};

/** QEMU's virtio-iommu, with every page size from 4 KiB and every IOVA. */
const VIRTIO_IOMMU: Iommu = {
  pageSizes: 0xffff_ffff_ffff_f000n,
  aperture: { start: 0n, last: U64_MAX },
  enforcesCacheCoherency: false,
  driver: 'virtio',
};

/** The devices of VTD_PLATFORM, behind a virtio-iommu. */
const VIRTIO_PLATFORM: Platform = { ...VTD_PLATFORM, name: 'virtio', iommus: [VIRTIO_IOMMU] };

/** The devices of VTD_PLATFORM, behind a 39-bit VT-d whose domains can enforce cache coherency. */
const COHERENT_PLATFORM: Platform = {
  ...VTD_PLATFORM,
  name: 'coherent',
  iommus: [
    {
      ...VTD_IOMMU,
      aperture: { start: 0n, last: 0x7f_ffff_ffffn },
      enforcesCacheCoherency: true,
    },
  ],
};

/** Mock devices, and an mdev. */
export const MDEV_PLATFORM: Platform = {
  ...MOCK_PLATFORM,
  name: 'mdev',
  devices: [{ name: MDEV_NAME, group: 0, cdev: 0, iommu: 'none', reserved: [] }],
};

/**
 * Three IOMMUs with incompatible domains, one of them with pages too large for iommufd; a group of two devices; and an
 * mdev. A compatibility IOAS can have more than one domain here. dma_entry_limit is low, so that programs reach it.
 */
export const MIXED_PLATFORM: Platform = {
  name: 'mixed',
  iommus: [
    VTD_IOMMU,
    {
      pageSizes: 0x20_1000n,
      aperture: { start: 0n, last: 0x7f_ffff_ffffn },
      enforcesCacheCoherency: true,
    },
    {
      pageSizes: 0x2_0001_0000n,
      aperture: { start: 0n, last: 0xffff_ffff_ffffn },
      enforcesCacheCoherency: false,
    },
  ],
  devices: [
    { name: '0000:02:00.0', group: 8, cdev: 0, iommu: 2, reserved: [] },
    { name: '0000:00:04.0', group: 4, cdev: 1, iommu: 0, reserved: VTD_RESERVED },
    { name: '0000:00:05.0', group: 5, cdev: 2, iommu: 1, reserved: VTD_RESERVED },
    { name: '0000:01:00.0', group: 6, cdev: 3, iommu: 1, reserved: [] },
    {
      name: '0000:01:00.1',
      group: 6,
      cdev: 4,
      iommu: 1,
      reserved: [{ start: 0x8000_0000n, last: 0x8000_ffffn }],
    },
    { name: 'mtty-1', group: 7, cdev: 5, iommu: 'none', reserved: [] },
  ],
  testCommands: true,
  mockDevices: true,
  noIommuConfigured: true,
  noIommuEnabled: false,
  memoryKinds: ['device', 'huge'],
  dmaEntryLimit: 12,
};

/** Three devices without an IOMMU, each in a no-IOMMU group, and an mdev, whose group is not one. */
export const NOIOMMU_PLATFORM: Platform = {
  ...MOCK_PLATFORM,
  name: 'noiommu',
  noIommuEnabled: true,
  devices: [
    { name: '0000:00:01.0', group: 0, cdev: 0, iommu: 'noiommu', reserved: [] },
    { name: '0000:00:02.0', group: 1, cdev: 1, iommu: 'noiommu', reserved: [] },
    { name: '0000:00:03.0', group: 2, cdev: 2, iommu: 'noiommu', reserved: [] },
    { name: MDEV_NAME, group: 3, cdev: 3, iommu: 'none', reserved: [] },
  ],
};

export type PlatformName = 'mock' | 'vtd' | 'mdev' | 'mixed' | 'noiommu' | 'virtio' | 'coherent';

/** The named platforms, by name. */
export const PLATFORMS: Readonly<Record<PlatformName, Platform>> = {
  mock: MOCK_PLATFORM,
  vtd: VTD_PLATFORM,
  mdev: MDEV_PLATFORM,
  mixed: MIXED_PLATFORM,
  noiommu: NOIOMMU_PLATFORM,
  virtio: VIRTIO_PLATFORM,
  coherent: COHERENT_PLATFORM,
};

/** The platform of that name; undefined if there is none. */
export const platformNamed = (name: string): Platform | undefined =>
  Object.values(PLATFORMS).find((platform) => platform.name === name);

/** The platforms that are used if none is named. The others differ from `vtd` only in their IOMMU. */
export const USUAL_PLATFORMS = ['mock', 'vtd', 'mdev', 'mixed', 'noiommu'] as const;
