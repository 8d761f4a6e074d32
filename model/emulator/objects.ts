// SPDX-License-Identifier: MIT
// The objects of one iommufd descriptor by number, with counts of who uses them.
// drivers/iommu/iommufd/main.c (iommufd_object_alloc, iommufd_object_remove).

import { ERRNO } from '../../spec/abi/errno.ts';
import type { Kernel } from './kernel.ts';

export abstract class KernelObject {
  id = 0;
  /** One for being in the table, and one for everybody who needs it to stay. */
  users = 1;

  /** Called when nobody uses the object and its number is free again. */
  abstract destroy(): void;
}

export class ObjectTable {
  readonly #kernel: Kernel;
  /** By number; `null` is a number taken by an object that is being made. */
  readonly #slots: (KernelObject | null | undefined)[] = [undefined];
  /** No number below is free. */
  #lowestFree = 1;
  #taken = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get empty(): boolean {
    return this.#taken === 0;
  }

  /** Gives the object the lowest free number, under which nobody finds it yet. */
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

  /** Frees the number of an object that was not published, or is destroyed. */
  free(object: KernelObject): void {
    this.#slots[object.id] = this.#kernel.defects.has('ids-not-reused') ? null : undefined;
    this.#taken -= 1;
    if (object.id < this.#lowestFree) this.#lowestFree = object.id;
  }

  get(id: number): KernelObject | undefined {
    return this.#slots[id] ?? undefined;
  }

  /** The object of that number if it is one of that kind. */
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

  /** Destroys an object that nobody uses, or any if forced. 0, -ENOENT or -EBUSY. */
  remove(id: number, forced = false): number {
    const object = this.#slots[id];
    if (!object) return -ERRNO.ENOENT;
    if (object.users > 1 && !forced) return -ERRNO.EBUSY;
    this.free(object);
    object.destroy();
    return 0;
  }

  /** Gives back one use; the object goes if it was the last. */
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
