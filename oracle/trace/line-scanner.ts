// SPDX-License-Identifier: MIT
// Reads values from the bytes of a line, in their expected order. It never throws: it records that the line is
// unexpected, and the caller parses such a line with full checks.

import { u64Of } from '../../spec/abi/bytes.ts';
import { DIGIT, latin1Of } from '../../spec/abi/bytes-text.ts';

const QUOTE = 0x22;
const MINUS = 0x2d;
const ZERO = 0x30;
const BACKSLASH = 0x5c;

/** Numbers of so many digits are exact. */
const DECIMALS = 15;

const POOL = 1 << 16;

export class LineScanner {
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  #end = 0;
  #isAsExpected = true;
  // Byte strings are short and many; they are slices of these buffers.
  #pool = new Uint8Array(POOL);
  #used = 0;

  start(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#isAsExpected = true;
  }

  /** Whether the whole line was as expected. */
  isDone(): boolean {
    return this.#isAsExpected && this.#at === this.#end;
  }

  /** The caller found something unexpected. */
  fail(): void {
    this.#isAsExpected = false;
  }

  isAsExpected(): boolean {
    return this.#isAsExpected;
  }

  /** Skips the text if it is next. */
  skips(text: Uint8Array): boolean {
    const { length } = text;
    const bytes = this.#bytes;
    const at = this.#at;
    if (at + length > this.#end) return false;
    for (let index = 0; index < length; index += 1) {
      if (bytes[at + index] !== text[index]) return false;
    }
    this.#at = at + length;
    return true;
  }

  expect(text: Uint8Array): void {
    if (!this.skips(text)) this.#isAsExpected = false;
  }

  /** A whole number in decimal digits. */
  integer(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at += 1;
    const first = at;
    let value = 0;
    while (at < this.#end) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at += 1;
    }
    const digits = at - first;
    if (digits === 0 || digits > DECIMALS || (digits > 1 && bytes[first] === ZERO)) {
      this.#isAsExpected = false;
    }
    this.#at = at;
    return isNegative ? -value : value;
  }

  /** Hexadecimal digits, up to 16 of them, as a number. */
  hexadecimal(): bigint {
    const bytes = this.#bytes;
    const first = this.#at;
    let at = first;
    let high = 0;
    let low = 0;
    while (at < this.#end) {
      const digit = DIGIT[bytes[at] as number] as number;
      if (digit < 0) break;
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | digit;
      at += 1;
    }
    const digits = at - first;
    if (digits === 0 || digits > 16) {
      this.#isAsExpected = false;
      return 0n;
    }
    this.#at = at;
    return u64Of(high, low);
  }

  /** Text up to a quote, which is not consumed; returns `known` itself if equal. */
  text(known: { readonly bytes: Uint8Array; readonly text: string } | undefined): string {
    if (known !== undefined) {
      const before = this.#at;
      if (this.skips(known.bytes) && this.#bytes[this.#at] === QUOTE) return known.text;
      this.#at = before;
    }
    const bytes = this.#bytes;
    let at = this.#at;
    while (at < this.#end) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) break;
      if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) {
        this.#isAsExpected = false;
        return '';
      }
      at += 1;
    }
    const text = latin1Of(bytes.subarray(this.#at, at));
    this.#at = at;
    return text;
  }

  /** Bytes as pairs of hexadecimal digits; `same` itself if they are equal. */
  bytes(same: Uint8Array | undefined): Uint8Array {
    const bytes = this.#bytes;
    const most = (this.#end - this.#at) >> 1;
    const target = this.#room(most);
    const from = this.#used;
    let length = 0;
    let at = this.#at;
    let isSame = same !== undefined;
    while (length < most) {
      const high = DIGIT[bytes[at] as number] as number;
      const low = DIGIT[bytes[at + 1] as number] as number;
      if ((high | low) < 0) break;
      const byte = (high << 4) | low;
      target[from + length] = byte;
      if (isSame && byte !== (same as Uint8Array)[length]) isSame = false;
      length += 1;
      at += 2;
    }
    this.#at = at;
    if (isSame && same?.length === length) return same;
    this.#used = from + length;
    return target.subarray(from, this.#used);
  }

  /** A pool with room for so many more bytes. */
  #room(length: number): Uint8Array {
    if (this.#used + length > this.#pool.length) {
      this.#pool = new Uint8Array(Math.max(POOL, length));
      this.#used = 0;
    }
    return this.#pool;
  }
}
