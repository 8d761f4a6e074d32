// SPDX-License-Identifier: MIT
// The platform as the first line of a recording describes it.

import * as v from 'valibot';
import type { IovaRange, Platform, PlatformDevice } from '../../spec/terms/platform.ts';
import { DMA_ENTRY_LIMIT, MOCK_PLATFORM } from '../../spec/terms/platforms.ts';
import { DEVICES_MAX, RESERVED_MAX } from './limits.ts';
import { number, pageSizes, range } from './setting-json.ts';
import { exactly, flag, kindOf, list, openFields, text, word } from './values.ts';

/** As MOCK_PLATFORM; whether vfio.enable_unsafe_noiommu_mode is set, a recording does not state. */
const { noIommuEnabled: _, ...UNSTATED_PLATFORM } = MOCK_PLATFORM;

type Described = {
  readonly bdf: string;
  readonly group: number;
  readonly cdev?: number;
  readonly iommu?: 'none' | 'noiommu';
};

const described = { bdf: text, group: number, cdev: v.exactOptional(number) };

const devicesOf = (device: v.GenericSchema<unknown, Described>) =>
  v.pipe(
    list(device, DEVICES_MAX),
    v.check(
      (devices) => new Set(devices.map(({ bdf }) => bdf)).size === devices.length,
      'must have devices of different "bdf"',
    ),
  );

/** VFIO numbers devices' own files as they are bound to it, which is as a header lists them if it says nothing else. */
const deviceOf = (
  { bdf: name, group, cdev, iommu }: Described,
  position: number,
  reserved: readonly IovaRange[],
): PlatformDevice => {
  const device = { name, group, cdev: cdev ?? position };
  return iommu === undefined
    ? { ...device, iommu: 0, reserved }
    : { ...device, iommu, reserved: [] };
};

const translatedBy = (name: string) =>
  v.pipe(
    openFields({
      name: exactly(name),
      driver: v.exactOptional(word(['virtio'])),
      pageSizes,
      aperture: range,
      reserved: list(range, RESERVED_MAX),
      cacheCoherency: flag,
      devices: devicesOf(
        openFields({ ...described, iommu: v.exactOptional(word(['none', 'noiommu'])) }),
      ),
    }),
    v.transform(
      ({ driver, pageSizes, aperture, reserved, cacheCoherency, devices }): Platform => ({
        name,
        iommus: [
          {
            pageSizes,
            aperture,
            enforcesCacheCoherency: cacheCoherency,
            ...(driver === undefined ? {} : { driver }),
          },
        ],
        devices: devices.map((device, position) => deviceOf(device, position, reserved)),
        testCommands: true,
        mockDevices: true,
        noIommuConfigured: true,
        dmaEntryLimit: DMA_ENTRY_LIMIT,
      }),
    ),
  );

/** Of a machine that translates for no device. */
const without = (name: string, iommus: readonly ('none' | 'noiommu')[]) =>
  v.pipe(
    openFields({
      name: exactly(name),
      devices: devicesOf(openFields({ ...described, iommu: word(iommus) })),
    }),
    v.transform(
      ({ devices }): Platform => ({
        ...UNSTATED_PLATFORM,
        name,
        devices: devices.map((device, position) => deviceOf(device, position, [])),
      }),
    ),
  );

export const RECORDED_PLATFORM: v.GenericSchema<unknown, Platform> = kindOf('name', {
  mock: v.pipe(
    openFields({ name: exactly('mock') }),
    v.transform((): Platform => UNSTATED_PLATFORM),
  ),
  mdev: without('mdev', ['none']),
  noiommu: without('noiommu', ['none', 'noiommu']),
  vtd: translatedBy('vtd'),
  mixed: translatedBy('mixed'),
  virtio: translatedBy('virtio'),
  coherent: translatedBy('coherent'),
});
