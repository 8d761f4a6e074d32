// SPDX-License-Identifier: MIT
// The whole state of the specification. Nothing in it is ever changed; every step makes a new one that shares
// what stayed the same.

import { type Fd, fileDescriptor, type ObjectId } from '../abi/units.ts';
import { drop, nodesOf, type OrderedMap, put, valueAt } from '../collections/ordered-map.ts';
import type { Process } from '../terms/call.ts';
import type { PlatformDevice, Setting } from '../terms/platform.ts';
import { RELEASES, type Release } from '../terms/releases.ts';
import type { BackingId } from './address-space.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { type Engines, NO_ENGINES } from './engines.ts';
import type { FileId } from './files.ts';
import type { IommufdState } from './iommufd-state.ts';
import { emptyMemory, type Memory } from './memory.ts';

export type IommufdFile = { readonly kind: 'iommufd'; readonly context: Context };

/** The legacy container: /dev/vfio/vfio. */
export type ContainerFile = { readonly kind: 'container'; readonly container: Container };

/** A group's device file: /dev/vfio/N, or /dev/vfio/noiommu-N. */
export type GroupFile = {
  readonly kind: 'group';
  readonly group: number;
  /** The iommufd or legacy container that it has joined. */
  readonly container: FileId | undefined;
};

/** A device that was got from a group. All descriptors of one device share what they bind. */
export type DeviceFile = {
  readonly kind: 'device';
  readonly name: string;
};

/** A device's own file: /dev/vfio/devices/vfioN or noiommu-vfioN. Several may be open, and one of them at most is bound. */
export type CdevFile = {
  readonly kind: 'cdev';
  readonly name: string;
  readonly bound: boolean;
  /** Attached as PASID 0, which is the device itself, and not as the device. */
  readonly attachedByPasid: boolean;
};

/** What the first descriptor of a device bound, and the last one lets go. */
export type BoundDevice = {
  readonly kind: 'bound';
  readonly iommufd: FileId;
  readonly object: ObjectId;
  /** How many device files refer to it. */
  readonly opens: number;
};

/** Under a legacy container a device holds its group open. */
export type HeldDevice = {
  readonly kind: 'held';
  readonly group: FileId;
  /** How many device files refer to it. */
  readonly opens: number;
};

/** A device without an IOMMU that was got through an iommufd, and holds neither that nor its group. */
export type UnboundDevice = {
  readonly kind: 'unbound';
  /** How many device files refer to it. */
  readonly opens: number;
};

export type OpenDevice = BoundDevice | HeldDevice | UnboundDevice;

/** An access that the test command made. */
export type AccessFile = {
  readonly kind: 'access';
  readonly iommufd: FileId;
  readonly object: ObjectId;
};

export type MemfdFile = {
  readonly kind: 'memfd';
  readonly backing: BackingId;
  /** Bytes. */
  readonly length: bigint;
};

/** A descriptor whose calls are not specified, or a file of which the input does not show how it was opened. */
export type UnspecifiedFile = {
  readonly kind: 'unspecified';
  readonly path: string;
  /** Why the state of a file whose calls are specified is not known. */
  readonly why?: string;
};

export type OpenFile =
  | IommufdFile
  | ContainerFile
  | GroupFile
  | DeviceFile
  | CdevFile
  | AccessFile
  | MemfdFile
  | UnspecifiedFile;

export type Descriptors = OrderedMap<Fd, FileId>;

export type ProcessState = { readonly descriptors: Descriptors };

export type World = {
  readonly setting: Setting;
  readonly release: Release;
  readonly processes: OrderedMap<Process, ProcessState>;
  readonly files: OrderedMap<FileId, OpenFile>;
  readonly nextFile: FileId;
  /** By the device's name: what is bound through groups or devices' own files. */
  readonly devices: ReadonlyMap<string, OpenDevice>;
  readonly engines: Engines;
  readonly memory: Memory;
  /** How many mock devices were made; each is a group of its own. */
  readonly mockDevices: number;
};

/**
 * A world in which nothing is open and nothing is mapped. `knowledge` is 'complete' where every mapping and store of the
 * program is a call that is stepped, 'recorded' where only its calls on descriptors are.
 */
export const emptyWorld = (setting: Setting, knowledge: Memory['knowledge']): World => ({
  setting,
  release: RELEASES[setting.release],
  processes: undefined,
  files: undefined,
  nextFile: 1,
  devices: new Map(),
  engines: NO_ENGINES,
  memory: emptyMemory(knowledge, setting.credentials),
  mockDevices: 0,
});

