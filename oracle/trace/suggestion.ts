// SPDX-License-Identifier: MIT
// Suggestions for unknown names.

import { closestMatch } from 'leven';

/** The number of wrong characters in a name: two that are swapped, and more in longer names. */
const wrongIn = ({ length }: string): number => Math.max(Math.min(2, length - 2), length / 4);

/** `; did you mean "..."?`, or empty if no name is near. */
export const suggestion = (name: unknown, names: readonly string[]): string => {
  if (typeof name !== 'string') return '';
  const nearest = closestMatch(name, names, { maxDistance: Math.floor(wrongIn(name)) });
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
};
