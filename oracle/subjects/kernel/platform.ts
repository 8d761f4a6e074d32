// The platform of a running machine, as the runner found it: its devices with their groups and reserved ranges.

import type { IovaRange, Platform, PlatformDevice } from '../../../spec/platform.ts';
import { MOCK_PLATFORM, VTD_IOMMU } from '../../trace/platforms.ts';
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

const iommuOf = ({ id, noIommu }: DeviceDescription): PlatformDevice['iommu'] => {
  if (noIommu) return 'noiommu';
  // A mediated device has no id.
  return id === '' ? 'none' : 0;
};

const deviceOf = (described: DeviceDescription): PlatformDevice => {
  const { name, id, group, cdev, reserved } = described;
  const iommu = iommuOf(described);
  const own = cdev === undefined ? undefined : CDEV.exec(cdev)?.[1];
  return {
    name,
    group,
    ...(own === undefined ? {} : { cdev: Number(own) }),
    iommu,
    reserved: reserved.map(rangeOf),
    // What an engine moves without an IOMMU is the machine's own memory.
    ...(id === EDU_ID && iommu !== 'noiommu' ? { dmaEngine: true as const } : {}),
  };
};

const isTranslated = ({ iommu }: PlatformDevice): boolean => typeof iommu === 'number';

const nameOf = (devices: readonly PlatformDevice[]): string => {
  if (devices.some(({ iommu }) => iommu === 'noiommu')) return 'noiommu';
  const translated = devices.some(isTranslated);
  const mediated = devices.some(({ iommu }) => iommu === 'none');
  if (translated) return mediated ? 'mixed' : 'vtd';
  return mediated ? 'mdev' : 'mock';
};

/** What programs for this machine are drawn and judged for. */
export const platformOfMachine = (machine: MachineDescription): Platform => {
  const devices = machine.devices.map(deviceOf);
  const translated = devices.some(isTranslated);
  return {
    ...MOCK_PLATFORM,
    name: nameOf(devices),
    noIommuEnabled: machine.noIommuEnabled,
    testCommands: machine.hasTestCommands,
    memoryKinds: [
      ...(machine.hasDeviceMemory ? (['device'] as const) : []),
      ...(machine.hasHugePages ? (['huge'] as const) : []),
    ],
    // Beside real IOMMUs a kernel may not survive them: docs/findings/0002.
    mockDevices: !translated,
    iommus: translated ? [VTD_IOMMU] : [],
    devices,
  };
};
