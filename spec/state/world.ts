// SPDX-License-Identifier: MIT
// The whole state of the specification. It is immutable: a step makes a new world that shares what did not change.

import { type Fd, fileDescriptor, type ObjectId } from '../abi/units.ts';
import { drop, nodesOf, type OrderedMap, put, valueAt } from '../collections/ordered-map.ts';
import type { Process } from '../terms/call.ts';
import type { ChangeName } from '../terms/changes.ts';
import type { PlatformDevice, Setting } from '../terms/platform.ts';
import { type Release, releaseOf, undecidedChanges } from '../terms/releases.ts';
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

/** A device that was opened through its group. All its descriptors share one binding. */
export type DeviceFile = {
  readonly kind: 'device';
  readonly name: string;
};

/** A cdev: /dev/vfio/devices/vfioN or noiommu-vfioN. It can be open several times, and at most one of them is bound. */
export type CdevFile = {
  readonly kind: 'cdev';
  readonly name: string;
  readonly bound: boolean;
  /** It was attached with PASID 0, which is the device itself, rather than without a PASID. */
  readonly attachedByPasid: boolean;
};

/** A device that is bound to an iommufd, until its last descriptor is closed. */
export type BoundDevice = {
  readonly kind: 'bound';
  readonly iommufd: FileId;
  readonly object: ObjectId;
  /** How many device files refer to it. */
  readonly opens: number;
};

/** A device under a legacy container, which keeps its group open. */
export type HeldDevice = {
  readonly kind: 'held';
  readonly group: FileId;
  /** How many device files refer to it. */
  readonly opens: number;
};

/** A device without an IOMMU that was opened through an iommufd. It refers to neither the iommufd nor its group. */
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

/** A file whose calls are not specified, or whose open the input does not show. */
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
  /** The changes that the version of the kernel does not decide, and no reply has decided. */
  readonly undecided: ReadonlySet<ChangeName>;
  readonly processes: OrderedMap<Process, ProcessState>;
  readonly files: OrderedMap<FileId, OpenFile>;
  readonly nextFile: FileId;
  /** By device name: the devices that are open through their group or bound through a cdev. */
  readonly devices: ReadonlyMap<string, OpenDevice>;
  readonly engines: Engines;
  readonly memory: Memory;
  /** How many mock devices were made; each has its own group. */
  readonly mockDevices: number;
};

/**
 * A world in which nothing is open and nothing is mapped. `knowledge` is 'complete' if every mapping and store of the
 * program will be stepped, 'recorded' if only its calls on descriptors will.
 */
export const emptyWorld = (setting: Setting, knowledge: Memory['knowledge']): World => ({
  setting,
  release: releaseOf(setting.release),
  undecided: undecidedChanges(setting.release),
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

/** The file that a descriptor of the process refers to; undefined if it is not open. */
export const fileAt = (world: World, process: Process, fd: Fd): FileId | undefined =>
  valueAt(descriptorsOf(world, process), fd);

/** The open file with the id; undefined if it is closed. */
export const openFile = (world: World, id: FileId): OpenFile | undefined =>
  valueAt(world.files, id);

export const contextOf = (world: World, id: FileId): Context => {
  const file = valueAt(world.files, id);
  if (file?.kind !== 'iommufd')
    throw new Error(`File ${id} is not an iommufd; what refers to it outlived it.`);
  return file.context;
};

export const containerOf = (world: World, id: FileId): Container => {
  const file = valueAt(world.files, id);
  if (file?.kind !== 'container')
    throw new Error(`File ${id} is not a legacy container; its group outlived it.`);
  return file.container;
};

/** The binding of the device; undefined if it is not bound. */
export const boundDeviceOf = (world: World, name: string): BoundDevice | undefined => {
  const open = world.devices.get(name);
  return open?.kind === 'bound' ? open : undefined;
};

/** The device of the platform with the name. */
export const deviceNamed = (world: World, name: string): PlatformDevice => {
  const device = world.setting.platform.devices.find((candidate) => candidate.name === name);
  if (device === undefined)
    throw new Error(`Device ${name} is open, and the platform does not have it.`);
  return device;
};

/** Written out because most steps call it: a spread costs many times as much. */
const worldWith = (world: World, files: World['files'], memory: Memory): World => ({
  setting: world.setting,
  release: world.release,
  undecided: world.undecided,
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

/** The world with a new file, to which no descriptor refers yet. */
export const withNewFile = (
  world: World,
  file: (id: FileId) => OpenFile,
): { readonly world: World; readonly id: FileId } => {
  const id = world.nextFile;
  const made: World = {
    setting: world.setting,
    release: world.release,
    undecided: world.undecided,
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
  undecided: world.undecided,
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

/** The lowest free descriptor of the process, as far as the world knows. */
export const lowestFreeDescriptor = (world: World, process: Process): Fd => {
  let fd = 3;
  for (const { key } of nodesOf(descriptorsOf(world, process))) {
    if (key > fd) break;
    if (key === fd) fd += 1;
  }
  return fileDescriptor(fd);
};
