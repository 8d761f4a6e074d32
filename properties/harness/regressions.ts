// SPDX-License-Identifier: MIT
// Facts learned from real kernels, a trace each: recorded on one release, and replayed on any kernel.

import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTrace } from '../../oracle/trace/read-trace.ts';
import type { Trace } from '../../oracle/trace/trace-file.ts';

const FOLDER = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  '..',
  'properties',
  'fixtures',
  'kernel',
);

export type Regression = { readonly name: string; readonly trace: Trace };

/** All of them, by name. */
export const readRegressions = async (): Promise<readonly Regression[]> => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.jsonl'));
  const regressions: Regression[] = [];
  for (const name of names.sort()) {
    const trace = await readTrace(join(FOLDER, name));
    regressions.push({ name: name.slice(0, -'.jsonl'.length), trace });
  }
  return regressions;
};
