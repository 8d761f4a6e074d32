// SPDX-License-Identifier: MIT
// The legacy containers of a call: its own, its group's, its device's, or the one that it names.

import { fileDescriptor } from '../../spec/abi/units.ts';
import { nodesOf } from '../../spec/collections/ordered-map.ts';
import type { FileId } from '../../spec/state/files.ts';
import { fileAt, openFile, type World } from '../../spec/state/world.ts';
import type { Call, IoctlCall } from '../../spec/terms/call.ts';
import type { CallShape } from './call-shape.ts';

type Values = Readonly<Record<string, number | bigint>>;

/** IOVAs of a container, `length` bytes of them. */
export type ContainerRange = {
  /** "the range to map". */
  readonly what: string;
  readonly start: bigint;
  readonly length: bigint;
};

/** The container, or the iommufd, that the device's group has joined. */
export const containerOfDevice = (world: World, name: string): FileId | undefined => {
  const open = world.devices.get(name);
  const group = open?.kind === 'held' ? openFile(world, open.group) : undefined;
  return group?.kind === 'group' ? group.container : undefined;
};

/** The file for VFIO calls behind a descriptor: an iommufd, or a legacy container. */
const vfioFileOf = (world: World, call: Extract<Call, { fd: number }>): FileId | undefined => {
  const id = fileAt(world, call.process, call.fd);
  const file = id === undefined ? undefined : openFile(world, id);
  switch (file?.kind) {
    case 'iommufd':
    case 'container':
      return id;
    case 'group':
      return file.container;
    case 'device':
    case 'cdev': {
      const open = world.devices.get(file.name);
      return open?.kind === 'bound' ? open.iommufd : containerOfDevice(world, file.name);
    }
    default:
      return undefined;
  }
};

/** By call: the field with the descriptor of the file to join or bind to. */
const FILE_FIELDS: Readonly<Record<string, string>> = {
  VFIO_GROUP_SET_CONTAINER: 'fd',
  VFIO_DEVICE_BIND_IOMMUFD: 'iommufd',
};

/** The file that the call acts on, or names if it acts on none yet. */
export const fileOfContext = (
  world: World,
  call: Extract<Call, { fd: number }>,
  name: string,
  values: Values,
): FileId | undefined => {
  const own = vfioFileOf(world, call);
  const field = FILE_FIELDS[name];
  if (own !== undefined || field === undefined) return own;
  return fileAt(world, call.process, fileDescriptor(Number(values[field] ?? 0) | 0));
};

export const isContainer = (world: World, file: FileId): boolean =>
  openFile(world, file)?.kind === 'container';

/** Every open file of that kind. */
export const openFiles = (world: World, kind: 'iommufd' | 'container'): readonly FileId[] => {
  const found: FileId[] = [];
  for (const { key, value } of nodesOf(world.files)) if (value.kind === kind) found.push(key);
  return found;
};

const RANGES: Readonly<Record<string, string>> = {
  VFIO_IOMMU_MAP_DMA: 'the range to map',
  VFIO_IOMMU_UNMAP_DMA: 'the range to unmap',
  VFIO_IOMMU_DIRTY_PAGES: 'the range to report',
};

/** The IOVAs of an ioctl of a container, or of a transfer. */
export const containerRanges = (
  call: IoctlCall | Extract<Call, { kind: 'dma' }>,
  shape: CallShape,
  values: Values,
): readonly ContainerRange[] => {
  if (call.kind === 'dma') {
    return [{ what: 'the transfer', start: call.iova, length: BigInt(call.length) }];
  }
  const what = RANGES[shape.name];
  return what === undefined || values.iova === undefined
    ? []
    : [{ what, start: BigInt(values.iova), length: BigInt(values.size ?? 0) }];
};
