// SPDX-License-Identifier: MIT
// The actions of an action set: calls with all their values but those that name what the program has. Which of the handles of
// that name is meant is said by its place (the first iommufd, the second IOAS of it), so that an action means the same in all
// worlds that differ in numbers only.

import type { Operation, Value } from '../../model/programs/program.ts';

/**
 * A handle of a program: 'iommufd 1' is its first iommufd, 'ioas 2' the second IOAS of that, 'pin 1' the first pin of the
 * first access. 'access 1' is an access's descriptor, 'group 4' and 'device NAME' are open files. 'reserved range 1' and
 * 'closed iommufd 1', which outlives its descriptor, have no number: actions are bounded by them.
 */
export type Handle = string;

export type Action = {
  /** Short, in words: "map 0x1000000 2 pages". Unique in its action set. */
  readonly name: string;
  /** Handles that there must be; their numbers are handed to `operation`. */
  readonly needs: readonly Handle[];
  /** Handles that there must not be: what bounds how many are made. */
  readonly unless: readonly Handle[];
  /** The call under that label, made of the numbers of what it needs. */
  readonly operation: (label: string, handles: readonly Value[]) => Operation;
};

export type ActionSet = {
  readonly name: string;
  /** What it is for, in one sentence. */
  readonly says: string;
  /** The platform that it is written for. */
  readonly platform: string;
  /** Calls at most where nothing else is asked for. */
  readonly depth: number;
  readonly actions: readonly Action[];
};

export const action = (
  name: string,
  needs: readonly Handle[],
  operation: Action['operation'],
  unless: readonly Handle[] = [],
): Action => ({ name, needs, operation, unless });
