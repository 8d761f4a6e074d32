// SPDX-License-Identifier: MIT
// Selectors for laws: the iommufds of a world, their objects of one kind, and worlds as plain
// values.

import type { ObjectId } from '../../spec/abi/units.ts';
import { each, nodesOf, type OrderedMap } from '../../spec/collections/ordered-map.ts';
import type { AreaNode } from '../../spec/state/area.ts';
import type { Container } from '../../spec/state/container.ts';
import type { Context, IommufdObject } from '../../spec/state/context.ts';
import type { IoPagetable } from '../../spec/state/io-pagetable.ts';
import type { World } from '../../spec/state/world.ts';
import { memoize } from './memoize.ts';

const NONE: readonly never[] = [];

type Files = NonNullable<World['files']>;

/** Lists and not generators: laws are checked in very many worlds. */
const contextsIn = memoize((files: Files): readonly Context[] => {
  const found: Context[] = [];
  each(files, (_id, file) => {
    if (file.kind === 'iommufd') found.push(file.context);
  });
  return found;
});

export const contextsOf = ({ files }: World): readonly Context[] =>
  files === undefined ? NONE : contextsIn(files);

const containersIn = memoize((files: Files): readonly Container[] => {
  const found: Container[] = [];
  each(files, (_id, file) => {
    if (file.kind === 'container') found.push(file.container);
  });
  return found;
});

/** Every legacy container. */
export const containersOf = ({ files }: World): readonly Container[] =>
  files === undefined ? NONE : containersIn(files);

type OfKind<K extends IommufdObject['kind']> = Extract<IommufdObject, { kind: K }>;

type Objects<K extends IommufdObject['kind']> = readonly {
  readonly id: ObjectId;
  readonly object: OfKind<K>;
}[];

type ByKind = {
  readonly [K in IommufdObject['kind']]: { readonly id: ObjectId; readonly object: OfKind<K> }[];
};

const byKind = memoize((objects: NonNullable<Context['objects']>): ByKind => {
  const found: ByKind = {
    ioas: [],
    hwpt: [],
    device: [],
    selftest: [],
    access: [],
    unspecified: [],
  };
  each(objects, (id, object) => {
    (found[object.kind] as { id: ObjectId; object: IommufdObject }[]).push({ id, object });
  });
  return found;
});

export const objectsOf = <K extends IommufdObject['kind']>(
  { objects }: Context,
  kind: K,
): Objects<K> => (objects === undefined ? NONE : byKind(objects)[kind]);

export type TableOf = {
  readonly context: Context;
  readonly ioas: ObjectId;
  readonly table: IoPagetable;
};

const tablesIn = memoize((files: Files): readonly TableOf[] =>
  contextsIn(files).flatMap((context) =>
    objectsOf(context, 'ioas').map(({ id, object }) => ({
      context,
      ioas: id,
      table: object.table,
    })),
  ),
);

/** The I/O page table of every IOAS. */
export const tablesOf = ({ files }: World): readonly TableOf[] =>
  files === undefined ? NONE : tablesIn(files);

const areasIn = memoize((areas: NonNullable<IoPagetable['areas']>): readonly AreaNode[] => {
  const found: AreaNode[] = [];
  const add = (node: AreaNode): void => {
    if (node.left !== undefined) add(node.left);
    found.push(node);
    if (node.right !== undefined) add(node.right);
  };
  add(areas);
  return found;
});

export const areasOf = ({ areas }: Pick<IoPagetable, 'areas'>): readonly AreaNode[] =>
  areas === undefined ? NONE : areasIn(areas);

export const entriesOf = <K extends number | bigint, V>(
  map: OrderedMap<K, V>,
): readonly (readonly [K, V])[] => [...nodesOf(map)].map(({ key, value }) => [key, value]);

export const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** The first defined value. */
export const firstOf = <T>(values: Iterable<T | undefined>): T | undefined => {
  for (const value of values) if (value !== undefined) return value;
  return undefined;
};
