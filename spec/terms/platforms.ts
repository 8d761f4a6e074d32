// SPDX-License-Identifier: MIT
// The platforms that have names: machines with mock devices, and those that QEMU makes.

import { U64_MAX } from '../abi/units.ts';
import type { Iommu, IovaRange, Platform } from './platform.ts';

/** What the kernel takes where no parameter says otherwise. */
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

/** QEMU's VT-d, and the range through which devices send interrupts. */
export const VTD_IOMMU: Iommu = {
  pageSizes: 0x4020_1000n,
  aperture: { start: 0n, last: 0xffff_ffff_ffffn },
  enforcesCacheCoherency: false,
};
/** The name of the mdev in virtual machines. */
export const MDEV_NAME = '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001';
const VTD_RESERVED: readonly IovaRange[] = [{ start: 0xfee0_0000n, last: 0xfeef_ffffn }];

/** QEMU's VT-d with two devices, each in a group of its own. */
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

/** QEMU's virtio-iommu: every page size and every IOVA. */
const VIRTIO_IOMMU: Iommu = {
  pageSizes: 0xffff_ffff_ffff_f000n,
  aperture: { start: 0n, last: U64_MAX },
  enforcesCacheCoherency: false,
  driver: 'virtio',
};

/** The same devices as VTD_PLATFORM's behind a virtio-iommu. */
const VIRTIO_PLATFORM: Platform = { ...VTD_PLATFORM, name: 'virtio', iommus: [VIRTIO_IOMMU] };

/** And behind a VT-d of 39 bits whose domains can make every access coherent. */
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

/** No IOMMU but that of mock devices, and an mdev: it reaches an IOAS through the kernel alone. */
export const MDEV_PLATFORM: Platform = {
  ...MOCK_PLATFORM,
  name: 'mdev',
  devices: [{ name: MDEV_NAME, group: 0, cdev: 0, iommu: 'none', reserved: [] }],
};

/**
 * IOMMUs whose domains do not fit each other's devices, one of them with pages too large to serve at all, a group of
 * two devices, and an mdev that has no IOMMU: more than one domain under the IOAS of VFIO calls. A legacy container takes few
 * maps there, so that the limit is met.
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

/** Three devices that nothing translates for, each in a no-IOMMU group, and an mdev, whose group is none. */
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

/** Every platform that has a name, by that name. */
export const PLATFORMS: Readonly<Record<PlatformName, Platform>> = {
  mock: MOCK_PLATFORM,
  vtd: VTD_PLATFORM,
  mdev: MDEV_PLATFORM,
  mixed: MIXED_PLATFORM,
  noiommu: NOIOMMU_PLATFORM,
  virtio: VIRTIO_PLATFORM,
  coherent: COHERENT_PLATFORM,
};

/** The platform of that name; undefined where none has it. */
export const platformNamed = (name: string): Platform | undefined =>
  Object.values(PLATFORMS).find((platform) => platform.name === name);

/** Those that take their turn where none is named. The others differ from `vtd` in their IOMMU alone. */
export const USUAL_PLATFORMS = ['mock', 'vtd', 'mdev', 'mixed', 'noiommu'] as const;
