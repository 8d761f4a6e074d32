// SPDX-License-Identifier: MIT
// Opening the device files: iommufd_fops_open() in drivers/iommu/iommufd/main.c, vfio_fops_open() in
// drivers/vfio/container.c and vfio_group_fops_open() in drivers/vfio/group.c.

import { fileDescriptor } from '../abi/units.ts';
import { VFIO_CONTAINER_PATH } from '../abi/vfio.ts';
import { valuesOf } from '../collections/ordered-map.ts';
import { opensDescriptor } from '../outcome/open-descriptor.ts';
import { failed, type Outcome } from '../outcome/outcome.ts';
import { newContainer } from '../state/container.ts';
import { newContext } from '../state/context.ts';
import { deviceNamed, type World, withDescriptor, withNewFile } from '../state/world.ts';
import type { OpenCall } from '../terms/call.ts';
import { isNoIommuGroup } from '../terms/platform.ts';
import { grants, onlyWith, refuses, rulesOf } from '../terms/rule.ts';

export const openRules = rulesOf(
  { id: 'open', title: 'open', source: 'vfio_group_fops_open() in drivers/vfio/group.c' },
  {
    iommufd: grants(
      'Each open of /dev/iommu makes a new iommufd without objects.',
      'iommufd_fops_open() in drivers/iommu/iommufd/main.c',
    ),
    container: grants(
      'Each open of /dev/vfio/vfio makes a new legacy container without groups and without a type.',
      'vfio_fops_open() in drivers/vfio/container.c',
    ),
    noGroup: refuses(
      'ENOENT',
      'No such group. Only no-IOMMU groups carry the prefix noiommu-.',
      'vfio_create_group() in drivers/vfio/group.c',
    ),
    groupNotPrivileged: refuses(
      'EPERM',
      'The group is a no-IOMMU group, and the process lacks CAP_SYS_RAWIO.',
    ),
    deviceBound: refuses('EBUSY', 'A device of the group is bound through its cdev.'),
    groupOpen: refuses('EBUSY', 'The group is open already.'),
    group: grants('Opens the group, without a container.'),
    noDevice: refuses(
      'ENOENT',
      'No such cdev. Only devices without an IOMMU carry the prefix noiommu-; 6.12 has no cdev for them.',
      'vfio_device_add() in drivers/vfio/vfio.h',
    ),
    deviceNotPrivileged: onlyWith(
      'noIommuCdevs',
      refuses(
        'EPERM',
        'The device has no IOMMU, and the process lacks CAP_SYS_RAWIO.',
        'vfio_device_fops_cdev_open() in drivers/vfio/device_cdev.c',
      ),
    ),
    device: grants(
      'Opens the cdev, unbound, even if the cdev or the device is open already.',
      'vfio_device_fops_cdev_open() in drivers/vfio/device_cdev.c',
    ),
  },
);

const GROUP_PATH = /^\/dev\/vfio\/(noiommu-)?(0|[1-9]\d*)$/;
const DEVICE_PATH = /^\/dev\/vfio\/devices\/(noiommu-)?vfio(0|[1-9]\d*)$/;
/** Names that start like those but never exist: with a leading zero, or a suffix. */
const NO_GROUP_PATH = /^\/dev\/vfio\/(noiommu-)?\d[^/]*$/;
const NO_DEVICE_PATH = /^\/dev\/vfio\/devices\/(noiommu-)?vfio\d[^/]*$/;

/** Whether the group is open. */
export const isGroupOpen = (world: World, group: number): boolean => {
  for (const file of valuesOf(world.files)) {
    if (file.kind === 'group' && file.group === group) return true;
  }
  return false;
};

/**
 * Why it is not known whether the group may be opened: the group or a device of it may be open, and the input does not
 * show how.
 */
const groupDoubt = (world: World, group: number): string | undefined => {
  for (const file of valuesOf(world.files)) {
    if (file.kind !== 'unspecified' || file.why === undefined) continue;
    if (GROUP_PATH.exec(file.path)?.[2] === `${group}`) return file.why;
    const cdev = DEVICE_PATH.exec(file.path)?.[2];
    const { devices } = world.setting.platform;
    if (devices.some((device) => `${device.cdev}` === cdev && device.group === group)) {
      return file.why;
    }
  }
  return undefined;
};

