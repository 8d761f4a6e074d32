// Ways into a world that laws use: its iommufds, the objects of one kind in them, and worlds as plain values.

import type { ObjectId } from '../../spec/abi/units.ts';
import { nodesOf, type OrderedMap } from '../../spec/collections/ordered-map.ts';
import type { Context, IommufdObject } from '../../spec/iommufd/context.ts';
import type { AreaNode } from '../../spec/iopt/area.ts';
import type { IoPagetable } from '../../spec/iopt/io-pagetable.ts';
import type { Container } from '../../spec/type1/container.ts';
import type { World } from '../../spec/world.ts';

export function* contextsOf(world: World): Generator<Context> {
  for (const { value } of nodesOf(world.files)) if (value.kind === 'iommufd') yield value.context;
}

/** Every legacy container. */
export function* containersOf(world: World): Generator<Container> {
  for (const { value } of nodesOf(world.files)) {
    if (value.kind === 'container') yield value.container;
  }
}

type OfKind<K extends IommufdObject['kind']> = Extract<IommufdObject, { kind: K }>;

export function* objectsOf<K extends IommufdObject['kind']>(
  context: Context,
  kind: K,
): Generator<{ readonly id: ObjectId; readonly object: OfKind<K> }> {
  for (const { key, value } of nodesOf(context.objects)) {
    if (value.kind === kind) yield { id: key, object: value as OfKind<K> };
  }
}

export type TableOf = {
  readonly context: Context;
  readonly ioas: ObjectId;
  readonly table: IoPagetable;
};

/** The I/O page table of every IOAS. */
export function* tablesOf(world: World): Generator<TableOf> {
  for (const context of contextsOf(world)) {
    for (const { id, object } of objectsOf(context, 'ioas')) {
      yield { context, ioas: id, table: object.table };
    }
  }
}

export const areasOf = ({ areas }: IoPagetable): readonly AreaNode[] => [...nodesOf(areas)];

export const entriesOf = <K extends number | bigint, V>(
  map: OrderedMap<K, V>,
): readonly (readonly [K, V])[] => [...nodesOf(map)].map(({ key, value }) => [key, value]);

export const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** The first that a search finds. */
export const firstOf = <T>(values: Iterable<T | undefined>): T | undefined => {
  for (const value of values) if (value !== undefined) return value;
  return undefined;
};
