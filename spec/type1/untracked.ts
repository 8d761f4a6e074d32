// SPDX-License-Identifier: MIT
// What the specification does not say of legacy containers: after such a call nothing more is said of the container.

import type { Unspecified } from '../outcome/outcome.ts';
import type { FileId } from '../state/files.ts';
import { containerOf, type World, withContainer } from '../state/world.ts';

export const untracked = (world: World, file: FileId, why: string): World =>
  withContainer(world, { ...containerOf(world, file), untracked: why });

/** Maps that end with the last byte of the address space, beside what makes it hard to say where they are seen. */
export const withMissedUntracked = (world: World, file: FileId): World =>
  untracked(world, file, 'a map that ends with the last byte of the address space was lost');

/** An unspecified call after which nothing is known of the container, unless it failed. */
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
