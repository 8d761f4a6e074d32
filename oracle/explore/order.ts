// SPDX-License-Identifier: MIT
// The order in which a program got its handles, by which they are named. The numbers of descriptors and objects do not show
// it, because the kernel reuses free numbers. A new handle never takes the name of an old one.

import type { ObjectId } from '../../spec/abi/units.ts';
import { each, type OrderedMap, sizeOf, valueAt } from '../../spec/collections/ordered-map.ts';
import type { FileId } from '../../spec/state/files.ts';
import { descriptorsOf, openFile, type World } from '../../spec/state/world.ts';

/** Programs run in one process. */
export const PROCESS = 1;

export type Order = {
  /** Descriptors, the earliest first. */
  readonly descriptors: readonly number[];
  /** Objects of each iommufd, the earliest first. */
  readonly objects: ReadonlyMap<FileId, readonly ObjectId[]>;
};

const NOTHING: readonly never[] = [];

export const NO_ORDER: Order = { descriptors: NOTHING, objects: new Map() };

/** The numbers of `before` that still exist, in their order, then the new ones; `before` itself if nothing changed. */
const kept = <N extends number>(
  before: readonly N[],
  after: OrderedMap<N, unknown>,
): readonly N[] => {
  let fresh: N[] | undefined;
  each(after, (number) => {
    if (before.includes(number)) return;
    fresh ??= [];
    fresh.push(number);
  });
  // With no new number and the same count, none is gone.
  if (fresh === undefined && sizeOf(after) === before.length) return before;
  const old = before.filter((number) => valueAt(after, number) !== undefined);
  return fresh === undefined ? old : [...old, ...fresh];
};

const objectsOf = (world: World, id: FileId): OrderedMap<ObjectId, unknown> => {
  const file = openFile(world, id);
  return file?.kind === 'iommufd' ? file.context.objects : undefined;
};

const keptObjects = (order: Order, before: World, after: World): Order['objects'] => {
  let objects: Map<FileId, readonly ObjectId[]> | undefined;
  each(after.files, (id, file) => {
    if (file.kind !== 'iommufd' || file.context.objects === objectsOf(before, id)) return;
    const was = order.objects.get(id) ?? NOTHING;
    const is = kept(was, file.context.objects);
    if (is !== was) objects = new Map(objects ?? order.objects).set(id, is);
  });
  return objects ?? order.objects;
};

/** The order after a call. An iommufd that is gone keeps its entry: file ids are not reused. */
export const orderAfter = (order: Order, before: World, after: World): Order => {
  const descriptors =
    before.processes === after.processes
      ? order.descriptors
      : kept(order.descriptors as readonly never[], descriptorsOf(after, PROCESS));
  const objects = before.files === after.files ? order.objects : keptObjects(order, before, after);
  return descriptors === order.descriptors && objects === order.objects
    ? order
    : { descriptors, objects };
};
