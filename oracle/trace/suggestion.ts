// SPDX-License-Identifier: MIT
// The name that was most likely meant by one that does not exist.

import { closestMatch } from 'leven';

/** Characters that may be wrong in a name: two that changed places, and more in longer ones. */
const wrongIn = ({ length }: string): number => Math.max(Math.min(2, length - 2), length / 4);

/** `; did you mean "..."?`, or nothing where no name is near. */
export const suggestion = (name: unknown, names: readonly string[]): string => {
  if (typeof name !== 'string') return '';
  const nearest = closestMatch(name, names, { maxDistance: Math.floor(wrongIn(name)) });
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
};
