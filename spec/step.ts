// SPDX-License-Identifier: MIT
// The replies that the specification allows to a call. Pure: the given world does not change.

import { match } from 'ts-pattern';
import { dma } from './hardware/dma.ts';
import { iommufdIoctl } from './iommufd-ioctl.ts';
import { storedAt } from './memory/contents.ts';
import { memfd, mmap, munmap, store } from './memory/memory-calls.ts';
import { status } from './memory/status.ts';
import { failed, type Outcome, succeeded } from './outcome/outcome.ts';
import {
  fileAt,
  type OpenFile,
  openFile,
  type World,
  withMemory,
  withoutDescriptor,
} from './state/world.ts';
import type { Call, CloseCall, IoctlCall, Process, Segment } from './terms/call.ts';
import { grants, refuses, rulesOf } from './terms/rule.ts';
import { type1Call } from './type1/type1-call.ts';
import { deviceIoctl } from './vfio/device-call.ts';
import { groupIoctl } from './vfio/group-call.ts';
import { open } from './vfio/open.ts';
import { releasedIfUnused } from './vfio/release.ts';
import { unspecifiedIoctl } from './vfio/unspecified-ioctl.ts';

export const descriptorsRules = rulesOf(
  { id: 'descriptors', title: 'descriptors', source: 'close(2), ioctl(2)' },
  {
    badDescriptor: refuses('EBADF', 'The descriptor is not open.'),
    closes: grants(
      'Closes the descriptor. The last reference to a file releases the file and what it owns.',
    ),
    noIoctls: refuses('ENOTTY', 'The file is an access or a memfd, which has no such ioctls.'),
  },
);

const close = (world: World, call: CloseCall): readonly Outcome[] => {
  const file = fileAt(world, call.process, call.fd);
  if (file === undefined) return [failed(descriptorsRules.badDescriptor, world)];
  const without = withoutDescriptor(world, call.process, call.fd);
  return [succeeded(descriptorsRules.closes, releasedIfUnused(without, file))];
};

const ioctlOn = (world: World, id: number, file: OpenFile, call: IoctlCall): readonly Outcome[] => {
  if (file.kind === 'iommufd') return iommufdIoctl(world, id, call);
  return match(file)
    .with({ kind: 'container' }, () => type1Call(world, id, call))
    .with({ kind: 'group' }, (group) => groupIoctl(world, id, group, call))
    .with({ kind: 'device' }, { kind: 'cdev' }, (device) => deviceIoctl(world, id, device, call))
    .with({ kind: 'unspecified' }, (unknown) => [unspecifiedIoctl(world, call, unknown)])
    .with({ kind: 'access' }, { kind: 'memfd' }, () => [failed(descriptorsRules.noIoctls, world)])
    .exhaustive();
};

const ioctl = (world: World, call: IoctlCall): readonly Outcome[] => {
  const prepared = withStores(world, call.process, call.memory);
  const id = fileAt(prepared, call.process, call.fd);
  const file = id === undefined ? undefined : openFile(prepared, id);
  return id === undefined || file === undefined
    ? [failed(descriptorsRules.badDescriptor, prepared)]
    : ioctlOn(prepared, id, file, call);
};

/** The world after bytes were stored into the memory of a process, by the program or by the kernel. */
export const withStores = (world: World, process: Process, segments: readonly Segment[]): World => {
  if (world.memory.knowledge === 'recorded' || segments.length === 0) return world;
  let { memory } = world;
  for (const { address, bytes } of segments) memory = storedAt(memory, process, address, bytes);
  return memory === world.memory ? world : withMemory(world, memory);
};

/**
 * Every reply that the specification allows to a call, each with its rule and the world that follows. What a reply
 * writes to memory is not yet in its world: see withStores.
 */
export const step = (world: World, call: Call): readonly Outcome[] => {
  switch (call.kind) {
    case 'ioctl':
      return ioctl(world, call);
    case 'open':
      return open(world, call);
    case 'close':
      return close(world, call);
    case 'memfd':
      return memfd(world, call);
    case 'mmap':
      return mmap(world, call);
    case 'munmap':
      return munmap(world, call);
    case 'store':
      return store(world, call);
    case 'dma':
      return dma(world, call);
    case 'status':
      return status(world, call);
  }
};
