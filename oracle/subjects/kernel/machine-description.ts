// SPDX-License-Identifier: MIT
// The machine: its kernel, IOMMUs, and devices that a program can open. Read from sysfs.

import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { release } from 'node:os';
import { basename } from 'node:path';
import { wholeLog } from './kernel-log.ts';

export type DeviceDescription = {
  /** What GET_DEVICE_FD is asked for: "0000:00:04.0", or an mdev's UUID. */
  readonly name: string;
  /** "1234:11e8"; empty for an mdev. */
  readonly id: string;
  /** The number in /dev/vfio/N, or /dev/vfio/noiommu-N. */
  readonly group: number;
  /** Its group is a no-IOMMU group. */
  readonly noIommu: boolean;
  /** Name of its IOMMU, one of `iommus`; absent if it has none. */
  readonly iommu?: string;
  /** "/dev/vfio/devices/vfioN" or ".../noiommu-vfioN", where the kernel offers it. */
  readonly cdev?: string;
  /** Lines of the group's reserved_regions: "0x... 0x... msi". */
  readonly reserved: readonly string[];
};

export type IommuDescription = {
  readonly name: string;
  /** VT-d's capability words, hexadecimal. */
  readonly vtd?: { readonly capabilities: string; readonly extended: string };
  /** A virtio-iommu's width of addresses in bits and bitmap of page sizes, from the kernel's log. */
  readonly virtio?: { readonly addressBits: number; readonly pageSizes: string };
};

export type MachineDescription = {
  readonly release: string;
  readonly iommus: readonly IommuDescription[];
  /** Those bound to a VFIO driver. */
  readonly devices: readonly DeviceDescription[];
  /** /dev/iommu is there. */
  readonly hasIommufd: boolean;
  /** /dev/vfio/vfio is there: the legacy container, or iommufd itself. */
  readonly hasContainer: boolean;
  /** The module parameter vfio.enable_unsafe_noiommu_mode. */
  readonly noIommuEnabled: boolean;
  /** IOMMU_TEST_CMD is there, and with it mock domains. */
  readonly hasTestCommands: boolean;
  /** Enough huge pages for programs are reserved. */
  readonly hasHugePages: boolean;
  /** Programs may map memory of a device; the runner decides. */
  readonly hasDeviceMemory: boolean;
};

const PCI_DEVICES = '/sys/bus/pci/devices';
const MDEVS = '/sys/bus/mdev/devices';
const IOMMUS = '/sys/class/iommu';

const entriesOf = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);
const textOf = (path: string): string =>
  existsSync(path) ? readFileSync(path, 'latin1').trim() : '';

const noIommuGroup = (group: number): string => `/dev/vfio/noiommu-${group}`;

const describeDevice = (path: string): DeviceDescription => {
  const group = Number(basename(readlinkSync(`${path}/iommu_group`)));
  const noIommu = existsSync(noIommuGroup(group));
  // Releases without a cdev for no-IOMMU devices call it vfioN here, too.
  const [own] = entriesOf(`${path}/vfio-dev`);
  const cdev = own === undefined ? undefined : `/dev/vfio/devices/${own}`;
  // An mdev has a folder of that name.
  const id = path.startsWith(PCI_DEVICES)
    ? `${textOf(`${path}/vendor`).slice(2)}:${textOf(`${path}/device`).slice(2)}`
    : '';
  const reserved = textOf(`/sys/kernel/iommu_groups/${group}/reserved_regions`);
  return {
    name: basename(path),
    id,
    group,
    noIommu,
    ...(existsSync(`${path}/iommu`) ? { iommu: basename(readlinkSync(`${path}/iommu`)) } : {}),
    ...(cdev === undefined || !existsSync(cdev) ? {} : { cdev }),
    reserved: reserved === '' ? [] : reserved.split('\n'),
  };
};

const describeVirtio = (device: string): IommuDescription['virtio'] => {
  const lines = wholeLog().filter((line) => line.startsWith(`virtio_iommu ${device}: `));
  const last = (pattern: RegExp): string | undefined =>
    lines.findLast((line) => pattern.test(line))?.match(pattern)?.[1];
  const addressBits = last(/input address: (\d+) bits/);
  const pageSizes = last(/page mask: (0x[0-9a-f]+)/);
  return addressBits === undefined || pageSizes === undefined
    ? undefined
    : { addressBits: Number(addressBits), pageSizes };
};

const describeIommu = (name: string): IommuDescription => {
  const capabilities = textOf(`${IOMMUS}/${name}/intel-iommu/cap`);
  if (capabilities !== '') {
    return { name, vtd: { capabilities, extended: textOf(`${IOMMUS}/${name}/intel-iommu/ecap`) } };
  }
  const device = `${IOMMUS}/${name}/device`;
  const virtio = existsSync(device) ? describeVirtio(basename(realpathSync(device))) : undefined;
  return virtio === undefined ? { name } : { name, virtio };
};

/** As many as a program could pin. */
const HUGE_PAGES = 32;

export const describeMachine = (hasDeviceMemory = false): MachineDescription => {
  const devices = [PCI_DEVICES, MDEVS]
    .flatMap((bus) => entriesOf(bus).map((name) => `${bus}/${name}`))
    .filter((path) => existsSync(`${path}/iommu_group`))
    .map(describeDevice)
    .filter(({ group, noIommu }) => noIommu || existsSync(`/dev/vfio/${group}`));
  const iommus = entriesOf(IOMMUS).map(describeIommu);
  return {
    release: release(),
    iommus,
    devices,
    hasIommufd: existsSync('/dev/iommu'),
    hasContainer: existsSync('/dev/vfio/vfio'),
    noIommuEnabled: textOf('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode') === 'Y',
    hasHugePages: Number(textOf('/proc/sys/vm/nr_hugepages')) >= HUGE_PAGES,
    hasDeviceMemory,
    hasTestCommands: iommus.some(({ name }) => name.startsWith('iommufd_selftest')),
  };
};
