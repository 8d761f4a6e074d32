// SPDX-License-Identifier: MIT
// A world with another value of a fact that the input does not state, as if the fact had that value from the start. A
// world keeps only what follows from earlier replies, so no call has to be repeated.

import { PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import { nodesOf, put } from '../../spec/collections/ordered-map.ts';
import type { World } from '../../spec/state/world.ts';
import type { Credentials, Platform } from '../../spec/terms/platform.ts';

/** With these credentials from now on: earlier charges stay. */
export const withCredentials = (world: World, change: Partial<Credentials>): World => {
  const credentials = { ...world.setting.credentials, ...change };
  return {
    ...world,
    setting: { ...world.setting, credentials },
    memory: { ...world.memory, credentials },
  };
};

/** RLIMIT_MEMLOCK in pages, less the locked pages that the input does not show. */
export const withMemlock = (world: World, pages: bigint): World =>
  withCredentials(world, { memlockLimit: pages * PAGE_SIZE_BYTES });

const withPlatform = (world: World, change: Partial<Platform>): World => ({
  ...world,
  setting: { ...world.setting, platform: { ...world.setting.platform, ...change } },
});

/** A container counts its available maps down from the limit. */
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

/** For each driver, whether it permits devices with regard to interrupts. */
export const withInterrupts = (world: World, type1: boolean, iommufd: boolean): World => {
  if (!type1 || !iommufd) return withPlatform(world, { unsafeInterrupts: { type1, iommufd } });
  const { unsafeInterrupts: _, ...platform } = world.setting.platform;
  return { ...world, setting: { ...world.setting, platform } };
};

export const withGroupsInUse = (world: World, groupsInUse: readonly number[]): World =>
  withPlatform(world, { groupsInUse });
