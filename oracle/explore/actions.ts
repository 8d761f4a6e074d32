// SPDX-License-Identifier: MIT
// The actions of an action set: calls with all their values except handles. Handles are named by their position (the first
// iommufd, its second IOAS), so that an action means the same in all worlds that differ only in numbers.

import type { Operation, Value } from '../../model/programs/program.ts';

/**
 * A handle of a program: 'iommufd 1' is its first iommufd, 'ioas 2' the second IOAS of that, 'pin 1' the first pin of the
 * first access. 'access 1' is an access's descriptor, 'group 4' and 'device NAME' are open files. 'reserved range 1' and
 * 'closed iommufd 1' (an iommufd that outlives its descriptor) have no number: they only bound actions.
 */
export type Handle = string;

export type Action = {
  /** Short, in words: "map 0x1000000 2 pages". Unique in its action set. */
  readonly name: string;
  /** Handles that must exist; `operation` gets their numbers. */
  readonly needs: readonly Handle[];
  /** Handles that must not exist: these bound how many an action makes. */
  readonly unless: readonly Handle[];
  /** The call with that label, made from the numbers of the handles that it needs. */
  readonly operation: (label: string, handles: readonly Value[]) => Operation;
};

export type ActionSet = {
  readonly name: string;
  /** Its purpose, in one sentence. */
  readonly says: string;
  /** Its platform. */
  readonly platform: string;
  /** Calls in a program at most, by default. */
  readonly depth: number;
  readonly actions: readonly Action[];
};

export const action = (
  name: string,
  needs: readonly Handle[],
  operation: Action['operation'],
  unless: readonly Handle[] = [],
): Action => ({ name, needs, operation, unless });
