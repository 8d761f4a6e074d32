// SPDX-License-Identifier: MIT
// Pinning the program's pages for devices: pin_user_pages_fast and memfd_pin_folios. mm/gup.c.

import { ERRNO } from '../../../spec/abi/errno.ts';
import { MachineDied } from '../../machine/machine.ts';
import { type AddressSpace, type Mapping, TASK_END_PAGE } from './address-space.ts';
import type { Frames } from './frames.ts';
import type { Memfd } from './memfd.ts';

/** Pages of a 64-bit address space. */
const PAGES_OF_ALL = 2 ** 52;

export class Pinner {
  readonly #space: AddressSpace;
  readonly #frames: Frames;

  constructor(space: AddressSpace, frames: Frames) {
    this.#space = space;
    this.#frames = frames;
  }

  /**
   * Pins up to `count` pages from page number `page` and appends their frames. Returns the count of
   * pages pinned, less than `count` if a later page cannot be pinned, or -errno if the first
   * cannot.
   */
  pin(page: number, count: number, write: boolean, frames: number[]): number {
    if (page + count >= PAGES_OF_ALL) return -ERRNO.EOVERFLOW;
    if (page + count > TASK_END_PAGE) return -ERRNO.EFAULT;
    for (let done = 0; done < count; done += 1) {
      const frame = this.#resolve(page + done, write);
      if (frame === undefined) return done === 0 ? -ERRNO.EFAULT : done;
      this.#frames.pin(frame);
      frames.push(frame);
    }
    return count;
  }

  /** The frame of a page, found by get_user_pages without pinning it, or -errno. */
  peek(page: number): number {
    if (page + 1 >= PAGES_OF_ALL) return -ERRNO.EOVERFLOW;
    return this.#resolve(page, false) ?? -ERRNO.EFAULT;
  }

  /** Pins pages of a file from `page` and appends their frames. `last` is the last byte wanted. */
  pinFile(file: Memfd, page: number, count: number, last: bigint, frames: number[]): number {
    if (last >= file.length || last >= 2n ** 63n) return -ERRNO.EINVAL;
    for (let done = 0; done < count; done += 1) {
      const frame = file.frame(page + done);
      if (frame === undefined) throw new MachineDied('a page inside of a file has no frame');
      this.#frames.pin(frame);
      frames.push(frame);
    }
    return count;
  }

  #resolve(page: number, write: boolean): number | undefined {
    const mapping = this.#space.find(page);
    return mapping === undefined || !this.#permits(mapping, write)
      ? undefined
      : this.#space.frame(mapping, page);
  }

  #permits(mapping: Mapping, write: boolean): boolean {
    if (mapping.store.kind === 'device' || mapping.protection === 'none') return false;
    return !write || mapping.protection === 'read-write';
  }
}
