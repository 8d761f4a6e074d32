// SPDX-License-Identifier: MIT
// The key of a world: two worlds have the same key if and only if they are the same up to the numbers of descriptors, files,
// objects, pages, pins and backings. Counters (the next number of each kind) are not in it: any free number is as good. Stored
// bytes are not in it either: explored programs read no memory but the struct of the call.

import { sameBytes } from '../../spec/abi/bytes.ts';
import type { ObjectId } from '../../spec/abi/units.ts';
import { nodesOf, sizeOf } from '../../spec/collections/ordered-map.ts';
import type { AddressSpace, BackingId } from '../../spec/state/address-space.ts';
import type { FileId } from '../../spec/state/files.ts';
import { accountOf, spaceOf } from '../../spec/state/memory.ts';
import { openFile, type World } from '../../spec/state/world.ts';
import { descriptorsInOrder, FILE_RANKS, objectsInOrder, positionOf } from './canonical-names.ts';
import { writeContainer } from './container-key.ts';
import { ContextKey } from './context-key.ts';
import { KeyWriter } from './key-writer.ts';
import { Numbers } from './numbers.ts';
import { type Order, PROCESS } from './order.ts';

const PROTECTIONS = { none: 0, read: 1, 'read-write': 2 } as const;
const OPEN_DEVICES = { bound: 1, held: 2, unbound: 3 } as const;
const MAPPING_KINDS = { memory: 0, device: 1, beyond: 2 } as const;
const GONE = 255;

/** The key of an address space, and its backings in order. */
type SpaceKey = {
  readonly space: AddressSpace;
  readonly bytes: Uint8Array;
  readonly backings: readonly BackingId[];
};

const spaceKeyOf = (space: AddressSpace): SpaceKey => {
  const writer = new KeyWriter();
  const numbers = new Numbers();
  const backings: BackingId[] = [];
  writer.number(sizeOf(space));
  for (const { key, value } of nodesOf(space)) {
    if (numbers.of(value.backing) === backings.length) backings.push(value.backing);
    writer.u64(key);
    writer.u64(value.last);
    writer.byte(PROTECTIONS[value.protection]);
    writer.byte(MAPPING_KINDS[value.kind]);
    writer.flag(value.shared);
    writer.flag(value.huge === true);
    writer.number(numbers.of(value.backing));
    writer.number(value.page);
  }
  return { space, bytes: writer.bytes.slice(), backings };
};

export class WorldKey {
  readonly #writer = new KeyWriter();
  readonly #files = new Numbers();
  readonly #backings = new Numbers();
  readonly #context = new ContextKey(this.#writer, this.#backings);
  /** The space that programs start with, and the latest one: it seldom changes from one world to the next. */
  readonly #firstSpace: SpaceKey;
  #space: SpaceKey;

  constructor(start: World) {
    this.#firstSpace = spaceKeyOf(spaceOf(start.memory, PROCESS));
    this.#space = this.#firstSpace;
  }

  /** Valid until the next call. */
  of(world: World, order: Order): Uint8Array {
    const writer = this.#writer;
    writer.clear();
    this.#files.clear();
    this.#backings.clear();
    this.#context.clear();
    this.#memory(world);
    const descriptors = descriptorsInOrder(world, order);
    writer.number(descriptors.length);
    for (const { id } of descriptors) writer.number(this.#files.of(id));
    this.#devices(world, order);
    this.#engines(world);
    // Writing a file numbers the files that it refers to.
    for (let number = 0; number < this.#files.size; number += 1) this.#file(world, order, number);
    // Differs if there is a file that nothing refers to.
    writer.number(sizeOf(world.files));
    return writer.bytes;
  }

  #memory({ memory }: World): void {
    const writer = this.#writer;
    const space = spaceOf(memory, PROCESS);
    if (space !== this.#space.space) this.#space = spaceKeyOf(space);
    const isFirst = sameBytes(this.#space.bytes, this.#firstSpace.bytes);
    writer.flag(isFirst);
    if (!isFirst) writer.written(this.#space.bytes);
    for (const backing of this.#space.backings) this.#backings.of(backing);
    const { locked, pinned } = accountOf(memory, PROCESS);
    // They are negative only if a law is broken.
    for (const count of [locked, pinned, memory.userLocked]) {
      writer.flag(count < 0);
      writer.number(Math.abs(count));
    }
  }

  #devices(world: World, order: Order): void {
    const { setting, devices } = world;
    const writer = this.#writer;
    writer.number(devices.size);
    if (devices.size === 0) return;
    for (const { name } of setting.platform.devices) {
      const open = devices.get(name);
      if (open === undefined) {
        writer.byte(0);
        continue;
      }
      writer.byte(OPEN_DEVICES[open.kind]);
      writer.number(open.opens);
      if (open.kind === 'held') writer.number(this.#files.of(open.group));
      if (open.kind === 'bound') {
        writer.number(this.#files.of(open.iommufd));
        this.#object(world, order, open.iommufd, open.object);
      }
    }
  }

  /** How much devices have read, not the bytes: no action reads what devices write. */
  #engines({ setting, engines }: World): void {
    const writer = this.#writer;
    const { buffers } = engines;
    writer.number(buffers.size);
    if (buffers.size === 0) return;
    for (const { name } of setting.platform.devices) writer.number(buffers.get(name)?.length ?? 0);
  }

  #object(world: World, order: Order, iommufd: FileId, id: ObjectId): void {
    const file = openFile(world, iommufd);
    this.#writer.number(
      file?.kind === 'iommufd' ? positionOf(objectsInOrder(file.context, order), id) : 0,
    );
  }

  #file(world: World, order: Order, number: number): void {
    const writer = this.#writer;
    const id = this.#files.at(number) as FileId;
    const file = openFile(world, id);
    // A reference to a file that is gone breaks a law.
    writer.byte(file === undefined ? GONE : FILE_RANKS[file.kind]);
    switch (file?.kind) {
      case 'iommufd':
        this.#context.write(file.context, objectsInOrder(file.context, order));
        return;
      case 'container':
        writeContainer(writer, this.#backings, file.container);
        return;
      case 'group':
        writer.number(file.group);
        writer.number(file.container === undefined ? 0 : this.#files.of(file.container) + 1);
        return;
      case 'device':
        writer.text(file.name);
        return;
      case 'cdev':
        writer.text(file.name);
        writer.flag(file.bound);
        writer.flag(file.attachedByPasid);
        return;
      case 'access':
        writer.number(this.#files.of(file.iommufd));
        this.#object(world, order, file.iommufd, file.object);
        return;
      case 'memfd':
        writer.number(this.#backings.of(file.backing));
        writer.u64(file.length);
        return;
      case 'unspecified':
        writer.text(file.path);
    }
  }
}
