// The names of the states that were met: tables with open addressing over typed arrays. Names are kept whole, so that two
// states are never taken for one.

import { ByteNames } from './byte-names.ts';
import type { Key } from './model.ts';
import { NumberNames } from './number-names.ts';

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

/** A table for keys of that kind. */
export const visitedFor = (key: Key): Visited<Key> =>
  (typeof key === 'number' ? new NumberNames() : new ByteNames()) as Visited<Key>;
