// SPDX-License-Identifier: MIT
// Worlds as plain values that can be compared: without what only counts (the next file, the next pages), without what the
// program itself stored, and independent of the shape of trees.

import { nodesOf, valueAt } from '../../spec/collections/ordered-map.ts';
import type { Container } from '../../spec/state/container.ts';
import type { Context, IommufdObject } from '../../spec/state/context.ts';
import type { IoPagetable } from '../../spec/state/io-pagetable.ts';
import type { OpenFile, World } from '../../spec/state/world.ts';
import { areasOf, entriesOf } from './worlds.ts';

/** Whether nothing is different but bytes that were stored and what only counts: a quick look, true only if so. */
export const surelySame = (a: World, b: World): boolean =>
  a.processes === b.processes &&
  a.files === b.files &&
  a.devices === b.devices &&
  a.memory.spaces === b.memory.spaces &&
  a.memory.accounts === b.memory.accounts &&
  a.memory.userLocked === b.memory.userLocked;

const pagesOf = (context: Context, id: number): unknown => {
  const pages = valueAt(context.pages, id);
  return pages === undefined
    ? undefined
    : { ...pages, pinned: entriesOf(pages.pinned).map(([first, run]) => ({ first, ...run })) };
};

/** A table with its areas' pages in place of their numbers; areas that share pages say so by the first of them. */
const comparableTable = (
  context: Context,
  table: IoPagetable,
  seen: Map<number, string>,
  name: string,
) => ({
  ...table,
  areas: areasOf(table).map(({ key, value }) => {
    const first = seen.get(value.pages) ?? `${name} ${key}`;
    seen.set(value.pages, first);
    return { ...value, iova: key, pages: { first, ...(pagesOf(context, value.pages) as object) } };
  }),
});

const comparableContext = (context: Context): unknown => {
  const seen = new Map<number, string>();
  const { nextPages: _, pages, objects, ...others } = context;
  const comparableObject = (id: number, object: IommufdObject): unknown =>
    object.kind === 'ioas'
      ? { ...object, table: comparableTable(context, object.table, seen, `IOAS ${id}`) }
      : object;
  return {
    ...others,
    objects: [...nodesOf(objects)].map(({ key, value }) => [key, comparableObject(key, value)]),
    pages: pages?.size ?? 0,
  };
};

const comparableContainer = ({ type1, ...others }: Container): unknown => ({
  ...others,
  type1: type1 === undefined ? undefined : { ...type1, dmas: entriesOf(type1.dmas) },
});

const comparableFile = (file: OpenFile): unknown => {
  if (file.kind === 'container') return comparableContainer(file.container);
  return file.kind === 'iommufd'
    ? { kind: file.kind, context: comparableContext(file.context) }
    : file;
};

/** Everything that a world says, as plain values. */
export const comparable = (world: World): unknown => ({
  descriptors: entriesOf(world.processes).map(([process, { descriptors }]) => [
    process,
    entriesOf(descriptors),
  ]),
  files: entriesOf(world.files).map(([id, file]) => [id, comparableFile(file)]),
  devices: [...world.devices],
  spaces: entriesOf(world.memory.spaces).map(([process, space]) => [process, entriesOf(space)]),
  accounts: entriesOf(world.memory.accounts).filter(
    ([, { locked, pinned }]) => locked !== 0 || pinned !== 0,
  ),
  userLocked: world.memory.userLocked,
});

const show = (value: unknown): string =>
  JSON.stringify(value, (_key, part) =>
    typeof part === 'bigint' ? `0x${part.toString(16)}` : part,
  ) ?? 'nothing';

const isParts = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The first place where two plain values differ, in words; undefined where they are the same. */
export const difference = (a: unknown, b: unknown, path = ''): string | undefined => {
  if (Object.is(a, b)) return undefined;
  if (!isParts(a) || !isParts(b)) return `${path}: ${show(a)} and ${show(b)}`;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[key], b[key], `${path}/${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** The first difference between two worlds. */
export const worldDifference = (a: World, b: World): string | undefined =>
  surelySame(a, b) ? undefined : difference(comparable(a), comparable(b));
