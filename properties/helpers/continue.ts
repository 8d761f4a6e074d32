// SPDX-License-Identifier: MIT
// The outcomes of further calls in a world that was reached: laws continue from there.

import { type Expectation, ProgramBuilder } from '../../model/programs/builder.ts';
import type { Operation } from '../../model/programs/program.ts';
import type { Fd } from '../../spec/abi/units.ts';
import { nodesOf, put } from '../../spec/collections/ordered-map.ts';
import type { Outcome } from '../../spec/outcome/outcome.ts';
import type { FileId } from '../../spec/state/files.ts';
import { spaceOf } from '../../spec/state/memory.ts';
import { descriptorsOf, type World } from '../../spec/state/world.ts';
import { step } from '../../spec/step.ts';
import type { Process } from '../../spec/terms/call.ts';

export type Continued = { readonly world: World; readonly expected: readonly Expectation[] };

/** The operations made one after the other. Labels of the program that led to the world are not known here. */
export const continued = (world: World, operations: readonly Operation[]): Continued => {
  const builder = new ProgramBuilder(world);
  for (const operation of operations) builder.add(operation);
  return { world: builder.world, expected: builder.expectations };
};

/** The world after the operations if each of them succeeds; undefined where one fails. */
export const ifAllSucceed = (world: World, operations: readonly Operation[]): World | undefined => {
  const { world: after, expected } = continued(world, operations);
  return expected.every(({ result, rule }) => result >= 0 && rule !== undefined)
    ? after
    : undefined;
};

/** A descriptor of the program for the file, if it has one. */
export const descriptorOf = (world: World, file: FileId): Fd | undefined => {
  for (const { key, value } of nodesOf(descriptorsOf(world, 1))) if (value === file) return key;
  return undefined;
};

/** The outcomes of one more call, made by any process. */
export const outcomesOf = (
  world: World,
  operation: Operation,
  process: Process = 1,
): readonly Outcome[] => {
  const [expectation] = continued(world, [operation]).expected;
  if (expectation === undefined) throw new Error('An operation gives one expectation.');
  return step(world, { ...expectation.call, process });
};

/** The world in which process 2 has the same descriptors and mappings as process 1, as after a fork. */
export const forked = (world: World): World => {
  const { memory } = world;
  return {
    ...world,
    processes: put(world.processes, 2, { descriptors: descriptorsOf(world, 1) }),
    memory: { ...memory, spaces: put(memory.spaces, 2, spaceOf(memory, 1)) },
  };
};
