// SPDX-License-Identifier: MIT
// The handles that a program has in a world: numbers of descriptors, objects and pins, by name.

import { each } from '../../spec/collections/ordered-map.ts';
import { accessAt, type Context } from '../../spec/state/context.ts';
import { contextOf, type World } from '../../spec/state/world.ts';
import type { Handle } from './actions.ts';
import { descriptorsInOrder, type OpenDescriptor, objectsInOrder } from './canonical-names.ts';
import type { Order } from './order.ts';

/** A number and its space: descriptors belong to the process, objects to an iommufd, pins to an access. */
export type HandleValue = { readonly number: number; readonly space: string };

export type Handles = ReadonlyMap<Handle, HandleValue>;

const DESCRIPTORS = 'descriptor';

class HandleCollector {
  readonly found = new Map<Handle, HandleValue>();
  readonly #counts = new Map<string, number>();

  /** The next handle of the kind. */
  next(kind: string, number: number, space: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    this.found.set(`${kind} ${count}`, { number, space });
  }
}

/** Only the objects of the first iommufd have names. */
const addObjects = (
  collector: HandleCollector,
  context: Context,
  order: Order,
  space: string,
): void => {
  for (const { id, object } of objectsInOrder(context, order)) {
    collector.next(object.kind === 'access' ? 'access object' : object.kind, id, space);
    if (object.kind !== 'ioas') continue;
    // Ranges that tests reserve have no number; the names only count them.
    for (const { by } of object.table.reserved) {
      if (by.kind === 'test') collector.next('reserved range', 0, space);
    }
  }
};

const addDescriptor = (
  collector: HandleCollector,
  world: World,
  order: Order,
  { fd, id, file }: OpenDescriptor,
): void => {
  const space = `iommufd ${id}`;
  switch (file.kind) {
    case 'iommufd':
      collector.next('iommufd', fd, DESCRIPTORS);
      if (!collector.found.has('iommufd 2')) addObjects(collector, file.context, order, space);
      return;
    case 'group':
      collector.found.set(`group ${file.group}`, { number: fd, space: DESCRIPTORS });
      return;
    case 'device':
    case 'cdev':
      collector.next(`${file.kind} ${file.name}`, fd, DESCRIPTORS);
      return;
    case 'access': {
      collector.next('access', fd, DESCRIPTORS);
      const pins = accessAt(contextOf(world, file.iommufd), file.object)?.pins ?? [];
      if (collector.found.has('access 2')) return;
      for (const pin of pins) collector.next('pin', pin.id, `access ${id}`);
      return;
    }
    default:
      collector.next(file.kind, fd, DESCRIPTORS);
  }
};

/** Iommufds that outlive their descriptors, because devices or accesses refer to them. */
const addClosed = (collector: HandleCollector, { files }: World): void => {
  let open = 0;
  each(files, (id, { kind }) => {
    if (kind !== 'iommufd') return;
    open += 1;
    if (!collector.found.has(`iommufd ${open}`))
      collector.next('closed iommufd', 0, `iommufd ${id}`);
  });
};

export const handlesIn = (world: World, order: Order): Handles => {
  const collector = new HandleCollector();
  for (const descriptor of descriptorsInOrder(world, order)) {
    addDescriptor(collector, world, order, descriptor);
  }
  addClosed(collector, world);
  return collector.found;
};
