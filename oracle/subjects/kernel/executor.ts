// SPDX-License-Identifier: MIT
// Makes the calls of a batch. JavaScript is slow where it runs, so it works on words in place, and
// allocates neither bigints nor objects for a call.

import { ARENA_BASE } from '../../../model/programs/arena.ts';
import { fileDescriptor } from '../../../spec/abi/units.ts';
import type { Backing } from '../../../spec/terms/call.ts';
import { UnsafeCall } from '../../safety/permitted.ts';
import type { KernelLog } from './kernel-log.ts';
import type { KernelMachine } from './machine.ts';
import { Message } from './message.ts';
import { Slots } from './slots.ts';
import * as wire from './wire.ts';

/** The call in flight, readable after the machine has died: batch, program, operation. */
export type Progress = Int32Array;

export type ExecutorOptions = {
  /** Read the kernel's log after every operation, not only after every program. */
  readonly logEveryCall: boolean;
};

/** Words of an ioctl's body before its spans. */
const IOCTL_WORDS = 5;
/** Words of a transfer's body before its span. */
const DMA_WORDS = 6;
const CAPTURE_WORDS = 3;
const RESULT_HEADER = 4;
const LONGEST_LOG = 200;

export class Executor {
  private readonly machine: KernelMachine;
  private readonly log: KernelLog;
  private readonly progress: Progress;
  private readonly options: ExecutorOptions;
  private readonly slots = new Slots();
  private readonly out = new wire.WordWriter();
  private message: Message;

  constructor(
    machine: KernelMachine,
    log: KernelLog,
    progress: Progress,
    options: ExecutorOptions,
  ) {
    this.machine = machine;
    this.log = log;
    this.progress = progress;
    this.options = options;
    this.message = new Message(new Int32Array(), machine.memory);
  }

  /** The results; good until the next batch. */
  run(batch: Int32Array): Uint8Array {
    const message = new Message(batch, this.machine.memory);
    this.message = message;
    this.out.length = 0;
    const { progress } = this;
    progress[0] = (progress[0] ?? 0) + 1;
    let at = 0;
    const fresh = message.word(at++) === 1;
    const paths: string[] = [];
    for (let left = message.word(at++); left > 0; left -= 1) {
      const length = message.word(at++);
      paths.push(message.text(at * 4, length));
      at += (length + 3) >> 2;
    }
    const count = message.word(at++);
    this.out.push(count);
    for (let number = 0; number < count; number += 1) {
      progress[1] = number;
      at = this.runProgram(at, paths, fresh);
    }
    return this.out.finished();
  }

  /** Runs the program that starts at the word, and returns the start of the next. */
  private runProgram(start: number, paths: readonly string[], fresh: boolean): number {
    const { machine, out, progress, message } = this;
    const count = message.word(start);
    this.slots.clear(message.word(start + 1));
    const header = out.length;
    out.reserve(RESULT_HEADER);
    out.length += RESULT_HEADER;
    const lines: string[] = [];
    let complainedAt = -1;
    let refusal: string | undefined;
    let done = 0;
    let at = start + 2;
    progress[2] = -1;
    machine.prepare(fresh);
    while (done < count && refusal === undefined) {
      progress[2] = done;
      const before = out.length;
      try {
        this.perform(at, paths);
        at += message.word(at + 1);
        done += 1;
      } catch (error) {
        if (!(error instanceof UnsafeCall)) throw error;
        refusal = error.message;
        out.length = before;
      }
      if (this.options.logEveryCall && this.log.complaints(lines) && complainedAt < 0) {
        complainedAt = progress[2] ?? 0;
      }
    }
    progress[2] = count;
    machine.release();
    this.log.complaints(lines);
    for (let rest = done; rest < count; rest += 1) at += message.word(at + 1);
    if (refusal !== undefined) lines.unshift(refusal);
    // Writing lines may move the words.
    const length = this.pushLines(lines);
    out.words[header] = refusal === undefined ? wire.COMPLETE : wire.REFUSED;
    out.words[header + 1] = done;
    out.words[header + 2] = complainedAt;
    out.words[header + 3] = length;
    return at;
  }

  /** The count of bytes. */
  private pushLines(lines: readonly string[]): number {
    if (lines.length === 0) return 0;
    const text = Buffer.from(lines.slice(0, LONGEST_LOG).join('\n'));
    this.out.pushBytes(text);
    return text.length;
  }

