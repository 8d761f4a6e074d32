// SPDX-License-Identifier: MIT
// Starts the program to record: a shell stops itself, is seized, and executes the program when it continues.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { seize, spawnChild, waitStopped } from './ptrace.ts';

const SHELL = '/bin/sh';
const WAIT_THEN_BECOME = 'kill -STOP $$; exec "$@"';

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** The file of a program, as execvp(3) finds it. */
export const programFile = (name: string): string | undefined => {
  if (name.includes('/')) return isProgram(name) ? name : undefined;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder || '.', name)).find(isProgram);
};

export type Started =
  | { readonly kind: 'started'; readonly process: number }
  | { readonly kind: 'not permitted'; readonly errno: number };

/** `words` are the program and its arguments, as execvp(3) takes them. */
export const startProgram = (words: readonly string[]): Started => {
  const child = spawnChild(SHELL, [SHELL, '-c', WAIT_THEN_BECOME, SHELL, ...words], process.env);
  const errno = waitStopped(child) ? seize(child) : 0;
  if (errno !== 0) process.kill(child, 'SIGKILL');
  else process.kill(child, 'SIGCONT');
  return errno === 0 ? { kind: 'started', process: child } : { kind: 'not permitted', errno };
};
