// SPDX-License-Identifier: MIT
// Two-phase commit, as Gray and Lamport describe it: resource managers prepare or abort by themselves, a transaction
// manager commits once all have prepared. How many states it has is known, so that the explorer is tested and measured by it.

import type { Law, Model } from '../../model/explorer/model.ts';

/**
 * A state is one number of 31 bits: three bits a resource manager, the first one lowest, and above them what the
 * transaction manager is. Of a resource manager they say what it is, whether it said that it has prepared, and whether the
 * transaction manager knows it. The transaction manager has sent its state to all.
 */
export type TwoPhase = number;

/** What a resource manager is. What it sent stays known in every later state. */
const WORKING = 0;
const PREPARED = 1;
const PREPARED_KNOWN = 2;
const ABORTED = 3;
const ABORTED_SAID = 4;
const ABORTED_KNOWN = 5;
/** All are known to have prepared. */
const COMMITTED = 6;

const BITS = 3;
const MASK = 7;

/** What the transaction manager is. */
const INIT = 0;
const COMMITS = 1;
const ABORTS = 2;

export const MOST_MANAGERS = 9;

export type MoveKind = 'commit' | 'abort' | 'hear' | 'prepare' | 'choose-abort' | 'obey';

export type Move = {
  readonly kind: MoveKind;
  /** Of a resource manager's move; 0 otherwise. */
  readonly manager: number;
};

/** After the transaction manager sent its decision; no change for a process that followed it already. */
const obeying = (manager: number, transaction: number): number => {
  if (transaction === COMMITS) return COMMITTED;
  if (manager === WORKING) return ABORTED;
  if (manager === PREPARED) return ABORTED_SAID;
  return manager === PREPARED_KNOWN ? ABORTED_KNOWN : manager;
};

const isHeard = (manager: number): boolean =>
  manager === PREPARED_KNOWN || manager === ABORTED_KNOWN || manager === COMMITTED;

/** Which states are taken for the same: none that differ, or those that differ in which manager is which. */
export type Symmetry =
  | 'none'
  | 'all'
  /** Of the latter those that sorting by what managers are alone brings together, which is the count that is published. */
  | 'states';

/** How much of a resource manager counts when they are sorted. */
const RANKS: Readonly<Record<Exclude<Symmetry, 'none'>, readonly number[]>> = {
  all: [0, 1, 2, 5, 6, 7, 4],
  states: [0, 1, 1, 3, 3, 3, 2],
};

/** Managers in the order of what they are; the sort is stable, so that what does not count stays as it was. */
const sorted = (count: number, state: TwoPhase, ranks: readonly number[]): TwoPhase => {
  const managers = Array.from({ length: count }, (_, at) => (state >>> (BITS * at)) & MASK);
  managers.sort((a, b) => (ranks[a] as number) - (ranks[b] as number));
  const transaction = state >>> (BITS * count);
  return managers.reduceRight((sum, manager) => (sum << BITS) | manager, transaction);
};

/** With so many resource managers, at most `MOST_MANAGERS`. */
export const twoPhaseCommit = (
  count: number,
  symmetry: Symmetry = 'none',
): Model<TwoPhase, Move> => {
  if (count > MOST_MANAGERS) throw new Error(`At most ${MOST_MANAGERS} resource managers fit.`);
  const top = BITS * count;
  const each = (kind: MoveKind): readonly Move[] =>
    Array.from({ length: count }, (_, manager) => ({ kind, manager }));
  const [hears, prepares, chooses, obeys] = [
    each('hear'),
    each('prepare'),
    each('choose-abort'),
    each('obey'),
  ];
  const commit: Move = { kind: 'commit', manager: 0 };
  const abort: Move = { kind: 'abort', manager: 0 };

  const allHeard = (state: TwoPhase): boolean => {
    for (let at = 0; at < top; at += BITS) if (!isHeard((state >>> at) & MASK)) return false;
    return true;
  };

  return {
    start: () => [INIT],
    enabled: (state) => {
      const moves: Move[] = [];
      const isDecided = state >>> top !== INIT;
      if (!isDecided) {
        if (allHeard(state)) moves.push(commit);
        moves.push(abort);
      }
      for (let manager = 0; manager < count; manager += 1) {
        const is = (state >>> (BITS * manager)) & MASK;
        if (!isDecided && is !== WORKING && is !== ABORTED) moves.push(hears[manager] as Move);
        if (is === WORKING) moves.push(prepares[manager] as Move, chooses[manager] as Move);
        if (isDecided) moves.push(obeys[manager] as Move);
      }
      return moves;
    },
    step: (state, { kind, manager }) => {
      if (kind === 'commit') return state | (COMMITS << top);
      if (kind === 'abort') return state | (ABORTS << top);
      const at = BITS * manager;
      const is = (state >>> at) & MASK;
      const rest = state & ~(MASK << at);
      switch (kind) {
        case 'hear':
          return is === PREPARED ? rest | (PREPARED_KNOWN << at) : state;
        case 'prepare':
          return rest | (PREPARED << at);
        case 'choose-abort':
          return rest | (ABORTED << at);
        case 'obey':
          return rest | (obeying(is, state >>> top) << at);
      }
    },
    canonical: (state) => (symmetry === 'none' ? state : sorted(count, state, RANKS[symmetry])),
  };
};

/** No manager commits while another one aborts. */
export const consistency = (count: number): Law<TwoPhase> => ({
  name: 'consistency',
  contradiction: (state) => {
    let committed = false;
    let aborted = false;
    for (let manager = 0; manager < count; manager += 1) {
      const is = (state >>> (BITS * manager)) & MASK;
      if (is === COMMITTED) committed = true;
      else if (is >= ABORTED) aborted = true;
    }
    return committed && aborted ? 'one manager has committed and one has aborted' : undefined;
  },
});
