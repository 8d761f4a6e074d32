// SPDX-License-Identifier: MIT
// The objects of one iommufd descriptor by id, with use counts. drivers/iommu/iommufd/main.c
// (iommufd_object_alloc, iommufd_object_remove).

import { ERRNO } from '../../spec/abi/errno.ts';
import type { Kernel } from './kernel.ts';

export abstract class KernelObject {
  id = 0;
  /** One reference of the table, and one of each user. */
  users = 1;

  /** Called when nothing uses the object and its id is free again. */
  abstract destroy(): void;
}

export class ObjectTable {
  readonly #kernel: Kernel;
  /** By id; `null` is the id of an object that is being made. */
  readonly #slots: (KernelObject | null | undefined)[] = [undefined];
  /** No lower id is free. */
  #lowestFree = 1;
  #taken = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get empty(): boolean {
    return this.#taken === 0;
  }

  /** Gives the object the lowest free id; it cannot be found yet. */
  reserve<T extends KernelObject>(object: T): T {
    let id = this.#lowestFree;
    while (this.#slots[id] !== undefined) id += 1;
    this.#slots[id] = null;
    this.#lowestFree = id + 1;
    this.#taken += 1;
    object.id = id;
    return object;
  }

  publish(object: KernelObject): void {
    this.#slots[object.id] = object;
  }

  /** Frees the id of an object that was not published, or is destroyed. */
  free(object: KernelObject): void {
    this.#slots[object.id] = this.#kernel.defects.has('ids-not-reused') ? null : undefined;
    this.#taken -= 1;
    if (object.id < this.#lowestFree) this.#lowestFree = object.id;
  }

  get(id: number): KernelObject | undefined {
    return this.#slots[id] ?? undefined;
  }

  /** The object with that id, if it is of that kind. */
  find<T extends KernelObject>(
    id: number,
    kind: abstract new (...args: never[]) => T,
  ): T | undefined {
    const object = this.#slots[id];
    return object instanceof kind ? object : undefined;
  }

  *[Symbol.iterator](): Iterator<KernelObject> {
    for (const object of this.#slots) if (object) yield object;
  }

  /** Destroys an object without users, or any if forced. 0, -ENOENT or -EBUSY. */
  remove(id: number, forced = false): number {
    const object = this.#slots[id];
    if (!object) return -ERRNO.ENOENT;
    if (object.users > 1 && !forced) return -ERRNO.EBUSY;
    this.free(object);
    object.destroy();
    return 0;
  }

  /** Puts one reference; destroys the object if it was the last. */
  putAndTryDestroy(object: KernelObject): void {
    object.users -= 1;
    if (object.users === 1) this.remove(object.id);
  }

  /** Destroys everything, users before what they use. */
  destroyAll(): void {
    while (this.#taken > 0) {
      let destroyed = 0;
      for (const object of this) {
        if (object.users > 1 || this.#slots[object.id] !== object) continue;
        this.free(object);
        object.destroy();
        destroyed += 1;
      }
      if (destroyed === 0) break;
    }
  }
}
