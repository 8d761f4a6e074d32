// SPDX-License-Identifier: MIT
// Open files as text.

import { match } from 'ts-pattern';
import { nodesOf } from '../../spec/collections/ordered-map.ts';
import type { FileId } from '../../spec/state/files.ts';
import {
  boundDeviceOf,
  descriptorsOf,
  type OpenFile,
  openFile,
  type World,
} from '../../spec/state/world.ts';
import type { Process } from '../../spec/terms/call.ts';
import { isNoIommuGroup, type Platform } from '../../spec/terms/platform.ts';
import { listed } from './quantities.ts';
import { visible } from './visible.ts';

/** The lowest descriptor of the file in the process. */
export const descriptorOf = (world: World, process: Process, file: FileId): number | undefined => {
  for (const { key, value } of nodesOf(descriptorsOf(world, process))) {
    if (value === file) return key;
  }
  return undefined;
};

/** "group 4", "no-IOMMU group 0". */
export const groupText = (platform: Platform, group: number): string =>
  isNoIommuGroup(platform, group) ? `no-IOMMU group ${group}` : `group ${group}`;

/** "groups 4 and 5", "no group". */
export const groupsText = (platform: Platform, groups: readonly number[]): string =>
  groups.length === 0
    ? 'no group'
    : listed([...groups].sort((a, b) => a - b).map((group) => groupText(platform, group)));

/** "device 0000:00:04.0", "device 0000:00:01.0 without an IOMMU". */
const deviceText = ({ devices }: Platform, name: string): string => {
  const isNoIommu = devices.some((device) => device.name === name && device.iommu === 'noiommu');
  return `device ${visible(name)}${isNoIommu ? ' without an IOMMU' : ''}`;
};

/** An open file, with the descriptors of `process`. */
export const fileText = (world: World, process: Process, file: OpenFile): string => {
  const { platform } = world.setting;
  const numberOf = (id: FileId): string => {
    const fd = descriptorOf(world, process, id);
    return fd === undefined
      ? 'a descriptor that is closed, or of another process'
      : `descriptor ${fd}`;
  };
  return match(file)
    .with({ kind: 'iommufd' }, ({ context }) => {
      const { compatIoas, noIommu } = context;
      return [
        '/dev/iommu',
        ...(compatIoas === undefined ? [] : [`where VFIO calls use IOAS ${compatIoas}`]),
        ...(noIommu ? ['the container of a no-IOMMU group at some time'] : []),
      ].join(', ');
    })
    .with({ kind: 'container' }, ({ container }) => {
      const { groups, type1, noIommu } = container;
      const type = type1 === undefined ? 'without a type' : `type1 v${type1.version}`;
      return `/dev/vfio/vfio, ${noIommu ? 'type NOIOMMU' : type}, with ${groupsText(platform, groups)}`;
    })
    .with({ kind: 'group' }, (group) =>
      group.container === undefined
        ? `${groupText(platform, group.group)}, without a container`
        : `${groupText(platform, group.group)}, whose container is ${numberOf(group.container)}`,
    )
    .with({ kind: 'device' }, ({ name }) => deviceText(platform, name))
    .with({ kind: 'cdev' }, ({ name, bound }) => {
      const iommufd = bound ? boundDeviceOf(world, name)?.iommufd : undefined;
      return iommufd === undefined
        ? `${deviceText(platform, name)} by its own file, not bound`
        : `${deviceText(platform, name)} by its own file, bound to ${numberOf(iommufd)}`;
    })
    .with(
      { kind: 'access' },
      ({ object, iommufd }) => `the access with id ${object} of ${numberOf(iommufd)}`,
    )
    .with({ kind: 'memfd' }, ({ length }) => `memfd of ${length} bytes`)
    .with({ kind: 'unspecified' }, ({ path }) => `${visible(path)}, a file that is not specified`)
    .exhaustive();
};

/** The open file of a descriptor, as text; undefined if it is not open. */
export const descriptorText = (world: World, process: Process, fd: number): string | undefined => {
  for (const { key, value } of nodesOf(descriptorsOf(world, process))) {
    if (key !== fd) continue;
    const file = openFile(world, value);
    return file === undefined ? undefined : fileText(world, process, file);
  }
  return undefined;
};
