// Two-phase commit, as Gray and Lamport describe it: resource managers prepare or abort by themselves, a transaction
// manager commits once all have prepared. How many states it has is known, so that the explorer can be measured by it.

import type { Law, Model } from '../../../model/explorer/model.ts';

/** What a resource manager is: two bits of a state. */
const WORKING = 0;
const PREPARED = 1;
const COMMITTED = 2;
const ABORTED = 3;

/** What the transaction manager is. */
const INIT = 0;

/**
 * A state is one number: two bits a manager, then a bit a manager that said it has prepared, then a bit a manager of
 * which the transaction manager knows it, then the transaction manager's two bits. What it is, it has told all.
 */
export type TwoPhase = number;

type Parts = {
  readonly managers: readonly number[];
  readonly said: number;
  readonly known: number;
  readonly transaction: number;
};

export type Move = {
  readonly kind: 'commit' | 'abort' | 'hear' | 'prepare' | 'choose-abort' | 'obey';
  /** Of a resource manager's move; 0 otherwise. */
  readonly manager: number;
};

const packed = ({ managers, said, known, transaction }: Parts): TwoPhase => {
  const count = managers.length;
  let state = transaction;
  state = state * 2 ** count + known;
  state = state * 2 ** count + said;
  return managers.reduceRight((sum, manager) => sum * 4 + manager, state);
};

const partsOf = (count: number, state: TwoPhase): Parts => {
  let rest = state;
  const take = (values: number): number => {
    const value = rest % values;
    rest = (rest - value) / values;
    return value;
  };
  const managers = Array.from({ length: count }, () => take(4));
  const said = take(2 ** count);
  const known = take(2 ** count);
  return { managers, said, known, transaction: take(4) };
};

const has = (bits: number, position: number): boolean => (bits & (1 << position)) !== 0;

const enabled = ({ managers, said, known, transaction }: Parts): readonly Move[] => {
  const moves: Move[] = [];
  if (transaction === INIT) {
    if (known === 2 ** managers.length - 1) moves.push({ kind: 'commit', manager: 0 });
    moves.push({ kind: 'abort', manager: 0 });
  }
  managers.forEach((state, manager) => {
    if (transaction === INIT && has(said, manager)) moves.push({ kind: 'hear', manager });
    if (state === WORKING) {
      moves.push({ kind: 'prepare', manager }, { kind: 'choose-abort', manager });
    }
    if (transaction !== INIT) moves.push({ kind: 'obey', manager });
  });
  return moves;
};

const next = (parts: Parts, { kind, manager }: Move): Parts => {
  const { managers, said, known, transaction } = parts;
  switch (kind) {
    case 'commit':
      return { ...parts, transaction: COMMITTED };
    case 'abort':
      return { ...parts, transaction: ABORTED };
    case 'hear':
      return { ...parts, known: known | (1 << manager) };
    case 'prepare':
      return {
        ...parts,
        managers: managers.with(manager, PREPARED),
        said: said | (1 << manager),
      };
    case 'choose-abort':
      return { ...parts, managers: managers.with(manager, ABORTED) };
    case 'obey':
      return { ...parts, managers: managers.with(manager, transaction) };
  }
};

/**
 * Managers in the order of what they are: which of them is which makes no difference. `by` says how much of it counts; the
 * sort is stable, so that what does not count stays in the order in which it was.
 */
const sorted = (
  { managers, said, known, transaction }: Parts,
  by: Exclude<Symmetry, 'none'>,
): Parts => {
  const ignored = by === 'all' ? 0 : 2;
  const order = managers
    .map((state, at) => state * 4 + (has(said, at) ? 2 : 0) + (has(known, at) ? 1 : 0))
    .sort((a, b) => (a >> ignored) - (b >> ignored));
  const bits = (bit: number): number =>
    order.reduce((sum, value, at) => sum | ((value & bit) === 0 ? 0 : 1 << at), 0);
  return {
    managers: order.map((value) => value >> 2),
    said: bits(2),
    known: bits(1),
    transaction,
  };
};

/**
 * Which states are taken for the same: none that differ, all that differ in which manager is which, or those of them that
 * sorting by the managers' states alone brings together, which is the count that is published.
 */
export type Symmetry = 'none' | 'all' | 'states';

/** With so many resource managers. */
export const twoPhaseCommit = (
  count: number,
  symmetry: Symmetry = 'none',
): Model<TwoPhase, Move> => ({
  start: () => [
    packed({
      managers: Array.from({ length: count }, () => WORKING),
      said: 0,
      known: 0,
      transaction: INIT,
    }),
  ],
  enabled: (state) => enabled(partsOf(count, state)),
  step: (state, move) => packed(next(partsOf(count, state), move)),
  canonical: (state) =>
    symmetry === 'none' ? state : packed(sorted(partsOf(count, state), symmetry)),
});

/** No manager commits while another one aborts. */
export const consistency = (count: number): Law<TwoPhase> => ({
  name: 'consistency',
  holds: (state) => {
    const { managers } = partsOf(count, state);
    return !(managers.includes(COMMITTED) && managers.includes(ABORTED));
  },
});
