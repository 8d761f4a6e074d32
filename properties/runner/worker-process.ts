// SPDX-License-Identifier: MIT
// A worker as its parent sees it: a process that runs one suite at a time, and may die of one.

import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { END_OF_OUTPUT, NO_MORE, type Order, type Outcome, type Suite } from './messages.ts';

const WORKER = join(import.meta.dirname, 'worker.js');

export type Finished = {
  readonly suite: Suite;
  /** What the suite printed, to standard output and standard error. */
  readonly output: string;
  /** Undefined where the process died of the suite. */
  readonly outcome: Outcome | undefined;
};

export type Worker = {
  /** Runs a suite when the one before has finished. */
  readonly run: (order: Order) => Promise<Finished>;
  /** Lets the process end by itself, which writes its coverage. */
  readonly end: () => Promise<void>;
};

const workers = new Set<ChildProcess>();

/** Ends all workers and what they have started, at once. */
export const killWorkers = (): void => {
  for (const { pid } of workers) if (pid !== undefined) process.kill(-pid, 'SIGKILL');
};

/** Starts a process; it writes V8's coverage into a folder where there is one. */
export const startWorker = (coverage: string | undefined): Worker => {
  const { NODE_V8_COVERAGE: _, ...environment } = process.env;
  const child = fork(WORKER, [], {
    // A group of its own, so that a signal reaches the programs that its suites start.
    detached: true,
    execArgv: ['--enable-source-maps'],
    env: coverage === undefined ? environment : { ...environment, NODE_V8_COVERAGE: coverage },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  workers.add(child);
  let output = '';
  let outcome: Outcome | undefined;
  let onChange = (): void => {};
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    child.on('close', (status, signal) => {
      workers.delete(child);
      isClosed = true;
      output += `\nthe process of this suite ended with ${signal ?? `status ${status}`}\n`;
      onChange();
      resolve();
    });
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onChange();
    });
  }
  child.on('message', (message) => {
    outcome = message as Outcome;
    onChange();
  });
  return {
    run: (order) =>
      new Promise((resolve) => {
        onChange = () => {
          const end = output.indexOf(END_OF_OUTPUT);
          if (!isClosed && (outcome === undefined || end < 0)) return;
          const finished = {
            suite: order.suite,
            output: output.replace(END_OF_OUTPUT, ''),
            outcome,
          };
          [output, outcome, onChange] = ['', undefined, () => {}];
          resolve(finished);
        };
        if (isClosed) onChange();
        else child.send(order);
      }),
    end: () => {
      if (child.connected) child.send(NO_MORE);
      return closed;
    },
  };
};
