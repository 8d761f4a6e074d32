// Ways into a world that laws use: its iommufds, the objects of one kind in them, and worlds as plain values.

import type { ObjectId } from '../../spec/abi/units.ts';
import { each, nodesOf, type OrderedMap } from '../../spec/collections/ordered-map.ts';
import type { Context, IommufdObject } from '../../spec/iommufd/context.ts';
import type { AreaNode } from '../../spec/iopt/area.ts';
import type { IoPagetable } from '../../spec/iopt/io-pagetable.ts';
import type { Container } from '../../spec/type1/container.ts';
import type { World } from '../../spec/world.ts';

/** Lists, and no generators: laws are looked at in very many worlds. */
export const contextsOf = (world: World): readonly Context[] => {
  const found: Context[] = [];
  each(world.files, (_id, file) => {
    if (file.kind === 'iommufd') found.push(file.context);
  });
  return found;
};

/** Every legacy container. */
export const containersOf = (world: World): readonly Container[] => {
  const found: Container[] = [];
  each(world.files, (_id, file) => {
    if (file.kind === 'container') found.push(file.container);
  });
  return found;
};

type OfKind<K extends IommufdObject['kind']> = Extract<IommufdObject, { kind: K }>;

export const objectsOf = <K extends IommufdObject['kind']>(
  context: Context,
  kind: K,
): readonly { readonly id: ObjectId; readonly object: OfKind<K> }[] => {
  const found: { readonly id: ObjectId; readonly object: OfKind<K> }[] = [];
  each(context.objects, (id, object) => {
    if (object.kind === kind) found.push({ id, object: object as OfKind<K> });
  });
  return found;
};

export type TableOf = {
  readonly context: Context;
  readonly ioas: ObjectId;
  readonly table: IoPagetable;
};

/** The I/O page table of every IOAS. */
export const tablesOf = (world: World): readonly TableOf[] =>
  contextsOf(world).flatMap((context) =>
    objectsOf(context, 'ioas').map(({ id, object }) => ({
      context,
      ioas: id,
      table: object.table,
    })),
  );

export const areasOf = ({ areas }: IoPagetable): readonly AreaNode[] => {
  const found: AreaNode[] = [];
  const add = (node: AreaNode): void => {
    if (node.left !== undefined) add(node.left);
    found.push(node);
    if (node.right !== undefined) add(node.right);
  };
  if (areas !== undefined) add(areas);
  return found;
};

export const entriesOf = <K extends number | bigint, V>(
  map: OrderedMap<K, V>,
): readonly (readonly [K, V])[] => [...nodesOf(map)].map(({ key, value }) => [key, value]);

export const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** The first that a search finds. */
export const firstOf = <T>(values: Iterable<T | undefined>): T | undefined => {
  for (const value of values) if (value !== undefined) return value;
  return undefined;
};
