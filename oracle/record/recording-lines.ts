// SPDX-License-Identifier: MIT
// Writes the lines of a recording, with fields in the order that is parsed fastest. If a write fails, the recording
// ends there, and the tracer continues.

import { ftruncateSync, writeSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { reasonOf } from '../files/reason.ts';
import { hexText, jsonLine } from '../trace/json-line.ts';

export type LineFields = Readonly<Record<string, unknown>>;

/** Characters that are written at once. */
const BLOCK = 1 << 16;

/** Disk space that is reserved for the last line, which says why the recording ends. */
const RESERVE = new Uint8Array(4096);
const REASON_MAX = 400;

export const hex = (value: bigint | number): string => hexText(BigInt(value));

export class RecordingLines {
  readonly #descriptor: number;
  readonly #isCompressed: boolean;
  readonly #sequences = new Map<number, number>();
  #waiting = '';
  #waitingLines = 0;
  /** Bytes in the file that are whole lines. */
  #end = 0;
  #count = 0;
  #cut: string | undefined;

  /** Throws if the disk has no room for a header of that length. Nothing throws afterwards. */
  constructor(descriptor: number, isCompressed: boolean, headerLength: number) {
    this.#descriptor = descriptor;
    this.#isCompressed = isCompressed;
    this.#writeAt(new Uint8Array(headerLength), 0);
    this.#writeAt(RESERVE, headerLength);
  }

  /** Lines in the file, without the header. */
  get count(): number {
    return this.#count;
  }

  /** Whether the header is in the file. */
  get isBegun(): boolean {
    return this.#end > 0;
  }

  /** Why the recording is cut; undefined if it is not. */
  get cut(): string | undefined {
    return this.#cut;
  }

  /** The first line. */
  begin(header: LineFields): void {
    this.#waiting = `${jsonLine(header)}\n`;
    this.flush();
  }

  add(process: number, thread: number | undefined, fields: LineFields): void {
    if (this.#cut !== undefined) return;
    const seq = this.#sequences.get(process) ?? 0;
    this.#sequences.set(process, seq + 1);
    const caller = thread === undefined ? { pid: process } : { pid: process, tid: thread };
    this.#waiting += `${jsonLine({ seq, ...caller, ...fields })}\n`;
    this.#waitingLines += 1;
    if (this.#waiting.length > BLOCK) this.flush();
  }

  /** Ends the recording, for that reason. */
  stop(reason: string): void {
    if (this.#cut !== undefined) return;
    this.flush();
    this.#cut ??= reason.slice(0, REASON_MAX);
  }

  flush(): void {
    if (this.#waiting === '' || this.#cut !== undefined) return;
    try {
      this.#append(this.#waiting, RESERVE);
      this.#count += this.#waitingLines;
    } catch (error) {
      this.#cut = reasonOf(error);
    }
    this.#waiting = '';
    this.#waitingLines = 0;
  }

  /** The last line, with the program's exit status. */
  finish(exit: number): void {
    this.flush();
    if (!this.isBegun) return;
    const cut = this.#cut === undefined ? {} : { cut: this.#cut };
    try {
      this.#append(`${jsonLine({ call: 'end', exit, lines: this.#count, ...cut })}\n`);
    } catch (error) {
      // Without that line readers report it as cut, too.
      this.#cut ??= reasonOf(error);
    }
    try {
      ftruncateSync(this.#descriptor, this.#end);
    } catch (error) {
      this.#cut ??= reasonOf(error);
    }
  }

  #append(text: string, behind: Uint8Array = new Uint8Array()): void {
    const bytes = this.#isCompressed ? gzipSync(text) : Buffer.from(text);
    this.#writeAt(Buffer.concat([bytes, behind]), this.#end);
    this.#end += bytes.length;
  }

  #writeAt(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, position + done);
    }
  }
}
