// SPDX-License-Identifier: MIT
// Isolates the program from failures of the recorder: an exception ends the recording, and the program continues.

import { reasonOf } from '../files/reason.ts';
import type { AfterCall, Caller, Listener, SafeListener } from './tracer.ts';

export class GuardedListener implements SafeListener {
  #inner: Listener | undefined;
  readonly #stop: (reason: string) => void;

  constructor(inner: Listener, stop: (reason: string) => void) {
    this.#inner = inner;
    this.#stop = stop;
  }

  call(caller: Caller, number: number, args: readonly bigint[]): AfterCall | undefined {
    const after = this.#try((inner) => inner.call(caller, number, args));
    return after === undefined ? undefined : (result) => this.#try(() => after(result));
  }

  forked(parent: Caller, child: number): void {
    this.#try((inner) => inner.forked(parent, child));
  }

  executed(process: number): void {
    this.#try((inner) => inner.executed(process));
  }

  exited(process: number): void {
    this.#try((inner) => inner.exited(process));
  }

  failed(error: unknown): void {
    this.#inner = undefined;
    this.#stop(`the recorder failed: ${reasonOf(error)}`);
  }

  #try<Result>(ask: (inner: Listener) => Result): Result | undefined {
    if (this.#inner === undefined) return undefined;
    try {
      return ask(this.#inner);
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }
}
