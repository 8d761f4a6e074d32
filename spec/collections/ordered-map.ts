// SPDX-License-Identifier: MIT
// The persistent ordered map without a measure, of which most of the world consists.

import { type Key, type Tree, treeOperations } from './tree.ts';

/** Keys in ascending order; undefined is the empty map. Read it with valueAt, valuesOf and nodesOf. */
export type OrderedMap<K extends Key, V> = Tree<K, V, undefined>;

const operations = treeOperations<Key, unknown, undefined>(() => undefined);

/** The map with that value at the key. */
export const put = <K extends Key, V>(map: OrderedMap<K, V>, key: K, value: V): OrderedMap<K, V> =>
  operations.set(map, key, value) as OrderedMap<K, V>;

/** The map without the key; the same map if it does not have the key. */
export const drop = <K extends Key, V>(map: OrderedMap<K, V>, key: K): OrderedMap<K, V> =>
  operations.remove(map, key) as OrderedMap<K, V>;

export {
  atOrAfter,
  atOrBefore,
  each,
  firstOf,
  lastOf,
  nodesOf,
  sizeOf,
  valueAt,
  valuesOf,
} from './tree.ts';
