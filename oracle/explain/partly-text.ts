// SPDX-License-Identifier: MIT
// What is said of lines that cannot be explained: how much of them could be read.

import { count } from '../text/quantities.ts';
import type { Clue } from './clue.ts';
import type { Explained } from './explain.ts';

const SHOWN = 3;

const readText = ({ line, program, calls, errno, hints }: Clue): string => {
  const read = [
    ...(program === undefined ? [] : [`a message of ${program}`]),
    ...(calls.length === 0 ? [] : [`the call ${calls.join(' or ')}`]),
    ...(errno === undefined ? [] : [`the error ${errno}`]),
    ...[...hints].map((hint) => `that it is about ${hint}`),
  ];
  const missing =
    calls.length === 0 ? 'no call' : errno === undefined ? 'no error' : 'no rule gives this reply';
  return `line ${line}: ${read.join(', ')}; ${missing}`;
};

/** One line for each of the first lines of which something was read, and what to do. */
export const partlyText = ({ partly, count: lines }: Explained): string => {
  if (lines === 0) return 'There is nothing to explain: pass a line, a file, or standard input.';
  const read = partly.slice(0, SHOWN).map(readText);
  const more = partly.length - read.length;
  return [
    `Not understood: ${count(lines, 'line')}, none with a call and an error that a rule gives.`,
    ...(read.length === 0 ? ['Nothing of it could be read.'] : read.map((text) => `  ${text}`)),
    ...(more > 0 ? [`  ... and ${more} more`] : []),
    'Add what is missing: the name of the call, its error (-22 or EINVAL), iova=, size= and vaddr=.',
  ].join('\n');
};
