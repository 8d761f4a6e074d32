// SPDX-License-Identifier: MIT
// A list of numbers that only grows, in pieces: growing copies nothing, and no number is an object.

type Numbers = Uint16Array | Uint32Array | Float64Array;

/** Numbers in a piece. */
const PIECE_BITS = 16;
const PIECE = 1 << PIECE_BITS;

export class Column {
  readonly #make: (length: number) => Numbers;
  readonly #pieces: Numbers[] = [];
  #length = 0;

  constructor(make: (length: number) => Numbers) {
    this.#make = make;
  }

  get length(): number {
    return this.#length;
  }

  /** Undefined after the end. */
  at(index: number): number | undefined {
    return index < this.#length
      ? this.#pieces[index >>> PIECE_BITS]?.[index & (PIECE - 1)]
      : undefined;
  }

  push(value: number): void {
    const index = this.#length;
    const piece = this.#pieces[index >>> PIECE_BITS] ?? this.#grown();
    piece[index & (PIECE - 1)] = value;
    this.#length = index + 1;
  }

  /** Removes the last number. */
  pop(): number | undefined {
    const value = this.at(this.#length - 1);
    if (value !== undefined) this.#length -= 1;
    return value;
  }

  #grown(): Numbers {
    const piece = this.#make(PIECE);
    this.#pieces.push(piece);
    return piece;
  }

  /** Every number as bytes, piece by piece. */
  *bytes(): Generator<Uint8Array> {
    for (let at = 0; at < this.#length; at += PIECE) {
      const piece = this.#pieces[at >>> PIECE_BITS] as Numbers;
      yield bytesOf(piece.subarray(0, Math.min(PIECE, this.#length - at)));
    }
  }

  /** Fills the empty column with so many numbers of what `bytes` returned. */
  fill(length: number, read: (bytes: Uint8Array) => void): void {
    for (let at = 0; at < length; at += PIECE) {
      read(bytesOf(this.#grown().subarray(0, Math.min(PIECE, length - at))));
    }
    this.#length = length;
  }
}

/** The memory of the numbers, not a copy. */
export const bytesOf = (numbers: Numbers): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
