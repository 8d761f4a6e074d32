// SPDX-License-Identifier: MIT
// Checks the path on a line of a recording against the descriptor's file. The path comes from the system, so a wrong
// one means that an open or a close is missing, or that the line was changed.

import { fileAt, type OpenFile, openFile, type World } from '../../spec/state/world.ts';
import type { RecordedEvent } from '../trace/recorded-event.ts';
import type { RecordedCall } from '../trace/recording.ts';
import { shown } from '../trace/shown.ts';

const GROUP = /^\/dev\/vfio\/(?:noiommu-)?(\d+)$/;
const CDEV = /^\/dev\/vfio\/devices\/(?:noiommu-)?vfio(\d+)$/;

/** The suffix that the system appends after a device's node was removed while its file is open. */
const GONE = ' (deleted)';

const isReal = (path: string): boolean => path.startsWith('/') || path.startsWith('anon_inode:');

const isPath = (world: World, file: OpenFile, path: string): boolean => {
  switch (file.kind) {
    case 'iommufd':
      return path === '/dev/iommu';
    case 'container':
      return path === '/dev/vfio/vfio';
    case 'group':
      return GROUP.exec(path)?.[1] === `${file.group}`;
    case 'device':
      return path === 'anon_inode:[vfio-device]';
    case 'cdev': {
      const device = world.setting.platform.devices.find(({ name }) => name === file.name);
      return CDEV.exec(path)?.[1] === `${device?.cdev}`;
    }
    case 'access':
      return path === 'anon_inode:[iommufd_test_staccess]';
    case 'memfd':
      return true;
    case 'unspecified':
      // For some files only the call that made them is known.
      return path === file.path || !isReal(file.path);
  }
};

const isPathOf = (world: World, file: OpenFile, path: string): boolean =>
  isPath(world, file, path) ||
  (path.endsWith(GONE) && isPath(world, file, path.slice(0, -GONE.length)));

const alreadyOpen = (process: number, fd: number): string =>
  `process ${process} opens descriptor ${fd}, which is open: the line of its close is missing`;

const pathProblem = (world: World, fd: number, file: OpenFile, path: string): string | undefined =>
  isPathOf(world, file, path)
    ? undefined
    : `"path" is ${shown(path)}, which is not the file of descriptor ${fd}: a line before this one is missing, or this one was changed`;

/** The problem of a line's descriptor; undefined if there is none. */
export const descriptorProblem = (
  world: World,
  { call, fd, path }: RecordedCall,
): string | undefined => {
  const { process, kind } = call;
  const id = fileAt(world, process, fd);
  if (kind === 'open') {
    return id === undefined ? undefined : alreadyOpen(process, fd);
  }
  if (id === undefined) {
    return `process ${process} uses descriptor ${fd} (${path}), which was never opened`;
  }
  const opened = openFile(world, id);
  return opened === undefined ? undefined : pathProblem(world, fd, opened, path);
};

type Copy = Extract<RecordedEvent, { kind: 'dup' }>;

/** The same for a copy of a descriptor. */
export const copyProblem = (
  world: World,
  { process, from, fd, path }: Copy,
): string | undefined => {
  if (fileAt(world, process, fd) !== undefined) return alreadyOpen(process, fd);
  const id = fileAt(world, process, from);
  const copied = id === undefined ? undefined : openFile(world, id);
  return copied === undefined ? undefined : pathProblem(world, from, copied, path);
};