  private perform(at: number, paths: readonly string[]): void {
    const { message, machine, out } = this;
    const patches = message.word(at + 2);
    const captures = message.word(at + 3);
    const capturesAt = at + wire.HEADER_WORDS + patches * 2;
    const body = capturesAt + captures * CAPTURE_WORDS;
    for (let patch = at + wire.HEADER_WORDS; patch < capturesAt; patch += 2) {
      this.slots.apply(message, at * 4 + message.word(patch), message.word(patch + 1));
    }
    let result: number;
    switch (message.word(at)) {
      case wire.OPEN:
        result = machine.open(paths[message.word(body)] ?? '');
        break;
      case wire.CLOSE:
        result = machine.close(message.word(body));
        break;
      case wire.IOCTL:
        this.ioctl(body, capturesAt, captures);
        return;
      case wire.MEMFD:
        result = machine.memfd(message.wide(body));
        break;
      case wire.MMAP:
        result = this.mmap(body);
        break;
      case wire.MUNMAP:
        result = machine.munmap(ARENA_BASE + message.wide(body), message.wide(body + 2));
        break;
      case wire.DMA:
        this.dma(body);
        return;
      case wire.STATUS:
        result = machine.status(wire.STATUS_FIELDS[message.word(body)] ?? 'VmLck');
        break;
      default:
        result = message.put(body) ? message.word(body + 2) : message.stored;
    }
    out.push(result);
    if (result > 0) this.keepAll(capturesAt, captures, result, -1, 0);
  }

  private mmap(body: number): number {
    const { message } = this;
    const flags = message.word(body + 4);
    const kind = wire.BACKINGS[flags >> 8] ?? 'anonymous';
    const backing: Backing =
      kind === 'memfd'
        ? { kind, fd: fileDescriptor(message.word(body + 5)), offset: message.wide(body + 6) }
        : { kind };
    return this.machine.mmap(
      ARENA_BASE + message.wide(body),
      message.wide(body + 2),
      wire.PROTECTIONS[flags & 0xf] ?? 'none',
      (flags & (1 << 4)) !== 0,
      backing,
    );
  }

  private dma(body: number): void {
    const { message, out } = this;
    const header = out.length;
    out.push(0);
    const probes = message.word(body + 5) === 1;
    const span = body + DMA_WORDS;
    if (probes) message.push(span, out);
    const result = this.machine.dma(
      message.word(body),
      wire.DIRECTIONS[message.word(body + 1)] ?? 'read',
      message.wide(body + 2),
      message.word(body + 4),
    );
    if (probes) message.push(span, out);
    out.words[header] = result;
  }

  private ioctl(body: number, capturesAt: number, captures: number): void {
    const { out, message } = this;
    const count = message.word(body + 4);
    const first = body + IOCTL_WORDS;
    const header = out.length;
    out.push(0);
    let whole = true;
    for (let index = 0, at = first; index < count; index += 1, at = message.after(at)) {
      if (!message.put(at)) whole = false;
    }
    // One span that was stored as a whole is there as it was stored; several may overlap.
    for (let index = 0, at = first; index < count; index += 1, at = message.after(at)) {
      if (whole && count === 1) out.push(wire.UNCHANGED);
      else message.push(at, out);
    }
    const result = this.machine.control(
      message.word(body),
      message.word(body + 1),
      message.word(body + 3),
      message.word(body + 2),
    );
    for (let index = 0, at = first; index < count; index += 1, at = message.after(at)) {
      message.push(at, out);
    }
    out.words[header] = result;
    if (result < 0 || captures === 0) return;
    const offset = count === 0 ? -1 : message.arenaOffset(first);
    const { memory } = this.machine;
    this.keepAll(
      capturesAt,
      captures,
      result,
      offset,
      memory.loadable(offset, message.word(first + 2)),
    );
  }

  /** Keeps what later operations need: the result, and fields of the struct at the arena offset. */
  private keepAll(
    at: number,
    captures: number,
    result: number,
    offset: number,
    length: number,
  ): void {
    const { memory } = this.machine;
    for (let index = 0; index < captures; index += 1) {
      this.slots.keep(this.message, at + index * CAPTURE_WORDS, result, memory, offset, length);
    }
  }
}
