// SPDX-License-Identifier: MIT
// Writes a sequence of values as bytes, without ambiguity: different values have different bytes.

const FIRST_ROOM = 1 << 12;

/** A 64-bit number and its two halves. */
const wide = new BigUint64Array(1);
const halves = new Uint32Array(wide.buffer);

const PAGE_BITS = 12;
const IN_PAGE = (1 << PAGE_BITS) - 1;

/** How a 64-bit number is written: as a page number if it is the first or last byte of a page, or as it is. */
const FIRST_BYTE = 0;
const LAST_BYTE = 1;
const AS_IT_IS = 2;
/** Added if the upper half is 0 and not written. */
const SMALL = 4;

export class KeyWriter {
  #bytes = new Uint8Array(FIRST_ROOM);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  /** The bytes written; valid until the next `clear`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  flag(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  /** An integer from 0 to 2^53 - 1: seven bits per byte, the lowest first. */
  number(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest & 127) | 128);
      rest = rest > 0x7fff_ffff ? Math.floor(rest / 128) : rest >>> 7;
    }
    this.byte(rest);
  }

  /** A number of 64 bits; page boundaries take few bytes. */
  u64(value: bigint): void {
    wide[0] = value;
    const low = halves[0] as number;
    const high = halves[1] as number;
    const inPage = low & IN_PAGE;
    const how = inPage === 0 ? FIRST_BYTE : inPage === IN_PAGE ? LAST_BYTE : AS_IT_IS;
    const lower = how === AS_IT_IS ? low : low >>> PAGE_BITS;
    if (high === 0) {
      this.byte(how + SMALL);
      this.number(lower);
      return;
    }
    this.byte(how);
    this.number(lower);
    this.number(high);
  }

  /** A number of any size, not negative. */
  big(value: bigint): void {
    let rest = value;
    for (; rest > 0n; rest >>= 64n) {
      this.byte(1);
      this.u64(BigInt.asUintN(64, rest));
    }
    this.byte(0);
  }

  /** Characters of one byte each. */
  text(value: string): void {
    this.number(value.length);
    for (let at = 0; at < value.length; at += 1) this.byte(value.charCodeAt(at));
  }

  /** Bytes of this or another writer. */
  written(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #grow(more: number): void {
    const grown = new Uint8Array((this.#bytes.length + more) * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
