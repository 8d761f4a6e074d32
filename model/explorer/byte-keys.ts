// SPDX-License-Identifier: MIT
// Keys that are bytes: stored one after the other, with a hash table of their positions. The table
// also has a part of each hash, so that different keys are seldom compared.

import { BadSaved } from './bad-saved.ts';
import type { Visited } from './visited.ts';

const FIRST_SLOTS = 1 << 10;
/** At most so many of eight slots are in use. */
const FULL_EIGHTHS = 5;

/** Bytes in a piece; no key is longer. */
const PIECE_BITS = 20;
const PIECE = 1 << PIECE_BITS;
/** Keys are at multiples of 4 bytes, so that 32 bits address 16 GiB. */
const GRAIN_BITS = 2;
const LENGTH_BYTES = 4;
const MOST_PIECES = 1 << (32 + GRAIN_BITS - PIECE_BITS);

const roundedUp = (bytes: number): number => (bytes + 3) & ~3;

export class ByteKeys implements Visited<Uint8Array> {
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** Bytes of the last piece in use. */
  #used = PIECE;
  /** Positions of keys, in grains and counted from 1; 0 is free. */
  #positions = new Uint32Array(FIRST_SLOTS);
  #hashes = new Uint32Array(FIRST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(key: Uint8Array): boolean {
    return this.#positions[this.#slotOf(key, hashOf(key))] !== 0;
  }

  add(key: Uint8Array): boolean {
    const hash = hashOf(key);
    const slot = this.#slotOf(key, hash);
    if (this.#positions[slot] !== 0) return false;
    this.#positions[slot] = this.#keep(key);
    this.#hashes[slot] = hash;
    this.#size += 1;
    if (this.#size * 8 > this.#positions.length * FULL_EIGHTHS) this.#grow();
    return true;
  }

  #slotOf(key: Uint8Array, hash: number): number {
    const positions = this.#positions;
    const mask = positions.length - 1;
    let slot = hash & mask;
    for (;;) {
      const position = positions[slot] as number;
      if (position === 0 || (this.#hashes[slot] === hash && this.#isAt(position, key))) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isAt(position: number, key: Uint8Array): boolean {
    const grain = position - 1;
    const piece = this.#pieces[grain >>> (PIECE_BITS - GRAIN_BITS)] as Uint8Array;
    const at = (grain << GRAIN_BITS) & (PIECE - 1);
    if (lengthAt(piece, at) !== key.length) return false;
    const from = at + LENGTH_BYTES;
    for (let index = 0; index < key.length; index += 1) {
      if (piece[from + index] !== key[index]) return false;
    }
    return true;
  }

  #keep(key: Uint8Array): number {
    const bytes = LENGTH_BYTES + roundedUp(key.length);
    if (key.length === 0 || bytes > PIECE) {
      throw new Error(
        `A state's name has ${key.length} bytes; it must have some, and less than 1 MiB.`,
      );
    }
    if (this.#used + bytes > PIECE) {
      if (this.#pieces.length === MOST_PIECES) throw new Error('The names of states fill 16 GiB.');
      this.#pieces.push(new Uint8Array(PIECE));
      this.#used = 0;
    }
    const piece = this.#pieces.at(-1) as Uint8Array;
    const at = this.#used;
    putLength(piece, at, key.length);
    piece.set(key, at + LENGTH_BYTES);
    this.#used += bytes;
    const grains = PIECE >>> GRAIN_BITS;
    return (this.#pieces.length - 1) * grains + (at >>> GRAIN_BITS) + 1;
  }

  #grow(): void {
    const [positions, hashes] = [this.#positions, this.#hashes];
    const mask = positions.length * 2 - 1;
    this.#positions = new Uint32Array(mask + 1);
    this.#hashes = new Uint32Array(mask + 1);
    for (let from = 0; from < positions.length; from += 1) {
      const position = positions[from] as number;
      if (position === 0) continue;
      const hash = hashes[from] as number;
      let slot = hash & mask;
      while (this.#positions[slot] !== 0) slot = (slot + 1) & mask;
      this.#positions[slot] = position;
      this.#hashes[slot] = hash;
    }
  }

  *bytes(): Generator<Uint8Array> {
    for (const piece of this.#pieces) {
      const end = piece === this.#pieces.at(-1) ? this.#used : PIECE;
      for (let at = 0; at < end; ) {
        const length = lengthAt(piece, at);
        if (length === 0) break;
        yield piece.subarray(at, at + LENGTH_BYTES + length);
        at += LENGTH_BYTES + roundedUp(length);
      }
    }
  }

  fill(count: number, read: (bytes: Uint8Array) => void): void {
    const head = new Uint8Array(LENGTH_BYTES);
    for (let done = 0; done < count; done += 1) {
      read(head);
      const length = lengthAt(head, 0);
      if (length === 0 || LENGTH_BYTES + roundedUp(length) > PIECE || head[3] !== 0) {
        throw new BadSaved(`a state's name has ${length} bytes`);
      }
      const key = new Uint8Array(length);
      read(key);
      this.add(key);
    }
  }
}

const lengthAt = (piece: Uint8Array, at: number): number =>
  (piece[at] as number) | ((piece[at + 1] as number) << 8) | ((piece[at + 2] as number) << 16);

const putLength = (piece: Uint8Array, at: number, length: number): void => {
  piece[at] = length;
  piece[at + 1] = length >>> 8;
  piece[at + 2] = length >>> 16;
};

/** A hash of 32 bits, computed four bytes at a time. */
export const hashOf = (key: Uint8Array): number => {
  const { length } = key;
  let hash = length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const word =
      (key[at] as number) |
      ((key[at + 1] as number) << 8) |
      ((key[at + 2] as number) << 16) |
      ((key[at + 3] as number) << 24);
    hash = Math.imul(hash ^ Math.imul(word, 0xcc9e_2d51), 0x1b87_3593);
    hash ^= hash >>> 15;
  }
  for (; at < length; at += 1) hash = Math.imul(hash ^ (key[at] as number), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};
