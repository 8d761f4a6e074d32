// The platform as the first line of a recording describes it.

import type { IovaRange, Platform, PlatformDevice } from '../../spec/terms/platform.ts';
import { DMA_ENTRY_LIMIT, MOCK_PLATFORM } from '../../spec/terms/platforms.ts';
import { BadInput } from './bad-input.ts';
import { HEX, isObject } from './fields.ts';

/** As MOCK_PLATFORM; whether vfio.enable_unsafe_noiommu_mode is set, a recording does not state. */
const { noIommuEnabled: _, ...UNSTATED_PLATFORM } = MOCK_PLATFORM;

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
  if (description.name === 'mock') return UNSTATED_PLATFORM;
  if (description.name === 'mdev' || description.name === 'noiommu') {
    const { name, devices } = description;
    const untranslated = Array.isArray(devices)
      ? devices.map((device, position) => deviceOf(file, device, position, []))
      : [];
    const fits = name === 'mdev' ? ['none'] : ['none', 'noiommu'];
    if (untranslated.some(({ iommu }) => !fits.includes(`${iommu}`))) {
      throw new BadInput(file, 1, `a device does not fit the platform ${name} by its "iommu"`);
    }
    return { ...UNSTATED_PLATFORM, name, devices: untranslated };
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
