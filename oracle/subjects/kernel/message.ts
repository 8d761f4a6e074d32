// SPDX-License-Identifier: MIT
// The message of a batch, read in place, and its spans: bytes to store in the arena before a call, and to
// read around it.

import type { ArenaMemory } from './arena-memory.ts';
import { UNCHANGED, type WordWriter } from './wire.ts';

const TWO_TO_32 = 0x1_0000_0000;
/** Words of a span before its bytes. */
const STRETCH_WORDS = 3;

export class Message {
  /** How many bytes of the last span were stored, if not all. */
  stored = 0;
  private readonly memory: ArenaMemory;
  private readonly message: Int32Array;
  private readonly bytes: Uint8Array;

  constructor(message: Int32Array, memory: ArenaMemory) {
    this.memory = memory;
    this.message = message;
    this.bytes = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  }

  word(at: number): number {
    return this.message[at] ?? 0;
  }

  /** A u64. */
  wide(at: number): bigint {
    return (BigInt(this.word(at + 1) >>> 0) << 32n) | BigInt(this.word(at) >>> 0);
  }

  /** `from` and `length` in bytes. */
  text(from: number, length: number): string {
    return Buffer.from(this.bytes.subarray(from, from + length)).toString();
  }

  /** `position` in bytes. */
  patch(position: number, byte: number): void {
    this.bytes[position] = byte;
  }

  /** The word after a span. */
  after(span: number): number {
    return span + STRETCH_WORDS + ((this.word(span + 2) + 3) >> 2);
  }

  /** The arena offset of a span's address; negative or past the arena's length if it is outside. */
  arenaOffset(span: number): number {
    const low = this.word(span) >>> 0;
    return (this.word(span + 1) >>> 0) * TWO_TO_32 + low - this.memory.base;
  }

  /** Stores the bytes in the arena. Returns whether all could be stored; if not, the count is in `stored`. */
  put(span: number): boolean {
    const { memory } = this;
    const offset = this.arenaOffset(span);
    const length = this.word(span + 2);
    const data = span + STRETCH_WORDS;
    if ((offset & 3) !== 0 || memory.writable(offset, length) < length) {
      const from = data * 4;
      this.stored = memory.store(offset, this.bytes.subarray(from, from + length));
      return this.stored === length;
    }
    memory.dirty(offset, length);
    const { message } = this;
    const { words, bytes } = memory;
    const whole = length >> 2;
    const to = offset >> 2;
    for (let index = 0; index < whole; index += 1) words[to + index] = message[data + index] ?? 0;
    for (let index = whole * 4; index < length; index += 1) {
      bytes[offset + index] = this.bytes[data * 4 + index] ?? 0;
    }
    return true;
  }

  /** Writes the readable bytes of the span, or that they are unchanged since they were stored. */
  push(span: number, out: WordWriter): void {
    const { memory } = this;
    const offset = this.arenaOffset(span);
    const wanted = this.word(span + 2);
    const data = span + STRETCH_WORDS;
    const length = memory.loadable(offset, wanted);
    const start = out.length;
    out.reserve(2 + (length >> 2));
    const to = start + 1;
    let difference = length - wanted;
    const whole = length >> 2;
    if ((offset & 3) === 0) {
      difference |= this.copyWords(offset >> 2, data, out.words, to, whole);
    } else {
      difference |= this.copyUnaligned(offset, data, out.words, to, whole);
    }
    let tail = 0;
    for (let index = whole * 4; index < length; index += 1) {
      const byte = memory.bytes[offset + index] ?? 0;
      difference |= byte ^ (this.bytes[data * 4 + index] ?? 0);
      tail |= byte << ((index & 3) * 8);
    }
    if (difference === 0) {
      out.words[start] = UNCHANGED;
      out.length = start + 1;
      return;
    }
    out.words[start] = length;
    if ((length & 3) !== 0) out.words[to + whole] = tail;
    out.length = to + ((length + 3) >> 2);
  }

  /** Copies words of the arena to the results; 0 where they are the message's. */
  private copyWords(
    from: number,
    data: number,
    results: Int32Array,
    to: number,
    count: number,
  ): number {
    const { message } = this;
    const { words } = this.memory;
    let difference = 0;
    for (let index = 0; index < count; index += 1) {
      const word = words[from + index] ?? 0;
      difference |= word ^ (message[data + index] ?? 0);
      results[to + index] = word;
    }
    return difference;
  }

  private copyUnaligned(
    from: number,
    data: number,
    results: Int32Array,
    to: number,
    count: number,
  ): number {
    const { message } = this;
    const { bytes } = this.memory;
    let difference = 0;
    for (let index = 0; index < count; index += 1) {
      const at = from + index * 4;
      const word =
        (bytes[at] ?? 0) |
        ((bytes[at + 1] ?? 0) << 8) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 24);
      difference |= word ^ (message[data + index] ?? 0);
      results[to + index] = word;
    }
    return difference;
  }
}
