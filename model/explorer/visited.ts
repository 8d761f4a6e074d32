// SPDX-License-Identifier: MIT
// The keys of the states that were visited: tables with open addressing over typed arrays. Keys are kept whole, so that
// two states are never taken for one.

import type { Key } from './model.ts';

export interface Visited<K extends Key> {
  readonly size: number;
  has(key: K): boolean;
  /** False where the key was there. */
  add(key: K): boolean;
  /** Every key, for `fill` of an empty table. */
  bytes(): Iterable<Uint8Array>;
  /** Takes in so many keys; `read` fills the bytes that it is given. */
  fill(count: number, read: (bytes: Uint8Array) => void): void;
}
