// SPDX-License-Identifier: MIT
// Chooses the table of visited states for a kind of keys.

import { ByteKeys } from './byte-keys.ts';
import type { Key } from './model.ts';
import { NumberKeys } from './number-keys.ts';
import type { Visited } from './visited.ts';

/** A table for keys of that kind. */
export const visitedFor = (key: Key): Visited<Key> =>
  (typeof key === 'number' ? new NumberKeys() : new ByteKeys()) as Visited<Key>;
