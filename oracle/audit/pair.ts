// SPDX-License-Identifier: MIT
// One program on both sides at once, as the specification has it: on both containers, or on one of them in two releases. Forks are cheap: worlds share what stayed the same.

import { type Expectation, ProgramBuilder } from '../../model/programs/builder.ts';
import type { Operation, Program } from '../../model/programs/program.ts';
import type { World } from '../../spec/state/world.ts';
import { operationOn, SIDES, type Side } from './side.ts';

/** What both sides answer to one operation. */
export type Answers = { readonly legacy: Expectation; readonly compat: Expectation };

/** Which container the two programs have. Where it is the same one, they are of two releases. */
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

  /** Whether it is two releases that are compared. */
  get isOfReleases(): boolean {
    return this.sides[0] === this.sides[1];
  }

  /** What a program did so far, as the legacy side makes it. */
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
