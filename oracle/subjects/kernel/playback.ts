// SPDX-License-Identifier: MIT
// A machine that replays the results of a batch, so that the code that runs programs on any machine makes
// steps of them.

import type { Machine } from '../../../model/machine/machine.ts';
import { REGIONS } from '../../../model/programs/arena.ts';
import type { Program } from '../../../model/programs/program.ts';
import { runProgram, type Step } from '../../../model/programs/run.ts';
import * as wire from './wire.ts';

/** The result of one program, as far as the runner reported it. */
export type Played = {
  readonly steps: readonly Step[];
  readonly complaints: readonly string[];
  /** Index of the operation during which the first complaint came, if the runner checked after each. */
  readonly complainedAt?: number;
  readonly refused?: string;
};

const RESULT_HEADER = 4;

class Playback implements Machine {
  private readonly program: Program;
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;
  /** The next word of the results. */
  position: number;
  private index = 0;
  private regions = REGIONS.length;
  /** The current ioctl: its stored bytes, and the number of spans that were read. */
  private stored: Uint8Array[] = [];
  private loaded = 0;
  private pending: number | undefined;

  constructor(program: Program, results: Int32Array, position: number) {
    this.program = program;
    this.words = results;
    this.bytes = new Uint8Array(results.buffer, results.byteOffset, results.byteLength);
    this.position = position;
  }

  open(): number {
    return this.next();
  }

  close(): number {
    return this.next();
  }

  memfd(): number {
    return this.next();
  }

  munmap(): number {
    return this.next();
  }

  mmap(): number {
    if (this.regions === 0) return this.next();
    this.regions -= 1;
    return 0;
  }

  dma(): number {
    const result = this.pending ?? this.word();
    if (this.isDmaWithout()) this.finish();
    return result;
  }

  status(): number {
    return this.next();
  }

  store(_address: bigint, bytes: Uint8Array): number {
    if (this.program[this.index]?.op !== 'ioctl') return this.next();
    this.stored.push(bytes);
    return bytes.length;
  }

  load(_address: bigint, length: number): Uint8Array {
    if (this.pending === undefined) {
      this.pending = this.word();
      this.loaded = 0;
    }
    // The memory of a transfer is not stored before: it is compared with zeros.
    const reference = this.stored[this.loaded % this.stored.length] ?? new Uint8Array(length);
    this.loaded += 1;
    const memory = this.memory(reference);
    if (this.loaded === Math.max(1, this.stored.length) * 2) this.finish();
    return memory;
  }

  ioctl(): number {
    const result = this.pending ?? this.word();
    if (this.stored.length === 0) this.finish();
    return result;
  }

  private isDmaWithout(): boolean {
    const operation = this.program[this.index];
    return operation?.op === 'dma' && operation.look === undefined;
  }

  private finish(): void {
    this.pending = undefined;
    this.stored = [];
    this.index += 1;
  }

  private next(): number {
    this.index += 1;
    return this.word();
  }

  private word(): number {
    const word = this.words[this.position];
    if (word === undefined)
      throw new Error('The results end too early: the runner is of another version.');
    this.position += 1;
    return word;
  }

  private memory(reference: Uint8Array): Uint8Array {
    const length = this.word();
    if (length === wire.UNCHANGED) return reference;
    const start = this.position * 4;
    this.position += (length + 3) >> 2;
    return this.bytes.slice(start, start + length);
  }
}

/** The runner's results for each program of a batch. */
export const playBatch = (programs: readonly Program[], results: Int32Array): readonly Played[] => {
  const bytes = Buffer.from(results.buffer, results.byteOffset, results.byteLength);
  let position = 1;
  if (results[0] !== programs.length) {
    throw new Error('The results are of another batch: the runner is of another version.');
  }
  return programs.map((program) => {
    const [status, done, complainedAt, length] = results.subarray(
      position,
      position + RESULT_HEADER,
    );
    const made = program.slice(0, done);
    const playback = new Playback(made, results, position + RESULT_HEADER);
    const steps = runProgram(made, playback);
    const start = playback.position * 4;
    const text = bytes.toString('utf8', start, start + (length ?? 0));
    position = playback.position + (((length ?? 0) + 3) >> 2);
    const lines = text === '' ? [] : text.split('\n');
    return {
      steps,
      complaints: status === wire.REFUSED ? lines.slice(1) : lines,
      ...(complainedAt === undefined || complainedAt < 0 ? {} : { complainedAt }),
      ...(status === wire.REFUSED ? { refused: lines[0] ?? '' } : {}),
    };
  });
};
