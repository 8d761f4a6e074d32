// SPDX-License-Identifier: MIT
// The handles that a program has in a world, by their names: numbers of descriptors, objects and pins.

import { each } from '../../spec/collections/ordered-map.ts';
import { accessAt, type Context } from '../../spec/state/context.ts';
import { contextOf, type World } from '../../spec/state/world.ts';
import type { Handle } from './actions.ts';
import { descriptorsInOrder, type OpenDescriptor, objectsInOrder } from './canonical-names.ts';
import type { Order } from './order.ts';

/** A number, and in what it is one: descriptors are of the process, objects of an iommufd, pins of an access. */
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

/** The objects of the first iommufd have names; others are only there. */
const addObjects = (
  finding: HandleCollector,
  context: Context,
  order: Order,
  space: string,
): void => {
  for (const { id, object } of objectsInOrder(context, order)) {
    finding.next(object.kind === 'access' ? 'access object' : object.kind, id, space);
    if (object.kind !== 'ioas') continue;
    // What tests reserve has no number; it counts how much there is.
    for (const { by } of object.table.reserved) {
      if (by.kind === 'test') finding.next('reserved range', 0, space);
    }
  }
};

const addDescriptor = (
  finding: HandleCollector,
  world: World,
  order: Order,
  { fd, id, file }: OpenDescriptor,
): void => {
  const space = `iommufd ${id}`;
  switch (file.kind) {
    case 'iommufd':
      finding.next('iommufd', fd, DESCRIPTORS);
      if (!finding.found.has('iommufd 2')) addObjects(finding, file.context, order, space);
      return;
    case 'group':
      finding.found.set(`group ${file.group}`, { number: fd, space: DESCRIPTORS });
      return;
    case 'device':
    case 'cdev':
      finding.next(`${file.kind} ${file.name}`, fd, DESCRIPTORS);
      return;
    case 'access': {
      finding.next('access', fd, DESCRIPTORS);
      const pins = accessAt(contextOf(world, file.iommufd), file.object)?.pins ?? [];
      if (finding.found.has('access 2')) return;
      for (const pin of pins) finding.next('pin', pin.id, `access ${id}`);
      return;
    }
    default:
      finding.next(file.kind, fd, DESCRIPTORS);
  }
};

/** Iommufds that outlive their descriptors: devices and accesses hold them. */
const addClosed = (finding: HandleCollector, { files }: World): void => {
  let open = 0;
  each(files, (id, { kind }) => {
    if (kind !== 'iommufd') return;
    open += 1;
    if (!finding.found.has(`iommufd ${open}`)) finding.next('closed iommufd', 0, `iommufd ${id}`);
  });
};

export const handlesIn = (world: World, order: Order): Handles => {
  const finding = new HandleCollector();
  for (const descriptor of descriptorsInOrder(world, order)) {
    addDescriptor(finding, world, order, descriptor);
  }
  addClosed(finding, world);
  return finding.found;
};
