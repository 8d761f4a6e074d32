// One program on both sides at once, as the specification has it. Forks are cheap: worlds share what stayed the same.

import { Draft, type Expectation } from '../../model/programs/draft.ts';
import type { Operation, Program } from '../../model/programs/program.ts';
import type { World } from '../../spec/world.ts';
import { operationOn } from './side.ts';

/** What both sides answer to one operation. */
export type Answers = { readonly legacy: Expectation; readonly compat: Expectation };

export class Twin {
  readonly legacy: Draft;
  readonly compat: Draft;

  constructor(legacy: Draft, compat: Draft) {
    this.legacy = legacy;
    this.compat = compat;
  }

  fork(): Twin {
    return new Twin(this.legacy.fork(), this.compat.fork());
  }

  /** What a program did so far, as the legacy side makes it. */
  get program(): Program {
    return this.legacy.operations;
  }

  add(operation: Operation): Answers {
    this.legacy.add(operationOn('legacy', operation));
    this.compat.add(operationOn('compat', operation));
    return {
      legacy: this.legacy.expectations.at(-1) as Expectation,
      compat: this.compat.expectations.at(-1) as Expectation,
    };
  }
}

/** Both sides before the first operation. */
export const startOfTwin = (start: World): Twin => new Twin(new Draft(start), new Draft(start));
