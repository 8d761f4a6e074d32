// SPDX-License-Identifier: MIT
// How much of spec/ the covered suites reached, as c8 reports it.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Percent that must be reached, of lines and of branches. */
export const THRESHOLD = 95;

/** The folders of c8, relative to the root of the checkout. */
export const COVERAGE = 'coverage';
export const RAW_COVERAGE = join(COVERAGE, 'tmp');

export type Percentages = Readonly<Record<'lines' | 'branches', { readonly pct: number }>>;

const c8 = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('c8/package.json')), 'bin', 'c8.js');

/** Prints the table of all files. */
export const reportCoverage = (): Percentages => {
  const { status } = spawnSync(process.execPath, [c8(), 'report'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`c8 report ended with status ${status}.`);
  const summary: unknown = JSON.parse(
    readFileSync(join(COVERAGE, 'coverage-summary.json'), 'utf8'),
  );
  return (summary as { readonly total: Percentages }).total;
};
