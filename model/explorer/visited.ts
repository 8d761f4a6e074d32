// SPDX-License-Identifier: MIT
// The keys of the visited states: hash tables with open addressing over typed arrays. Keys are
// stored whole, so that different states are never confused.

import type { Key } from './model.ts';

export interface Visited<K extends Key> {
  readonly size: number;
  has(key: K): boolean;
  /** False if the key was there. */
  add(key: K): boolean;
  /** Every key, for `fill` of an empty table. */
  bytes(): Iterable<Uint8Array>;
  /** Loads so many keys; `read` fills the given bytes. */
  fill(count: number, read: (bytes: Uint8Array) => void): void;
}
