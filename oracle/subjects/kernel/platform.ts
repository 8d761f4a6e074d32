// SPDX-License-Identifier: MIT
// The platform of a running machine, as the runner found it: its devices with their groups and reserved ranges.

import type { Iommu, IovaRange, Platform, PlatformDevice } from '../../../spec/terms/platform.ts';
import { MOCK_PLATFORM } from '../../../spec/terms/platforms.ts';
import { EnvironmentError } from '../../vm/environment-error.ts';
import type { VmPlatform } from '../../vm/qemu.ts';
import { iommuOfMachine } from './iommu.ts';
import type { DeviceDescription, MachineDescription } from './machine-description.ts';

/** QEMU's edu. */
const EDU_ID = '1234:11e8';

/** A line of sysfs: the first and the last IOVA, and what the range is for. */
const rangeOf = (line: string): IovaRange => {
  const [start, last] = line.split(' ');
  if (start === undefined || last === undefined) {
    throw new Error(`"${line}" is no reserved range; the runner is of another version.`);
  }
  return { start: BigInt(start), last: BigInt(last) };
};

const CDEV = /vfio(\d+)$/;

/** The IOMMU of each device's that has one, by the IOMMU's name. Throws EnvironmentError where one is not specified. */
const iommusOf = ({ devices, iommus }: MachineDescription): ReadonlyMap<string, Iommu> =>
  new Map(
    devices.flatMap(({ name, id, noIommu, iommu = 'without a name' }): [string, Iommu][] => {
      if (noIommu || id === '') return [];
      const described = iommus.find((one) => one.name === iommu);
      const found = described === undefined ? undefined : iommuOfMachine(described);
      if (found !== undefined) return [[iommu, found]];
      throw new EnvironmentError(
        `Device ${name} is behind an IOMMU (${iommu}) that is not specified: VT-d is, without first-stage tables, and so is virtio-iommu, if the kernel's log reports it. Without its VFIO driver the device is left out.`,
      );
    }),
  );

const isAlike = (one: Iommu, other: Iommu): boolean =>
  one.driver === other.driver &&
  one.pageSizes === other.pageSizes &&
  one.aperture.last === other.aperture.last &&
  one.enforcesCacheCoherency === other.enforcesCacheCoherency;

const deviceOf = (described: DeviceDescription, iommu: PlatformDevice['iommu']): PlatformDevice => {
  const { name, id, group, cdev, reserved } = described;
  const own = cdev === undefined ? undefined : CDEV.exec(cdev)?.[1];
  return {
    name,
    group,
    ...(own === undefined ? {} : { cdev: Number(own) }),
    iommu,
    reserved: reserved.map(rangeOf),
    // Without an IOMMU an engine transfers the machine's own memory.
    ...(id === EDU_ID && iommu !== 'noiommu' ? { dmaEngine: true as const } : {}),
  };
};

const isTranslated = ({ iommu }: PlatformDevice): boolean => typeof iommu === 'number';

/** The virtual machine with such devices, which names the platform. */
export const vmPlatformOf = ({
  devices,
  iommus,
}: Pick<Platform, 'devices' | 'iommus'>): VmPlatform => {
  if (devices.some(({ iommu }) => iommu === 'noiommu')) return 'noiommu';
  const mdev = devices.some(({ iommu }) => iommu === 'none');
  if (!devices.some(isTranslated)) return mdev ? 'mdev' : 'mock';
  if (mdev) return 'mixed';
  if (iommus.some(({ driver }) => driver === 'virtio')) return 'virtio';
  return iommus.some(({ enforcesCacheCoherency }) => enforcesCacheCoherency) ? 'coherent' : 'vtd';
};

/**
 * The platform for generating and judging programs on this machine. Throws EnvironmentError if a device is behind an
 * IOMMU that is not specified.
 */
export const platformOfMachine = (machine: MachineDescription): Platform => {
  const named = iommusOf(machine);
  // A domain for one IOMMU also serves devices behind equal ones.
  const iommus = [...named.values()].filter(
    (iommu, index, all) => all.findIndex((other) => isAlike(iommu, other)) === index,
  );
  const indexOf = (described: DeviceDescription): PlatformDevice['iommu'] => {
    const iommu = named.get(described.iommu ?? '');
    if (described.noIommu) return 'noiommu';
    return iommu === undefined ? 'none' : iommus.findIndex((other) => isAlike(iommu, other));
  };
  const devices = machine.devices.map((described) => deviceOf(described, indexOf(described)));
  return {
    ...MOCK_PLATFORM,
    name: vmPlatformOf({ devices, iommus }),
    noIommuEnabled: machine.noIommuEnabled,
    testCommands: machine.hasTestCommands,
    memoryKinds: [
      ...(machine.hasDeviceMemory ? (['device'] as const) : []),
      ...(machine.hasHugePages ? (['huge'] as const) : []),
    ],
    // Together with real IOMMUs they may crash a kernel: docs/findings/0002.
    mockDevices: iommus.length === 0,
    iommus,
    devices,
  };
};
