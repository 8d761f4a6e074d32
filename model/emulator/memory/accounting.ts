// SPDX-License-Identifier: MIT
// Locked memory: what pinned pages are charged to, and the limit. Charges that pass RLIMIT_MEMLOCK are refused
// whole. drivers/iommu/iommufd/pages.c (iopt_pages_update_pinned), mm/util.c (__account_locked_vm).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import type { Credentials } from '../../../spec/terms/platform.ts';

/** What a set of pages is charged to: nothing, the user (as io_uring does), or the process (as VFIO does). */
export type AccountMode = 'none' | 'user' | 'process';

/** Pages. */
export class Accounts {
  process = 0;
  pinned = 0;
  user = 0;
  readonly #limit: bigint;
  /** What the process has locked by itself: it counts for the process, and is no charge. */
  readonly #lockedBefore: number;

  constructor(credentials: Credentials) {
    this.#limit = credentials.memlockLimit / PAGE_SIZE_BYTES;
    this.#lockedBefore = credentials.lockedBefore ?? 0;
  }

  /** VmLck. */
  get locked(): number {
    return this.process + this.#lockedBefore;
  }

  /** 0, or -ENOMEM where the limit would be passed. */
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

  /** Whether so many pages more may be locked for the process. */
  hasRoom(pages: number): boolean {
    return BigInt(this.locked + pages) <= this.#limit;
  }

  /** Locks pages for the process, as a legacy container does: with privilege too, past the limit. 0, or -ENOMEM. */
  lock(pages: number, bypassesLimit: boolean): number {
    if (!bypassesLimit && !this.hasRoom(pages)) return -ERRNO.ENOMEM;
    this.process += pages;
    return 0;
  }

  unlock(pages: number): void {
    this.process -= pages;
  }
}
