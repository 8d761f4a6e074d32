// SPDX-License-Identifier: MIT
// Adding groups to a legacy container and removing them: vfio_container_attach_group() and
// vfio_group_detach_container() in drivers/vfio/container.c. With the last group, the type and every map are removed.

import { newContainer } from '../state/container.ts';
import type { FileId } from '../state/files.ts';
import { containerOf, type World, withContainer } from '../state/world.ts';
import type { Process } from '../terms/call.ts';
import { isRefused, type Refused } from '../terms/rule.ts';
import { attachGroup } from './attach-group.ts';
import { allUncharged, detachGroup } from './detach-group.ts';
import { longestReached, untrackedIfTooLarge } from './dirty-bitmap.ts';
import { untrackedIfFillUndecided } from './find-dma.ts';

export type Joined = {
  readonly world: World;
  /** Memory of earlier maps was pinned. */
  readonly pinned: boolean;
};

/** Adds the group to the container, and attaches it if a type is set. */
export const joinedBy = (
  world: World,
  file: FileId,
  group: number,
  process: Process,
): Joined | Refused => {
  const container = containerOf(world, file);
  const groups = [group, ...container.groups];
  if (container.type1 === undefined) {
    return { world: withContainer(world, { ...container, groups }), pinned: false };
  }
  const attached = attachGroup(world, container.type1, group, process);
  if (isRefused(attached)) return attached;
  const { type1, memory, pinned } = attached;
  const joined = { ...withContainer(world, { ...container, groups, type1 }), memory };
  const filled = untrackedIfFillUndecided(joined, file);
  return {
    world: type1.tracksDirty ? untrackedIfTooLarge(filled, file, longestReached(type1)) : filled,
    pinned,
  };
};

/** Removes the group from the container. */
export const leftBy = (world: World, file: FileId, group: number): World => {
  const container = containerOf(world, file);
  const groups = container.groups.filter((other) => other !== group);
  const { type1 } = container;
  if (groups.length === 0) {
    const memory = allUncharged(world.memory, type1?.dmas);
    const empty = { ...newContainer(container.file), groups };
    return { ...withContainer(world, empty), memory };
  }
  // The domains of an untracked container are not known.
  if (type1 === undefined || container.untracked !== undefined) {
    return withContainer(world, { ...container, groups });
  }
  const detached = detachGroup(world.setting.platform, { type1, memory: world.memory }, group);
  return {
    ...withContainer(world, { ...container, groups, type1: detached.type1 }),
    memory: detached.memory,
  };
};
