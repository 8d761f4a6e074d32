// SPDX-License-Identifier: MIT
// Checks that all lines of a recording are present, once and in order: each process numbers its lines. If a number is
// missing, the effect of the missing calls is not known, and later calls cannot be judged.

import type { Process } from '../../spec/terms/call.ts';
import { BadInput } from './bad-input.ts';

const missing = (count: number): string =>
  count === 1 ? 'a line is missing before this one' : `${count} lines are missing before this one`;

export class RecordedOrder {
  readonly #file: string;
  readonly #version: 1 | 2;
  readonly #next = new Map<Process, number>();
  readonly #ended = new Set<Process>();
  /** Most lines belong to the same process as the line before. */
  #process: Process | undefined;
  #expected = 0;
  /** The largest next number of any process. */
  #most = 0;

  constructor(file: string, version: 1 | 2) {
    this.#file = file;
    this.#version = version;
  }

  /** The next line. Throws BadInput if it is not the next one of its process. */
  take(line: number, process: Process, sequence: number): void {
    if (process !== this.#process) this.#switch(process, sequence);
    if (sequence !== this.#expected) this.#fail(line, process, sequence);
    this.#expected = sequence + 1;
    if (this.#expected > this.#most) this.#most = this.#expected;
  }

  /** The process has ended: another one may get its number, and go on from its count or begin again. */
  ended(process: Process): void {
    this.#next.set(process, this.#expected);
    this.#process = undefined;
    this.#ended.add(process);
  }

  #switch(process: Process, sequence: number): void {
    if (this.#process !== undefined) this.#next.set(this.#process, this.#expected);
    this.#process = process;
    // In recordings of version 1, a child continues from its parent's number at the fork.
    const first = this.#version === 1 ? Math.min(sequence, this.#most) : 0;
    const isAgain = this.#ended.delete(process) && sequence === 0;
    this.#expected = isAgain ? 0 : (this.#next.get(process) ?? first);
  }

  #fail(line: number, process: Process, sequence: number): never {
    const expected = this.#expected;
    const why =
      sequence > expected
        ? missing(sequence - expected)
        : 'this line is there twice, or is not in its place';
    throw new BadInput(
      this.#file,
      line,
      `"seq" of process ${process} is ${sequence} and must be ${expected}: ${why}`,
    );
  }
}
