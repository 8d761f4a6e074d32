// SPDX-License-Identifier: MIT
// Legacy containers that become untracked.

import type { Unspecified } from '../outcome/outcome.ts';
import type { FileId } from '../state/files.ts';
import { containerOf, type World, withContainer } from '../state/world.ts';

export const untracked = (world: World, file: FileId, why: string): World =>
  withContainer(world, { ...containerOf(world, file), untracked: why });

/** An unspecified call after which the container is untracked, unless the call failed. */
export const untracking = (
  after: World,
  before: World,
  file: FileId,
  why: string,
): Unspecified => ({
  kind: 'unspecified',
  what: why,
  world: ({ errno }) => (errno === 0 ? untracked(after, file, why) : before),
});
