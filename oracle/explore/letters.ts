// The letters of an alphabet: calls with all their values but those that name what the program has. Which of the things of
// that name is meant is said by its place (the first iommufd, the second IOAS of it), so that a letter means the same in all
// worlds that differ in numbers only.

import type { Operation, Value } from '../../model/programs/program.ts';

/**
 * A thing of a program: 'iommufd 1' is its first iommufd, 'ioas 2' the second IOAS of that, 'pin 1' the first pin of the
 * first access. 'access 1' is an access's descriptor, 'group 4' and 'device NAME' are open files. 'reserved range 1' and
 * 'closed iommufd 1', which outlives its descriptor, have no number: letters are bounded by them.
 */
export type Thing = string;

export type Letter = {
  /** Short, in words: "map 0x1000000 2 pages". Unique in its alphabet. */
  readonly name: string;
  /** Things that there must be; their numbers are handed to `operation`. */
  readonly needs: readonly Thing[];
  /** Things that there must not be: what bounds how many are made. */
  readonly unless: readonly Thing[];
  /** The call under that label, made of the numbers of what it needs. */
  readonly operation: (label: string, things: readonly Value[]) => Operation;
};

export type Alphabet = {
  readonly name: string;
  /** What it is for, in one sentence. */
  readonly says: string;
  /** The platform that it is written for. */
  readonly platform: string;
  /** Calls at most where nothing else is asked for. */
  readonly depth: number;
  readonly letters: readonly Letter[];
};

export const letter = (
  name: string,
  needs: readonly Thing[],
  operation: Letter['operation'],
  unless: readonly Thing[] = [],
): Letter => ({ name, needs, operation, unless });
