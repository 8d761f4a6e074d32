// SPDX-License-Identifier: MIT
// A VFIO call on a legacy container whose type is set, as its handler gets it.

import type { Outcome } from '../outcome/outcome.ts';
import type { Type1 } from '../state/container.ts';
import type { FileId } from '../state/files.ts';
import type { Memory } from '../state/memory.ts';
import { containerOf, type World, withContainer, withMemory } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';

export type Type1Request = {
  readonly world: World;
  /** The container that the call is made on. */
  readonly file: FileId;
  readonly type1: Type1;
  readonly call: IoctlCall;
};

export type Type1Handler = (request: Type1Request) => readonly Outcome[];

/** The world with another state of the container, and of memory. */
export const withType1 = (
  { world, file }: Type1Request,
  type1: Type1,
  memory: Memory = world.memory,
): World => withContainer(withMemory(world, memory), { ...containerOf(world, file), type1 });
