// SPDX-License-Identifier: MIT
// A law is one statement that must hold, as data: its kind, a name, and what contradicts it. Laws are declared with their
// statement in a comment above them, and checked on every world that generated programs reach.

import { suite } from 'uvu';
import {
  type Comparison,
  type Contradiction,
  compared,
  DOES_NOT_APPLY,
  type WorldLaw,
} from '../../model/laws/law.ts';
import type { World } from '../../spec/state/world.ts';
import { describeVisit } from './describe.ts';
import { type Visit, visits } from './visits.ts';

export { type Comparison, type Contradiction, compared, DOES_NOT_APPLY };

export type Law =
  /** Holds in every world. */
  | {
      readonly kind: 'always';
      readonly name: string;
      readonly contradiction: (world: World) => Contradiction;
    }
  /** Holds of every step: the world before, the call, and what came of it. `every`: only each nth step is checked. */
  | {
      readonly kind: 'step';
      readonly name: string;
      readonly every: number;
      readonly contradiction: (visit: Visit) => Contradiction;
    }
  /** Must happen at least once, or the programs miss what they are for. */
  | {
      readonly kind: 'sometimes';
      readonly name: string;
      readonly happens: (visit: Visit) => boolean;
    }
  /** Two ways that must lead to the same; must apply at least `atLeast` times. */
  | {
      readonly kind: 'refinement';
      readonly name: string;
      readonly atLeast: number;
      readonly compare: (visit: Visit) => Comparison;
    };

export const always = (name: string, contradiction: (world: World) => Contradiction): Law => ({
  kind: 'always',
  name,
  contradiction,
});

/** The laws of every world, as tests check them. */
export const alwaysAll = (laws: readonly WorldLaw[]): readonly Law[] =>
  laws.map(({ name, contradiction }) => always(name, contradiction));

export const eachStep = (
  name: string,
  contradiction: (visit: Visit) => Contradiction,
  every = 1,
): Law => ({ kind: 'step', name, every, contradiction });

export const sometimes = (name: string, happens: (visit: Visit) => boolean): Law => ({
  kind: 'sometimes',
  name,
  happens,
});

export const refinement = (
  name: string,
  atLeast: number,
  compare: (visit: Visit) => Comparison,
): Law => ({ kind: 'refinement', name, atLeast, compare });

/** Fails a test with what is said and nothing else: the stack leads to this file only. */
const fail = (message: string): never => {
  const error = new Error(message);
  error.stack = '';
  throw error;
};

/** Fails with the contradiction that the fewest operations lead to, if there is one. */
const failOnFirst = (every: number, contradiction: (visit: Visit) => Contradiction): void => {
  let shortest: { readonly visit: Visit; readonly found: string } | undefined;
  for (const [index, visit] of visits().entries()) {
    if (index % every !== 0 || (shortest !== undefined && shortest.visit.index <= visit.index))
      continue;
    const found = contradiction(visit);
    if (found !== undefined) shortest = { visit, found };
  }
  if (shortest !== undefined) fail(`${shortest.found}\n${describeVisit(shortest.visit)}`);
};

const check = (law: Law): void => {
  switch (law.kind) {
    case 'always':
      failOnFirst(1, ({ before, after }) =>
        after === before ? undefined : law.contradiction(after),
      );
      return;
    case 'step':
      failOnFirst(law.every, law.contradiction);
      return;
    case 'sometimes':
      if (!visits().some(law.happens)) fail('no generated program does this');
      return;
    case 'refinement': {
      let applied = 0;
      failOnFirst(1, (visit) => {
        const comparison = law.compare(visit);
        if (comparison.kind === 'does not apply') return undefined;
        applied += 1;
        return comparison.kind === 'differs' ? comparison.how : undefined;
      });
      if (applied < law.atLeast) fail(`it applied ${applied} times, and not ${law.atLeast}`);
    }
  }
};

/** A suite with one test for each law. */
export const checkLaws = (name: string, laws: readonly Law[]): void => {
  const tests = suite(name);
  for (const law of laws) tests(`${law.kind}: ${law.name}`, () => check(law));
  tests.run();
};
