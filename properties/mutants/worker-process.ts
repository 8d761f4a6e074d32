// SPDX-License-Identifier: MIT
// A worker from the outside: it gets one request at a time, and is ended if it does not answer.

import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Answer, Asked } from './worker.ts';

/** Of the heap, in MiB: a mutant that collects without end dies of it. */
const MEMORY = 3072;

export class WorkerProcess {
  readonly #child: ChildProcess;
  #gone = false;

  /** `id`: a mutant that is on from the first module on. */
  constructor(copy: string, folder: string, id?: string) {
    const path = join(copy, 'properties', 'mutants', 'worker.js');
    this.#child = fork(path, id === undefined ? [folder] : [folder, id], {
      serialization: 'advanced',
      execArgv: [`--max-old-space-size=${MEMORY}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.once('exit', () => {
      this.#gone = true;
    });
  }

  /** The answer; undefined where the process died or took too long, in milliseconds: it is gone then. */
  ask(asked: Asked, patience: number): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const child = this.#child;
      const finish = (answer: Answer | undefined): void => {
        clearTimeout(timer);
        child.off('message', onMessage);
        child.off('exit', onExit);
        if (answer === undefined) this.end();
        resolve(answer);
      };
      const onMessage = (answer: Answer): void => finish(answer);
      const onExit = (): void => finish(undefined);
      const timer = setTimeout(onExit, patience);
      if (this.#gone) {
        finish(undefined);
        return;
      }
      child.on('message', onMessage);
      child.on('exit', onExit);
      child.send(asked);
    });
  }

  get isGone(): boolean {
    return this.#gone;
  }

  end(): void {
    this.#gone = true;
    this.#child.kill('SIGKILL');
  }
}
