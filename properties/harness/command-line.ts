// SPDX-License-Identifier: MIT
// Runs the command line in this process, as its program does: what it prints, and its exit status. A process takes a second
// to load the same modules again; suites start a few all the same, for signals, closed pipes and colours.

import { runCommandLine } from '../../oracle/cli/command-line.ts';

export type Finished = { readonly status: number; readonly out: string; readonly error: string };

type Write = typeof process.stdout.write;

const keeping = (texts: string[]): Write => {
  const decoder = new TextDecoder();
  return (chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
    texts.push(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }));
    const done = rest.at(-1);
    if (typeof done === 'function') process.nextTick(done as () => void);
    return true;
  };
};

const runAlone = async (folder: string, words: readonly string[]): Promise<Finished> => {
  const { stdout, stderr } = process;
  const [out, error]: [string[], string[]] = [[], []];
  const before = { out: stdout.write, error: stderr.write, cwd: process.cwd() };
  const { NO_COLOR } = process.env;
  process.env.NO_COLOR = '1';
  stdout.write = keeping(out);
  stderr.write = keeping(error);
  process.chdir(folder);
  try {
    const status = await runCommandLine(words);
    return { status, out: out.join(''), error: error.join('') };
  } finally {
    process.chdir(before.cwd);
    stdout.write = before.out;
    stderr.write = before.error;
    if (NO_COLOR === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = NO_COLOR;
    process.exitCode = undefined;
  }
};

let last: Promise<unknown> = Promise.resolve();

/** Runs it in the folder, when the ones before have ended: a process has one folder and one output. */
export const runHere = (folder: string, ...words: readonly string[]): Promise<Finished> => {
  const finished = last.then(() => runAlone(folder, words));
  last = finished.catch(() => {});
  return finished;
};
