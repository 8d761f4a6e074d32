// SPDX-License-Identifier: MIT
// Keys that are integers: a hash table of the numbers themselves.

import { BadSaved } from './bad-saved.ts';
import { bytesOf } from './column.ts';
import type { Visited } from './visited.ts';

const FREE = -1;
const FIRST_SLOTS = 1 << 10;
/** At most so many of eight slots are in use. */
const FULL_EIGHTHS = 5;
const TWO_TO_32 = 2 ** 32;

/** Keys that are written or read at a time. */
const BATCH = 1 << 14;

const isName = (key: number): boolean => Number.isSafeInteger(key) && key >= 0;

export class NumberKeys implements Visited<number> {
  #slots = new Float64Array(FIRST_SLOTS).fill(FREE);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(key: number): boolean {
    return this.#slots[slotOf(this.#slots, key)] !== FREE;
  }

  add(key: number): boolean {
    const slots = this.#slots;
    const slot = slotOf(slots, key);
    if (slots[slot] !== FREE) return false;
    if (!isName(key))
      throw new Error(`A state is named ${key}: no whole number from 0 to 2^53 - 1.`);
    slots[slot] = key;
    this.#size += 1;
    if (this.#size * 8 > slots.length * FULL_EIGHTHS) this.#slots = doubled(slots);
    return true;
  }

  *bytes(): Generator<Uint8Array> {
    const batch = new Float64Array(BATCH);
    let count = 0;
    for (const key of this.#slots) {
      if (key === FREE) continue;
      batch[count] = key;
      count += 1;
      if (count < BATCH) continue;
      yield bytesOf(batch);
      count = 0;
    }
    if (count > 0) yield bytesOf(batch.subarray(0, count));
  }

  fill(count: number, read: (bytes: Uint8Array) => void): void {
    const batch = new Float64Array(BATCH);
    for (let at = 0; at < count; at += BATCH) {
      const part = batch.subarray(0, Math.min(BATCH, count - at));
      read(bytesOf(part));
      for (const key of part) {
        if (!isName(key)) throw new BadSaved(`a state is named ${key}`);
        this.add(key);
      }
    }
  }
}

/** The slot of the key, or the free slot for it. */
const slotOf = (slots: Float64Array, key: number): number => {
  const mask = slots.length - 1;
  let hash = Math.imul(key < TWO_TO_32 ? key : key ^ Math.floor(key / TWO_TO_32), 0x9e37_79b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
  let slot = (hash ^ (hash >>> 13)) & mask;
  for (;;) {
    const taken = slots[slot];
    if (taken === key || taken === FREE) return slot;
    slot = (slot + 1) & mask;
  }
};

const doubled = (slots: Float64Array): Float64Array<ArrayBuffer> => {
  const larger = new Float64Array(slots.length * 2).fill(FREE);
  for (const key of slots) if (key !== FREE) larger[slotOf(larger, key)] = key;
  return larger;
};
