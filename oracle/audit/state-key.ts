// SPDX-License-Identifier: MIT
// The key of a pair of states, so that the search visits each pair once. Equal keys mean equal states.

import type { World } from '../../spec/state/world.ts';
import type { Pair } from './pair.ts';

/** Counters, fields that do not change here, and the bookkeeping of trees. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  ...['setting', 'release', 'stores', 'credentials', 'knowledge'],
  ...['nextFile', 'nextPages', 'nextBacking', 'size', 'measure'],
]);

type Parts = Readonly<Record<string, unknown>>;

const isNode = (value: Parts): boolean => 'left' in value && 'right' in value && 'key' in value;

/** The entries of a tree in order, independent of its shape. */
function* inOrder(node: Parts | undefined): Generator<string> {
  if (node === undefined) return;
  yield* inOrder(node.left as Parts | undefined);
  yield `${String(node.key)}=${textOf(node.value)}`;
  yield* inOrder(node.right as Parts | undefined);
}

const textOf = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if (value instanceof Map || value instanceof Set) return `(${[...value].map(textOf).join()})`;
  const parts = value as Parts;
  if (isNode(parts)) return `<${[...inOrder(parts)].join()}>`;
  const fields = Object.keys(parts).filter((name) => !LEFT_OUT.has(name));
  return `{${fields.map((name) => `${name}:${textOf(parts[name])}`).join()}}`;
};

/** The world with the numbers of closed files free again, so that opening and closing a file gives the same state. */
export const withFilesRenumbered = (world: World): World => {
  let greatest = 0;
  for (let node = world.files; node !== undefined; node = node.right) greatest = node.key;
  return world.nextFile === greatest + 1 ? world : { ...world, nextFile: greatest + 1 };
};

export const stateKey = ({ legacy, compat }: Pair): string =>
  `${textOf(legacy.world)}|${textOf(compat.world)}`;
