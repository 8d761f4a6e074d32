// SPDX-License-Identifier: MIT
// Runs another program to its end: its output is kept, and passed on line by line.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { EnvironmentError } from '../vm/environment-error.ts';

export type RunOptions = {
  readonly folder?: string;
  readonly signal?: AbortSignal;
  /** Gets each line of both outputs. */
  readonly onLine?: (line: string) => void;
};

/** `output` is what went to standard output, `complaint` what went to standard error. */
export type CommandResult = {
  readonly status: number;
  readonly output: string;
  readonly complaint: string;
};

/** Rejects with EnvironmentError if there is no such program, with AbortError if the signal ended it. */
export const run = (
  program: string,
  words: readonly string[],
  { folder, signal, onLine }: RunOptions = {},
): Promise<CommandResult> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, [...words], {
      ...(folder === undefined ? {} : { cwd: folder }),
      ...(signal === undefined ? {} : { signal }),
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { output: '', complaint: '' };
    for (const [stream, name] of [
      [child.stdout, 'output'],
      [child.stderr, 'complaint'],
    ] as const) {
      createInterface({ input: stream }).on('line', (line) => {
        said[name] += `${line}\n`;
        onLine?.(line);
      });
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      reject(missing ? new EnvironmentError(`There is no program ${program} here.`) : error);
    });
    child.once('close', (status) => resolve({ status: status ?? 1, ...said }));
  });

/** Standard output of a program that must succeed. Rejects with EnvironmentError, with its standard error. */
export const outputOf = async (
  program: string,
  words: readonly string[],
  options: RunOptions = {},
): Promise<string> => {
  const { status, output, complaint } = await run(program, words, options);
  if (status === 0) return output;
  const said = complaint.trim() || output.trim() || `it ended with status ${status}`;
  throw new EnvironmentError(`${[program, ...words].join(' ')} failed:\n${said}`);
};
