// SPDX-License-Identifier: MIT
// What programs do without a mutant: what each shows, and which mutants it reaches. Also which mutants take effect only
// once in a process: those need a process of their own.

import type { Usual } from './trial.ts';

export type Survey = {
  /** By the number of the program. */
  readonly usual: readonly Usual[];
  /** The numbers of the first programs that reach a mutant, ascending. */
  readonly reachedBy: ReadonlyMap<string, readonly number[]>;
  /** Mutants that are reached while modules are loaded, or by the first program that needs a value that is kept. */
  readonly onceOnly: ReadonlySet<string>;
};

/** A value that is kept between programs is made by few of them: one for each kind of kernel. */
const FEW = 8;

type Mutations = {
  readonly count: number;
  /** Programs that are kept of those that reach a mutant, at most. */
  readonly most: number;
  readonly run: (number: number) => Usual;
  readonly collect: (into: Set<string> | undefined) => void;
  readonly reachedOnLoad: ReadonlySet<string>;
};

const reachedIn = (
  { run, collect }: Mutations,
  number: number,
): { usual: Usual; ids: Set<string> } => {
  const ids = new Set<string>();
  collect(ids);
  const usual = run(number);
  collect(undefined);
  return { usual, ids };
};

export const surveyOf = (ways: Mutations): Survey => {
  const usual: Usual[] = [];
  const reachedBy = new Map<string, number[]>();
  for (let number = 0; number < ways.count; number += 1) {
    const reached = reachedIn(ways, number);
    usual.push(reached.usual);
    for (const id of reached.ids) {
      const numbers = reachedBy.get(id);
      if (numbers === undefined) reachedBy.set(id, [number]);
      else if (numbers.length < ways.most) numbers.push(number);
    }
  }
  const onceOnly = new Set(ways.reachedOnLoad);
  const again = new Map<number, ReadonlySet<string>>();
  for (const [id, numbers] of reachedBy) {
    const [first] = numbers;
    if (first === undefined || numbers.length > FEW) continue;
    const ids = again.get(first) ?? reachedIn(ways, first).ids;
    again.set(first, ids);
    if (!ids.has(id)) onceOnly.add(id);
  }
  return { usual, reachedBy, onceOnly };
};