/** The descriptor of an open of which only the path is known. */
const withUnknownFile = (
  world: World,
  { process, path }: OpenCall,
  result: number,
  why?: string,
): World => {
  const file = { kind: 'unspecified', path, ...(why === undefined ? {} : { why }) } as const;
  const made = withNewFile(world, () => file);
  return withDescriptor(made.world, process, fileDescriptor(result), made.id);
};

/** Whether a device of the group is bound through its cdev. */
const hasBoundDevice = (world: World, group: number): boolean => {
  for (const file of valuesOf(world.files)) {
    if (file.kind !== 'cdev' || !file.bound) continue;
    if (deviceNamed(world, file.name).group === group) return true;
  }
  return false;
};

const openDevice = (
  world: World,
  call: OpenCall,
  number: number,
  noIommu: boolean,
): readonly Outcome[] => {
  const { platform, credentials } = world.setting;
  const device = platform.devices.find(
    ({ cdev, iommu }) => cdev === number && (iommu === 'noiommu') === noIommu,
  );
  if (device === undefined || (noIommu && !world.release.noIommuDevicesHaveCdevs)) {
    return [failed(openRules.noDevice, world)];
  }
  if (noIommu && !credentials.privileged) return [failed(openRules.deviceNotPrivileged, world)];
  return [
    opensDescriptor(world, call.process, openRules.device, () => ({
      kind: 'cdev',
      name: device.name,
      bound: false,
      attachedByPasid: false,
    })),
  ];
};

/** open() of a path. */
export const open = (world: World, call: OpenCall): readonly Outcome[] => {
  const { path } = call;
  if (path === '/dev/iommu') {
    return [
      opensDescriptor(world, call.process, openRules.iommufd, (id) => ({
        kind: 'iommufd',
        context: newContext(id),
      })),
    ];
  }
  if (path === VFIO_CONTAINER_PATH) {
    return [
      opensDescriptor(world, call.process, openRules.container, (id) => ({
        kind: 'container',
        container: newContainer(id),
      })),
    ];
  }
  const [, ofDevice, device] = DEVICE_PATH.exec(path) ?? [];
  if (device !== undefined) return openDevice(world, call, Number(device), ofDevice !== undefined);
  const [, ofGroup, group] = GROUP_PATH.exec(path) ?? [];
  if (group === undefined) {
    if (NO_GROUP_PATH.test(path)) return [failed(openRules.noGroup, world)];
    if (NO_DEVICE_PATH.test(path)) return [failed(openRules.noDevice, world)];
    return [
      {
        kind: 'unspecified',
        what: `open of ${path}`,
        world: ({ errno, result }) => (errno === 0 ? withUnknownFile(world, call, result) : world),
      },
    ];
  }
  const number = Number(group);
  const { platform, credentials } = world.setting;
  const noIommu = isNoIommuGroup(platform, number);
  const exists = platform.devices.some((device) => device.group === number);
  if (!exists || noIommu !== (ofGroup !== undefined)) return [failed(openRules.noGroup, world)];
  if (noIommu && !credentials.privileged) return [failed(openRules.groupNotPrivileged, world)];
  const what = groupDoubt(world, number);
  if (what !== undefined) {
    const opened = (result: number): World => withUnknownFile(world, call, result, what);
    return [
      {
        kind: 'unspecified',
        what,
        doubtful: true,
        world: ({ errno, result }) => (errno === 0 ? opened(result) : world),
      },
    ];
  }
  if (hasBoundDevice(world, number)) return [failed(openRules.deviceBound, world)];
  if (isGroupOpen(world, number)) return [failed(openRules.groupOpen, world)];
  return [
    opensDescriptor(world, call.process, openRules.group, () => ({
      kind: 'group',
      group: number,
      container: undefined,
    })),
  ];
};
