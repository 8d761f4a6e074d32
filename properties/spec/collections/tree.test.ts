// SPDX-License-Identifier: MIT
// The persistent ordered map against a sorted array: every operation and every search gives what the array gives, every
// version stays as it was, and the tree stays balanced.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as maps from '../../../spec/collections/ordered-map.ts';
import {
  atOrAfter,
  atOrBefore,
  each,
  firstOf,
  lastOf,
  nodesOf,
  sizeOf,
  type Tree,
  treeOperations,
  valueAt,
  valuesOf,
} from '../../../spec/collections/tree.ts';

/** The measure: the sum of the values. */
type Summed = Tree<number, number, number>;
const operations = treeOperations<number, number, number>(
  (left, _key, value, right) => (left?.measure ?? 0) + value + (right?.measure ?? 0),
);

type Entries = readonly (readonly [key: number, value: number])[];

type Change = { readonly kind: 'set' | 'remove'; readonly key: number; readonly value: number };

const MOST = 60;

const changes = fc.array(
  fc.record({
    kind: fc.constantFrom<Change['kind']>('set', 'set', 'remove'),
    key: fc.nat(MOST),
    value: fc.nat(1000),
  }),
  { maxLength: 150, size: 'max' },
);

const inOrder = (entries: Entries): Entries => [...entries].sort(([a], [b]) => a - b);

const changedEntries = (entries: Entries, { kind, key, value }: Change): Entries => {
  const others = entries.filter(([other]) => other !== key);
  return kind === 'set' ? inOrder([...others, [key, value]]) : others;
};

const changedTree = (tree: Summed, { kind, key, value }: Change): Summed =>
  kind === 'set' ? operations.set(tree, key, value) : operations.remove(tree, key);

const entriesOf = (tree: Summed): Entries =>
  [...nodesOf(tree)].map(({ key, value }) => [key, value]);

type Version = { readonly tree: Summed; readonly entries: Entries };

const versions = (all: readonly Change[]): readonly Version[] => {
  const found: Version[] = [{ tree: undefined, entries: [] }];
  for (const change of all) {
    const { tree, entries } = found.at(-1) as Version;
    found.push({ tree: changedTree(tree, change), entries: changedEntries(entries, change) });
  }
  return found;
};

const collections = suite('ordered map');

const forAll = (check: (versions: readonly Version[], changes: readonly Change[]) => void): void =>
  fc.assert(
    fc.property(changes, (all) => check(versions(all), all)),
    { seed: 13, numRuns: 60 },
  );

const forEach = (check: (version: Version) => void): void => forAll((all) => all.forEach(check));

collections(
  'setting and removing do what they do to an array, and no version changes later',
  () => {
    // Every version is checked after all changes.
    forEach(({ tree, entries }) => assert.equal(entriesOf(tree), entries));
  },
);

collections('a value is found by its key', () => {
  forEach(({ tree, entries }) => {
    const byKey = new Map(entries);
    for (let key = 0; key <= MOST; key += 1) assert.is(valueAt(tree, key), byKey.get(key));
  });
});

collections('the nearest entry at or before, and at or after a key', () => {
  forEach(({ tree, entries }) => {
    for (let key = -1; key <= MOST + 1; key += 1) {
      assert.is(atOrBefore(tree, key)?.key, entries.findLast(([other]) => other <= key)?.[0]);
      assert.is(atOrAfter(tree, key)?.key, entries.find(([other]) => other >= key)?.[0]);
    }
  });
});

collections('the first, the last, the count, and every entry in order', () => {
  forEach(({ tree, entries }) => {
    assert.is(firstOf(tree)?.key, entries[0]?.[0]);
    assert.is(lastOf(tree)?.key, entries.at(-1)?.[0]);
    assert.is(sizeOf(tree), entries.length);
    assert.equal(
      [...valuesOf(tree)],
      entries.map(([, value]) => value),
    );
    const seen: [number, number][] = [];
    each(tree, (key, value) => seen.push([key, value]));
    assert.equal(seen, entries);
  });
});

/** No side of any node weighs more than three times the other; a side weighs its entries and one. */
const isBalanced = (tree: Summed): boolean => {
  if (tree === undefined) return true;
  const left = sizeOf(tree.left) + 1;
  const right = sizeOf(tree.right) + 1;
  return left <= 3 * right && right <= 3 * left && isBalanced(tree.left) && isBalanced(tree.right);
};

collections('every version is balanced', () => {
  forEach(({ tree }) => assert.ok(isBalanced(tree)));
});

collections('ascending and descending keys give a tree as balanced as any', () => {
  for (const keyOf of [(n: number) => n, (n: number) => -n]) {
    let tree: Summed;
    for (let count = 0; count < 2000; count += 1) {
      tree = operations.set(tree, keyOf(count), count);
    }
    assert.ok(isBalanced(tree));
    for (let count = 0; count < 1500; count += 1) tree = operations.remove(tree, keyOf(count));
    assert.ok(isBalanced(tree));
    assert.is(sizeOf(tree), 500);
  }
});

/** The measure of every subtree, computed anew. */
const hasRightMeasures = (tree: Summed): boolean =>
  tree === undefined ||
  (tree.measure === [...valuesOf(tree)].reduce((sum, value) => sum + value, 0) &&
    hasRightMeasures(tree.left) &&
    hasRightMeasures(tree.right));

collections('every subtree has the measure of its entries', () => {
  forEach(({ tree }) => assert.ok(hasRightMeasures(tree)));
});

collections('removing an absent key gives the same tree', () => {
  forEach(({ tree }) => assert.is(operations.remove(tree, MOST + 1), tree));
});

/** How many nodes of `after` are not those of `before`. */
const newNodes = (before: Summed, after: Summed): number => {
  const known = new Set(nodesOf(before));
  return [...nodesOf(after)].filter((node) => !known.has(node)).length;
};

collections('a change makes new nodes on one path only', () => {
  forAll((all) => {
    for (let index = 1; index < all.length; index += 1) {
      const before = all[index - 1] as Version;
      const after = all[index] as Version;
      const depth = 2 * Math.log2(after.entries.length + 2) + 3;
      assert.ok(newNodes(before.tree, after.tree) <= 3 * depth);
    }
  });
});

collections('keys may be bigints, to the greatest u64', () => {
  let map: maps.OrderedMap<bigint, string>;
  for (const key of [1n << 63n, 0n, (1n << 64n) - 1n]) map = maps.put(map, key, `${key}`);
  assert.is(maps.atOrBefore(map, (1n << 64n) - 2n)?.key, 1n << 63n);
  assert.is(maps.drop(map, 5n), map);
  assert.is(maps.sizeOf(maps.drop(map, 0n)), 2);
});

collections.run();
