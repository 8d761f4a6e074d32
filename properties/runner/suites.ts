// SPDX-License-Identifier: MIT
// Which suites there are, and which of them belong to a run.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Suite } from './messages.ts';

const SUFFIX = '.test.ts';

/** Checks what all other suites reached. */
const LAST = 'spec/rules';

export type Plan = {
  /** In the order of their paths, which is the order of what is printed. */
  readonly suites: readonly Suite[];
  /** Runs when all others have ended, and knows which rules they reached. */
  readonly last: Suite | undefined;
};

/** All suites, or those with one of the words in their paths. Paths are relative to the root of the checkout. */
export const planOf = (words: readonly string[]): Plan => {
  const names = readdirSync('properties', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
  const chosen = names
    .filter((name) => words.length === 0 || words.some((word) => (name + SUFFIX).includes(word)))
    .map((name) => ({ name, file: join(process.cwd(), 'dist', 'properties', `${name}.test.js`) }));
  return {
    suites: chosen.filter(({ name }) => name !== LAST),
    last: chosen.find(({ name }) => name === LAST),
  };
};
