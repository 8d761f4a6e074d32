// SPDX-License-Identifier: MIT
// Worlds with one value changed: every number, flag and list of a world in turn, as a mistake would
// change it.

import type { World } from '../../../spec/state/world.ts';

type Parts = Readonly<Record<string, unknown>>;

const PAGE = 4096n;

/** The wrong values that a mistake could produce. */
const wrongValues = (value: unknown): readonly unknown[] => {
  switch (typeof value) {
    case 'number':
      return [value + 1, value - 1, 0];
    case 'bigint':
      return [value + 1n, value - 1n, value + PAGE, value - PAGE, 0n];
    case 'boolean':
      return [!value];
    case 'undefined':
      return [1, { start: 0n, last: 0n }];
    default:
      return Array.isArray(value)
        ? [[], ...(value.length > 0 ? [[...value, value[0]]] : [])]
        : [undefined];
  }
};

const isParts = (value: unknown): value is Parts => typeof value === 'object' && value !== null;

function* changed(value: unknown): Generator<unknown> {
  yield* wrongValues(value);
  if (value instanceof Map) {
    for (const [key, part] of value) {
      for (const wrong of changed(part)) yield new Map(value).set(key, wrong);
    }
  } else if (Array.isArray(value)) {
    for (const [index, part] of value.entries()) {
      for (const wrong of changed(part)) yield value.with(index, wrong);
    }
  } else if (isParts(value)) {
    for (const [name, part] of Object.entries(value)) {
      for (const wrong of changed(part)) yield { ...value, [name]: wrong };
    }
  }
}

/** Fields that never change, or that no law covers. */
const LEFT_OUT: ReadonlySet<string> = new Set(['setting', 'release', 'nextFile', 'engines']);

export function* brokenWorlds(world: World): Generator<World> {
  for (const [name, part] of Object.entries(world)) {
    if (LEFT_OUT.has(name)) continue;
    for (const wrong of changed(part)) yield { ...world, [name]: wrong } as World;
  }
}