export const descriptorsOf = (world: World, process: Process): Descriptors =>
  valueAt(world.processes, process)?.descriptors;

/** What the descriptor of the process refers to; undefined where it is not open. */
export const fileAt = (world: World, process: Process, fd: Fd): FileId | undefined =>
  valueAt(descriptorsOf(world, process), fd);

/** The open file of that id; undefined where it is closed. */
export const openFile = (world: World, id: FileId): OpenFile | undefined =>
  valueAt(world.files, id);

export const contextOf = (world: World, id: FileId): Context => {
  const file = valueAt(world.files, id);
  if (file?.kind !== 'iommufd')
    throw new Error(`File ${id} is no iommufd; its holder outlived it.`);
  return file.context;
};

export const containerOf = (world: World, id: FileId): Container => {
  const file = valueAt(world.files, id);
  if (file?.kind !== 'container')
    throw new Error(`File ${id} is no legacy container; its group outlived it.`);
  return file.container;
};

/** What the device is bound to; undefined where it is not open, or open under a legacy container. */
export const boundDeviceOf = (world: World, name: string): BoundDevice | undefined => {
  const open = world.devices.get(name);
  return open?.kind === 'bound' ? open : undefined;
};

/** The platform's device of that name. */
export const deviceNamed = (world: World, name: string): PlatformDevice => {
  const device = world.setting.platform.devices.find((candidate) => candidate.name === name);
  if (device === undefined) throw new Error(`The platform has no device ${name}, and it is open.`);
  return device;
};

/** Written out, as each step makes such worlds: a spread costs many times as much. */
const worldWith = (world: World, files: World['files'], memory: Memory): World => ({
  setting: world.setting,
  release: world.release,
  processes: world.processes,
  files,
  nextFile: world.nextFile,
  devices: world.devices,
  engines: world.engines,
  memory,
  mockDevices: world.mockDevices,
});

export const withMemory = (world: World, memory: Memory): World =>
  worldWith(world, world.files, memory);

export const withFile = (world: World, id: FileId, file: OpenFile): World =>
  worldWith(world, put(world.files, id, file), world.memory);

export const withoutFile = (world: World, id: FileId): World =>
  worldWith(world, drop(world.files, id), world.memory);

export const withContext = (world: World, context: Context): World =>
  withFile(world, context.file, { kind: 'iommufd', context });

export const withContainer = (world: World, container: Container): World =>
  withFile(world, container.file, { kind: 'container', container });

export const stateOf = (world: World, id: FileId): IommufdState => ({
  context: contextOf(world, id),
  memory: world.memory,
});

export const withState = (world: World, { context, memory }: IommufdState): World =>
  worldWith(world, put(world.files, context.file, { kind: 'iommufd', context }), memory);

/** The world with a new file, not yet behind any descriptor. */
export const withNewFile = (
  world: World,
  file: (id: FileId) => OpenFile,
): { readonly world: World; readonly id: FileId } => {
  const id = world.nextFile;
  const made: World = {
    setting: world.setting,
    release: world.release,
    processes: world.processes,
    files: put(world.files, id, file(id)),
    nextFile: id + 1,
    devices: world.devices,
    engines: world.engines,
    memory: world.memory,
    mockDevices: world.mockDevices,
  };
  return { world: made, id };
};

const withDescriptors = (world: World, process: Process, descriptors: Descriptors): World => ({
  setting: world.setting,
  release: world.release,
  processes: put(world.processes, process, { descriptors }),
  files: world.files,
  nextFile: world.nextFile,
  devices: world.devices,
  engines: world.engines,
  memory: world.memory,
  mockDevices: world.mockDevices,
});

export const withDescriptor = (world: World, process: Process, fd: Fd, file: FileId): World =>
  withDescriptors(world, process, put(descriptorsOf(world, process), fd, file));

export const withoutDescriptor = (world: World, process: Process, fd: Fd): World =>
  withDescriptors(world, process, drop(descriptorsOf(world, process), fd));

/** The least descriptor that the process does not use, as far as the world knows. */
export const leastFreeDescriptor = (world: World, process: Process): Fd => {
  let fd = 3;
  for (const { key } of nodesOf(descriptorsOf(world, process))) {
    if (key > fd) break;
    if (key === fd) fd += 1;
  }
  return fileDescriptor(fd);
};
