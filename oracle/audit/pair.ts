// SPDX-License-Identifier: MIT
// One program on both sides at once, on the specification: on both containers, or on one container in two releases. Forks
// are cheap, because worlds share what did not change.

import { type Expectation, ProgramBuilder } from '../../model/programs/builder.ts';
import type { Operation, Program } from '../../model/programs/program.ts';
import type { World } from '../../spec/state/world.ts';
import { operationOn, SIDES, type Side } from './side.ts';

/** The answers of both sides to one operation. */
export type Answers = { readonly legacy: Expectation; readonly compat: Expectation };

/** The containers of the two programs; in a comparison of releases both are the same. */
export type Sides = readonly [legacy: Side, compat: Side];

export class Pair {
  readonly legacy: ProgramBuilder;
  readonly compat: ProgramBuilder;
  readonly sides: Sides;

  constructor(legacy: ProgramBuilder, compat: ProgramBuilder, sides: Sides) {
    this.legacy = legacy;
    this.compat = compat;
    this.sides = sides;
  }

  fork(): Pair {
    return new Pair(this.legacy.fork(), this.compat.fork(), this.sides);
  }

  /** Whether two releases are compared. */
  get isOfReleases(): boolean {
    return this.sides[0] === this.sides[1];
  }

  /** The program so far, as on the legacy side. */
  get program(): Program {
    return this.legacy.operations;
  }

  add(operation: Operation): Answers {
    this.legacy.add(operationOn(this.sides[0], operation));
    this.compat.add(operationOn(this.sides[1], operation));
    return {
      legacy: this.legacy.expectations.at(-1) as Expectation,
      compat: this.compat.expectations.at(-1) as Expectation,
    };
  }
}

/** Both sides before the first operation. */
export const startOfPair = (start: World): Pair =>
  new Pair(new ProgramBuilder(start), new ProgramBuilder(start), SIDES);

/** One container in two releases. */
export const startOfReleases = (earlier: World, later: World, side: Side): Pair =>
  new Pair(new ProgramBuilder(earlier), new ProgramBuilder(later), [side, side]);
