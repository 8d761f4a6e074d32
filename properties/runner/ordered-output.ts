// SPDX-License-Identifier: MIT
// Prints what suites wrote whole and in the order of their paths, whichever finishes first.

import type { Suite } from './messages.ts';
import type { Finished } from './worker-process.ts';

const CLEAR_LINE = '\r\u001b[K';

/** Takes the suites as they finish. On a terminal a line says how many have, until all are printed. */
export const orderedOutput = (suites: readonly Suite[]): ((finished: Finished) => void) => {
  const outputs = new Map<Suite, string>();
  let printed = 0;
  const progress = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(text);
  };
  return ({ suite, output }) => {
    outputs.set(suite, output);
    progress(CLEAR_LINE);
    for (let next = suites[printed]; next !== undefined; next = suites[printed]) {
      const text = outputs.get(next);
      if (text === undefined) break;
      process.stdout.write(text);
      printed += 1;
    }
    if (printed < suites.length) progress(`${outputs.size} of ${suites.length} suites`);
  };
};
