// SPDX-License-Identifier: MIT
// A world with another value of a fact that the input does not state: what it would be if that had been the value from the
// start. Only what follows from earlier replies is kept in a world, so that no call has to be made again.

import { PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import { nodesOf, put } from '../../spec/collections/ordered-map.ts';
import type { World } from '../../spec/state/world.ts';
import type { Credentials, Platform } from '../../spec/terms/platform.ts';

/** From now on, with these credentials: what was charged before stays. */
export const withCredentials = (world: World, change: Partial<Credentials>): World => {
  const credentials = { ...world.setting.credentials, ...change };
  return {
    ...world,
    setting: { ...world.setting, credentials },
    memory: { ...world.memory, credentials },
  };
};

/** RLIMIT_MEMLOCK in pages, less what is locked that the input does not show. */
export const withMemlock = (world: World, pages: bigint): World =>
  withCredentials(world, { memlockLimit: pages * PAGE_SIZE_BYTES });

const withPlatform = (world: World, change: Partial<Platform>): World => ({
  ...world,
  setting: { ...world.setting, platform: { ...world.setting.platform, ...change } },
});

/** A container counts the maps that it still takes, from the limit down. */
export const withDmaEntryLimit = (world: World, limit: number): World => {
  const more = limit - world.setting.platform.dmaEntryLimit;
  let { files } = world;
  for (const { key, value } of [...nodesOf(files)]) {
    if (value.kind !== 'container' || value.container.type1 === undefined) continue;
    const { type1 } = value.container;
    const container = {
      ...value.container,
      type1: { ...type1, available: type1.available + more },
    };
    files = put(files, key, { ...value, container });
  }
  return { ...withPlatform(world, { dmaEntryLimit: limit }), files };
};

/** Whether each of the drivers lets devices be used, as far as their interrupts go. */
export const withInterrupts = (world: World, type1: boolean, iommufd: boolean): World => {
  if (!type1 || !iommufd) return withPlatform(world, { unsafeInterrupts: { type1, iommufd } });
  const { unsafeInterrupts: _, ...platform } = world.setting.platform;
  return { ...world, setting: { ...world.setting, platform } };
};

export const withGroupsInUse = (world: World, groupsInUse: readonly number[]): World =>
  withPlatform(world, { groupsInUse });
