// The platforms that are known by name, and those that a recording describes.

import { U64_MAX } from '../../spec/abi/units.ts';
import type { Iommu, IovaRange, Platform, PlatformDevice } from '../../spec/terms/platform.ts';
import { BadInput } from './bad-input.ts';
import { HEX, isObject } from './fields.ts';

/** What the kernel takes where no parameter says otherwise. */
const DMA_ENTRY_LIMIT = 65535;

/** Nothing but mock devices, of a kernel that does not say whether it was told to allow devices without an IOMMU. */
const UNTOLD_PLATFORM: Platform = {
  name: 'mock',
  iommus: [],
  devices: [],
  testCommands: true,
  mockDevices: true,
  noIommuConfigured: true,
  memoryKinds: ['device', 'huge'],
  dmaEntryLimit: DMA_ENTRY_LIMIT,
};

/** Nothing but mock devices. */
export const MOCK_PLATFORM: Platform = { ...UNTOLD_PLATFORM, noIommuEnabled: false };

/** QEMU's VT-d, and the range through which devices send interrupts. */
export const VTD_IOMMU: Iommu = {
  pageSizes: 0x4020_1000n,
  aperture: { start: 0n, last: 0xffff_ffff_ffffn },
  enforcesCacheCoherency: false,
};
/** The name of the mediated device in virtual machines. */
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

/** No IOMMU but that of mock devices, and a mediated device: it reaches an IOAS through the kernel alone. */
export const MDEV_PLATFORM: Platform = {
  ...MOCK_PLATFORM,
  name: 'mdev',
  devices: [{ name: MDEV_NAME, group: 0, cdev: 0, iommu: 'none', reserved: [] }],
};

/**
 * IOMMUs whose domains do not fit each other's devices, one of them with pages too large to serve at all, a group of
 * two devices, and a mediated device that has no IOMMU: more than one domain under the IOAS of VFIO calls. A legacy container takes few
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

/** Three devices that nothing translates for, each in a no-IOMMU group, and a mediated device, whose group is none. */
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

export const PLATFORMS: Readonly<Record<string, Platform>> = {
  mock: MOCK_PLATFORM,
  vtd: VTD_PLATFORM,
  mdev: MDEV_PLATFORM,
  mixed: MIXED_PLATFORM,
  noiommu: NOIOMMU_PLATFORM,
  virtio: VIRTIO_PLATFORM,
  coherent: COHERENT_PLATFORM,
};

/** Those that take their turn where none is named. The others differ from `vtd` in their IOMMU alone. */
export const USUAL_PLATFORMS = ['mock', 'vtd', 'mdev', 'mixed', 'noiommu'] as const;

/** Names in recordings of platforms whose devices are behind an IOMMU. */
const TRANSLATED: readonly unknown[] = ['vtd', 'mixed', 'virtio', 'coherent'];

type Description = Readonly<Record<string, unknown>>;

const number = (file: string, value: unknown, name: string): bigint => {
  if (typeof value !== 'string' || !HEX.test(value)) {
    throw new BadInput(file, 1, `the platform's "${name}" is no hexadecimal number`);
  }
  return BigInt(value);
};

const range = (file: string, value: unknown, name: string): IovaRange => {
  if (!Array.isArray(value) || value.length !== 2) {
    throw new BadInput(file, 1, `the platform's "${name}" is no pair of the first and the last`);
  }
  return { start: number(file, value[0], name), last: number(file, value[1], name) };
};

/** VFIO numbers devices' own files as they are bound to it, which is as a header lists them if it says nothing else. */
const deviceOf = (
  file: string,
  value: unknown,
  position: number,
  reserved: readonly IovaRange[],
): PlatformDevice => {
  if (!isObject(value) || typeof value.bdf !== 'string' || typeof value.group !== 'number') {
    throw new BadInput(file, 1, 'a device of the platform has no "bdf" and "group"');
  }
  const cdev = typeof value.cdev === 'number' ? value.cdev : position;
  const device = { name: value.bdf, group: value.group, cdev };
  return value.iommu === 'none' || value.iommu === 'noiommu'
    ? { ...device, iommu: value.iommu, reserved: [] }
    : { ...device, iommu: 0, reserved };
};

/** The platform as a file's header describes it. */
export const platformOf = (file: string, description: Description): Platform => {
  if (description.name === 'mock') return UNTOLD_PLATFORM;
  if (description.name === 'mdev' || description.name === 'noiommu') {
    const { name, devices } = description;
    const untranslated = Array.isArray(devices)
      ? devices.map((device, position) => deviceOf(file, device, position, []))
      : [];
    const fits = name === 'mdev' ? ['none'] : ['none', 'noiommu'];
    if (untranslated.some(({ iommu }) => !fits.includes(`${iommu}`))) {
      throw new BadInput(file, 1, `a device does not fit the platform ${name} by its "iommu"`);
    }
    return { ...UNTOLD_PLATFORM, name, devices: untranslated };
  }
  const { name, reserved, devices, driver } = description;
  if (typeof name !== 'string' || !TRANSLATED.includes(name)) {
    throw new BadInput(file, 1, `platform ${String(name)} is not known`);
  }
  if (driver !== undefined && driver !== 'virtio') {
    throw new BadInput(file, 1, `no IOMMU of the driver ${String(driver)} is specified`);
  }
  const ranges = Array.isArray(reserved)
    ? reserved.map((value) => range(file, value, 'reserved'))
    : [];
  return {
    name,
    iommus: [
      {
        pageSizes: number(file, description.pageSizes, 'pageSizes'),
        aperture: range(file, description.aperture, 'aperture'),
        enforcesCacheCoherency: description.cacheCoherency === true,
        ...(driver === undefined ? {} : { driver }),
      },
    ],
    devices: Array.isArray(devices)
      ? devices.map((device, position) => deviceOf(file, device, position, ranges))
      : [],
    testCommands: true,
    mockDevices: true,
    noIommuConfigured: true,
    dmaEntryLimit: DMA_ENTRY_LIMIT,
  };
};
