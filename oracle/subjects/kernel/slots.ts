// SPDX-License-Identifier: MIT
// The outputs of the running program's operations, for later ones: 8 bytes a slot.

import type { ArenaMemory } from './arena-memory.ts';
import type { Message } from './message.ts';
import { WHOLE_RESULT } from './wire.ts';

const SLOTS = 64;

export class Slots {
  private words = new Int32Array(SLOTS * 2);
  private bytes = new Uint8Array(this.words.buffer);

  /** A new program: so many slots, all zero. */
  clear(count: number): void {
    if (count * 2 > this.words.length) {
      this.words = new Int32Array(count * 4);
      this.bytes = new Uint8Array(this.words.buffer);
    }
    for (let index = 0; index < count * 2; index += 1) this.words[index] = 0;
  }

  /**
   * Keeps the result, or a field of the struct at an arena offset of which `length` bytes can be read. `capture` is
   * the word of the capture in the message.
   */
  keep(
    message: Message,
    capture: number,
    result: number,
    memory: ArenaMemory,
    offset: number,
    length: number,
  ): void {
    const slot = message.word(capture);
    const field = message.word(capture + 1);
    const width = message.word(capture + 2);
    if (field === WHOLE_RESULT) {
      this.words[slot * 2] = result;
      return;
    }
    if (field + width > length) return;
    for (let index = 0; index < width; index += 1) {
      this.bytes[slot * 8 + index] = memory.bytes[offset + field + index] ?? 0;
    }
  }

  /** Puts a slot into the message: `patch` is width | slot << 8, `position` in bytes. */
  apply(message: Message, position: number, patch: number): void {
    const width = patch & 0xff;
    const from = (patch >>> 8) * 8;
    for (let index = 0; index < width; index += 1) {
      message.patch(position + index, this.bytes[from + index] ?? 0);
    }
  }
}
