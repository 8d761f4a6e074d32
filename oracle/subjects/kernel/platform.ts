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

const deviceOf = ({ name, id, group, cdev, reserved }: DeviceDescription): PlatformDevice => {
  const own = cdev === undefined ? undefined : CDEV.exec(cdev)?.[1];
  return {
    name,
    group,
    ...(own === undefined ? {} : { cdev: Number(own) }),
    // A mediated device has no id.
    iommu: id === '' ? 'none' : 0,
    reserved: reserved.map(rangeOf),
    ...(id === EDU_ID ? { dmaEngine: true as const } : {}),
  };
};

const nameOf = (devices: readonly PlatformDevice[]): string => {
  const translated = devices.some(({ iommu }) => iommu !== 'none');
  const mediated = devices.some(({ iommu }) => iommu === 'none');
  if (translated) return mediated ? 'mixed' : 'vtd';
  return mediated ? 'mdev' : 'mock';
};

/** What programs for this machine are drawn and judged for. */
export const platformOfMachine = (machine: MachineDescription): Platform => {
  const devices = machine.devices.map(deviceOf);
  const translated = devices.some(({ iommu }) => iommu !== 'none');
  return {
    ...MOCK_PLATFORM,
    name: nameOf(devices),
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
