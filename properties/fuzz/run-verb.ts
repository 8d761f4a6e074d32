// SPDX-License-Identifier: MIT
// Runs a verb in this process, with what it prints kept.

import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { runCommandLine } from '../../oracle/cli/command-line.ts';
import type { Ran } from './expectations.ts';
import type { Kind } from './seed-files.ts';

/** The verbs that read files of the kind; OUT is a file that the verb may write. */
const VERBS: Readonly<Record<Kind, readonly (readonly string[])[]>> = {
  trace: [
    ['judge', 'FILE'],
    ['judge', '--json', '--verbose', 'FILE'],
    ['replay', 'FILE'],
    ['replay', '--json', 'FILE'],
    ['shrink', 'FILE', '--save', 'OUT'],
    ['emit', '--as', 'c', 'FILE'],
    ['emit', '--as', 'text', 'FILE'],
    ['emit', '--as', 'syz', 'FILE'],
  ],
  recording: [
    ['judge', 'FILE'],
    ['judge', '--json', 'FILE'],
    ['shrink', 'FILE', '--save', 'OUT'],
  ],
  syz: [
    ['replay', 'FILE'],
    ['replay', '--json', 'FILE'],
    ['shrink', 'FILE', '--save', 'OUT'],
  ],
  report: [
    ['merge', 'FILE', '--save', 'OUT'],
    ['merge', '--json', 'FILE', '--save', 'OUT'],
  ],
  exploration: [
    ['merge', 'FILE', '--save', 'OUT'],
    ['explore', '--resume', 'FILE', '--seconds', '1', '--save', 'OUT'],
  ],
};

export const verbsFor = (kind: Kind): readonly (readonly string[])[] => VERBS[kind];

type Write = typeof process.stdout.write;

/** What is printed while it runs, on both outputs. */
const captured = async (
  run: () => Promise<number>,
): Promise<{ status: number; output: string }> => {
  const [out, error] = [process.stdout.write, process.stderr.write];
  let output = '';
  const write: Write = (chunk: string | Uint8Array) => {
    output += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
    return true;
  };
  process.stdout.write = write;
  process.stderr.write = write;
  try {
    return { status: await run(), output };
  } finally {
    process.stdout.write = out;
    process.stderr.write = error;
  }
};

/** The verb on a file, which is alone in its folder. */
export const ranVerb = async (verb: readonly string[], file: string): Promise<Ran> => {
  const out = join(dirname(file), 'out');
  const words = verb.map((word) => (word === 'FILE' ? file : word === 'OUT' ? out : word));
  const start = performance.now();
  let status = 0;
  let printed = '';
  ({ status, output: printed } = await captured(async () => {
    const ended = await runCommandLine(words);
    return ended;
  }));
  const milliseconds = performance.now() - start;
  const left = readdirSync(dirname(file)).filter(
    (name) => name !== basename(file) && name !== 'out',
  );
  process.exitCode = 0;
  return {
    words: verb,
    status,
    output: printed,
    milliseconds,
    memory: process.memoryUsage().rss,
    left,
  };
};
