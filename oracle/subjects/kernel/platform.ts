// The platform of a running machine, as the runner found it: its devices with their groups and reserved ranges.

import type { IovaRange, Platform } from '../../../spec/platform.ts';
import { MOCK_PLATFORM, VTD_IOMMU } from '../../trace/platforms.ts';
import type { MachineDescription } from './machine-description.ts';

/** A line of sysfs: the first and the last IOVA, and what the range is for. */
const rangeOf = (line: string): IovaRange => {
  const [start, last] = line.split(' ');
  if (start === undefined || last === undefined) {
    throw new Error(`"${line}" is no reserved range; the runner is of another version.`);
  }
  return { start: BigInt(start), last: BigInt(last) };
};

/** A mediated device has no PCI id. */
const nameOf = ({ devices }: MachineDescription): string => {
  if (devices.length === 0) return 'mock';
  return devices.some(({ id }) => id === '') ? 'mixed' : 'vtd';
};

/** What programs for this machine are drawn and judged for. */
export const platformOfMachine = (machine: MachineDescription): Platform => ({
  ...MOCK_PLATFORM,
  name: nameOf(machine),
  testCommands: machine.hasTestCommands,
  // Beside real IOMMUs a kernel may not survive them: docs/findings/0002.
  mockDevices: machine.devices.length === 0,
  iommus: machine.devices.length === 0 ? [] : [VTD_IOMMU],
  devices: machine.devices.map(({ name, id, group, reserved }) => ({
    name,
    group,
    iommu: id === '' ? 'none' : 0,
    reserved: reserved.map(rangeOf),
  })),
});
