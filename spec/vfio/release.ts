// SPDX-License-Identifier: MIT
// Releasing a file when nothing refers to it any more. Groups, bound devices and accesses refer to their iommufd. A
// device under a legacy container refers to its group.

import { nodesOf, valuesOf } from '../collections/ordered-map.ts';
import { detachAccess } from '../iommufd/access-attach.ts';
import { uncharged } from '../memory/accounting.ts';
import { withoutObject } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import { pinnedCount } from '../state/pages.ts';
import {
  type AccessFile,
  type CdevFile,
  contextOf,
  type DeviceFile,
  openFile,
  stateOf,
  type World,
  withMemory,
  withoutFile,
  withState,
} from '../state/world.ts';
import { leftBy } from '../type1/membership.ts';
import { detachedDevice } from './bind-device.ts';

/** Whether a device under a legacy container refers to the file of a group. */
export const hasOpenDevice = (world: World, id: FileId): boolean => {
  for (const device of world.devices.values()) {
    if (device.kind === 'held' && device.group === id) return true;
  }
  return false;
};

/** Whether a descriptor or another file refers to the file. */
const isReferenced = (world: World, id: FileId): boolean => {
  for (const { descriptors } of valuesOf(world.processes)) {
    for (const file of valuesOf(descriptors)) if (file === id) return true;
  }
  if (hasOpenDevice(world, id)) return true;
  for (const device of world.devices.values()) {
    if (device.kind === 'bound' && device.iommufd === id) return true;
  }
  for (const { value } of nodesOf(world.files)) {
    if (value.kind === 'group' && value.container === id) return true;
    if (value.kind === 'access' && value.iommufd === id) return true;
  }
  return false;
};

const releasedDevice = (world: World, id: FileId, file: DeviceFile | CdevFile): World => {
  const open = world.devices.get(file.name);
  if (open === undefined) throw new Error(`Device ${file.name} is closed and was not open.`);
  const devices = new Map(world.devices);
  const without = withoutFile(world, id);
  if (open.opens > 1) {
    devices.set(file.name, { ...open, opens: open.opens - 1 });
    return { ...without, devices };
  }
  devices.delete(file.name);
  if (open.kind === 'unbound') return { ...without, devices };
  if (open.kind === 'held') return releasedIfUnused({ ...without, devices }, open.group);
  const state = stateOf(world, open.iommufd);
  const detached = detachedDevice(state, open.object);
  const unbound = {
    context: withoutObject(detached.context, open.object),
    memory: detached.memory,
  };
  const after = withState({ ...without, devices }, unbound);
  return releasedIfUnused(after, open.iommufd);
};

const releasedAccess = (world: World, id: FileId, file: AccessFile): World => {
  const detached = detachAccess(stateOf(world, file.iommufd), file.object);
  const gone = { context: withoutObject(detached.context, file.object), memory: detached.memory };
  return releasedIfUnused(withState(withoutFile(world, id), gone), file.iommufd);
};

/** Uncharges everything that the iommufd has pinned. */
const releasedIommufd = (world: World, id: FileId): World => {
  let { memory } = world;
  for (const pages of valuesOf(contextOf(world, id).pages)) {
    memory = uncharged(memory, pages.process, pages.charge, pinnedCount(pages));
  }
  return withoutFile(withMemory(world, memory), id);
};

/** The world without the file, if nothing refers to it. */
export const releasedIfUnused = (world: World, id: FileId): World => {
  const file = openFile(world, id);
  if (file === undefined || isReferenced(world, id)) return world;
  switch (file.kind) {
    case 'device':
      return releasedDevice(world, id, file);
    case 'cdev':
      return file.bound ? releasedDevice(world, id, file) : withoutFile(world, id);
    case 'access':
      return releasedAccess(world, id, file);
    case 'iommufd':
      return releasedIommufd(world, id);
    case 'group': {
      const without = withoutFile(world, id);
      const { container, group } = file;
      if (container === undefined) return without;
      const isLegacy = openFile(world, container)?.kind === 'container';
      return releasedIfUnused(isLegacy ? leftBy(without, container, group) : without, container);
    }
    default:
      return withoutFile(world, id);
  }
};
