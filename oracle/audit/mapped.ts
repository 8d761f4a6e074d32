// SPDX-License-Identifier: MIT
// The mapped ranges of a world, in a container of either kind, for the pictures of the audit.

import { nodesOf, valuesOf } from '../../spec/collections/ordered-map.ts';
import { ioasAt } from '../../spec/state/context.ts';
import type { OpenFile, World } from '../../spec/state/world.ts';

/** IOVAs from `start` to `last`, both inclusive. */
export type MappedRange = {
  readonly start: bigint;
  readonly last: bigint;
  readonly readable: boolean;
  readonly writable: boolean;
};

const rangesOf = function* (file: OpenFile): Generator<MappedRange> {
  if (file.kind === 'container') {
    for (const { key, value } of nodesOf(file.container.type1?.dmas)) {
      const { last, readable, writable } = value;
      yield { start: key, last, readable, writable };
    }
  }
  if (file.kind !== 'iommufd' || file.context.compatIoas === undefined) return;
  const table = ioasAt(file.context, file.context.compatIoas)?.table;
  for (const { key, value } of nodesOf(table?.areas)) {
    const { last, readable, writable } = value;
    yield { start: key, last, readable, writable };
  }
};

/** The maps of all open containers, in ascending order within each. */
export const mappedIn = (world: World): readonly MappedRange[] =>
  [...valuesOf(world.files)].flatMap((file) => [...rangesOf(file)]);
