// SPDX-License-Identifier: MIT
// Locked memory: what pinned pages are charged to, and the limit. A charge that would exceed
// RLIMIT_MEMLOCK is refused whole. drivers/iommu/iommufd/pages.c (iopt_pages_update_pinned),
// mm/util.c (__account_locked_vm).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import type { Credentials } from '../../../spec/terms/platform.ts';

/** Who is charged for pages: nobody, the user (like io_uring), or the process (like VFIO). */
export type AccountMode = 'none' | 'user' | 'process';

/** Pages. */
export class Accounts {
  process = 0;
  pinned = 0;
  user = 0;
  readonly #limit: bigint;
  /** Pages that the process locked itself: they count for the process, and are not a charge. */
  readonly #lockedBefore: number;

  constructor(credentials: Credentials) {
    this.#limit = credentials.memlockLimit / PAGE_SIZE_BYTES;
    this.#lockedBefore = credentials.lockedBefore ?? 0;
  }

  /** VmLck. */
  get locked(): number {
    return this.process + this.#lockedBefore;
  }

  /** 0, or -ENOMEM if the charge would exceed the limit. */
  charge(mode: AccountMode, pages: number): number {
    if (mode !== 'none') {
      const used = mode === 'process' ? this.locked : this.user;
      if (BigInt(used + pages) > this.#limit) return -ERRNO.ENOMEM;
      this[mode] += pages;
    }
    this.pinned += pages;
    return 0;
  }

  discharge(mode: AccountMode, pages: number): void {
    if (mode !== 'none') this[mode] -= pages;
    this.pinned -= pages;
  }

  /** Whether the process may lock so many more pages. */
  hasRoom(pages: number): boolean {
    return BigInt(this.locked + pages) <= this.#limit;
  }

  /**
   * Locks pages for the process, as a legacy container does: a privileged process may exceed the
   * limit. 0, or -ENOMEM.
   */
  lock(pages: number, bypassesLimit: boolean): number {
    if (!bypassesLimit && !this.hasRoom(pages)) return -ERRNO.ENOMEM;
    this.process += pages;
    return 0;
  }

  unlock(pages: number): void {
    this.process -= pages;
  }
}
