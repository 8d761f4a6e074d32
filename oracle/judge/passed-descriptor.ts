// SPDX-License-Identifier: MIT
// Descriptors whose open a recording does not show: they came over a socket, through pidfd_getfd(), or from the parent.

import { newContainer } from '../../spec/state/container.ts';
import { newContext } from '../../spec/state/context.ts';
import type { FileId } from '../../spec/state/files.ts';
import {
  fileAt,
  type OpenFile,
  type World,
  withDescriptor,
  withNewFile,
} from '../../spec/state/world.ts';
import type { RecordedCall } from '../trace/recording.ts';

const VFIO = /^\/dev\/vfio\/|^anon_inode:\[(?:vfio|iommufd)/;

/** The open file of the path, if only the path is known; undefined if no call on such a file is specified. */
const unknownFile = (path: string, id: FileId): OpenFile | undefined => {
  const untracked = `a call that the recording does not show, before ${path} was passed,`;
  if (path === '/dev/iommu') {
    return { kind: 'iommufd', context: { ...newContext(id), untracked } };
  }
  if (path === '/dev/vfio/vfio') {
    return { kind: 'container', container: { ...newContainer(id), untracked } };
  }
  const why = `the recording does not show how ${path} was opened`;
  return VFIO.test(path) ? { kind: 'unspecified', path, why } : undefined;
};

/** The world in which the call's descriptor is open. */
export const withPassedDescriptor = (world: World, { call, fd, path }: RecordedCall): World => {
  const { process, kind } = call;
  if (kind === 'open' || fileAt(world, process, fd) !== undefined) return world;
  const file = unknownFile(path, world.nextFile);
  if (file === undefined) return world;
  const opened = withNewFile(world, () => file);
  return withDescriptor(opened.world, process, fd, opened.id);
};
