// SPDX-License-Identifier: MIT
// Which suites there are, and which of them belong to a run.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Suite } from './messages.ts';
import type { Unit } from './pool.ts';

const SUFFIX = '.test.ts';

/** Checks what all other suites reached. */
const LAST = 'spec/rules';

/** These laws share the worlds that generated programs reach. */
const SHARED = 'spec/';

/** These suites must cover the specification by themselves: a suite takes up to twice the CPU where V8 counts. */
const MEASURED: readonly string[] = [
  SHARED,
  'kernels/',
  'oracle/explain/',
  'oracle/judge/',
  'oracle/strace/',
];

/** Suites that are measured for coverage and the others, by the processes that they may run in. */
export type Units = { readonly measured: readonly Unit[]; readonly others: readonly Unit[] };

export const unitsOf = (suites: readonly Suite[]): Units => {
  const isIn = (folders: readonly string[], { name }: Suite): boolean =>
    folders.some((folder) => name.startsWith(folder));
  const shared = suites.filter((suite) => isIn([SHARED], suite));
  const alone = suites.filter((suite) => !isIn([SHARED], suite));
  const others = alone.filter((suite) => !isIn(MEASURED, suite));
  const measured = alone.filter((suite) => isIn(MEASURED, suite));
  const units = (list: readonly Suite[]): readonly Unit[] => list.map((suite) => [suite]);
  return {
    measured: shared.length === 0 ? units(measured) : [shared, ...units(measured)],
    others: units(others),
  };
};

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
