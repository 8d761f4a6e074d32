// SPDX-License-Identifier: MIT
// A set of pages: the memory of one map call, which several areas and accesses may share. Each page
// is pinned and charged once. drivers/iommu/iommufd/pages.c (struct iopt_pages).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE, PAGE_SIZE_BYTES, U64_MAX } from '../../../spec/abi/units.ts';
import { MachineDied } from '../../machine/machine.ts';
import type { OpenFile } from '../files.ts';
import type { Kernel } from '../kernel.ts';
import type { AccountMode } from '../memory/accounting.ts';
import { Memfd } from '../memory/memfd.ts';
import type { Area } from './area.ts';
import { IntervalTree } from './interval-tree.ts';

/**
 * The source of the pages; `page` is the number of the first, in the address space or in the file.
 */
export type PagesSource =
  | { readonly kind: 'user'; readonly page: number; readonly address: bigint }
  | { readonly kind: 'file'; readonly page: number; readonly file: OpenFile };

/** Pins of a range by accesses. Accesses to exactly the same pages share one. */
export type PinnedAccess = { users: number };

/** The kernel pins at most so many pages at once, whatever the limit: pointers in 64 KiB. */
const POINTER_SIZE = 8;

export class Pages {
  readonly kernel: Kernel;
  readonly source: PagesSource;
  readonly writable: boolean;
  readonly accountMode: AccountMode;
  /** The number of pages, as the kernel computes it. */
  readonly count: bigint;
  /** Areas whose domains have the frames. */
  readonly domains = new IntervalTree<Area>();
  readonly accesses = new IntervalTree<PinnedAccess>();
  /** Frames that an access uses, by page index. */
  readonly pinnedFrames = new Map<number, number>();
  /** Pages pinned, and how many of them have been charged. */
  pinned = 0;
  #charged = 0;
  #references = 1;

  constructor(
    kernel: Kernel,
    source: PagesSource,
    count: bigint,
    writable: boolean,
    accountMode: AccountMode,
  ) {
    this.kernel = kernel;
    this.count = count;
    this.source = source;
    this.writable = writable;
    this.accountMode = accountMode;
    if (source.kind === 'file') source.file.hold();
  }

  get(): Pages {
    this.#references += 1;
    return this;
  }

  put(): void {
    this.#references -= 1;
    if (this.#references < 0) throw new MachineDied('pages put more often than got');
    if (this.#references === 0 && this.source.kind === 'file') this.source.file.put();
  }

  /**
   * Pins the first pages of [first, last], as many as it can, and appends the frames. Returns the
   * count, or -errno.
   */
  pinSome(first: number, last: number, frames: number[]): number {
    const { kernel, source } = this;
    const room = Math.floor(kernel.temporaryMemoryLimit / POINTER_SIZE);
    const count = Math.min(last - first + 1, Math.max(room, 1));
    const page = source.page + first;
    let done: number;
    if (source.kind === 'user') {
      done = kernel.pinner.pin(page, count, this.writable, frames);
    } else {
      if (!(source.file instanceof Memfd)) return -ERRNO.EINVAL;
      const lastByte = BigInt(page + count) * PAGE_SIZE_BYTES - 1n;
      done = kernel.pinner.pinFile(source.file, page, count, lastByte, frames);
    }
    if (done > 0) this.pinned += done;
    return done;
  }

  unpin(frame: number): void {
    this.kernel.frames.unpin(frame);
    this.pinned -= 1;
  }

  /** Adjusts the charge to the pinned pages. 0, or -ENOMEM with nothing changed. */
  settle(): number {
    const { kernel } = this;
    if (this.pinned > this.#charged) {
      const error = kernel.accounts.charge(this.accountMode, this.pinned - this.#charged);
      if (error !== 0) return error;
    } else if (this.pinned < this.#charged && !kernel.defects.has('charge-not-returned')) {
      kernel.accounts.discharge(this.accountMode, this.#charged - this.pinned);
    }
    this.#charged = this.pinned;
    return 0;
  }
}

const accountModeOf = (kernel: Kernel, chargeProcess: boolean): AccountMode => {
  if (kernel.credentials.privileged) return 'none';
  return chargeProcess ? 'process' : 'user';
};

/** Greater lengths cannot be rounded up to whole pages in 64 bits. */
const LENGTH_MAX = U64_MAX - PAGE_SIZE_BYTES;

/** In 64 bits: the offset of the first byte in its page can make the sum wrap. */
const countOf = (start: bigint, length: bigint): bigint => {
  const end = BigInt.asUintN(64, (start % PAGE_SIZE_BYTES) + length + PAGE_SIZE_BYTES - 1n);
  return end / PAGE_SIZE_BYTES;
};

/** Pages of the program's memory, `length` bytes from `address`. -EOVERFLOW, -EINVAL. */
export const userPages = (
  kernel: Kernel,
  address: bigint,
  length: bigint,
  writable: boolean,
  chargeProcess: boolean,
): Pages | number => {
  const badLength = length > LENGTH_MAX || length === 0n;
  if (badLength && kernel.release.mapChecksLengthFirst) return -ERRNO.EINVAL;
  if (address + length > U64_MAX && !kernel.defects.has('user-address-wraps')) {
    return -ERRNO.EOVERFLOW;
  }
  if (badLength) return -ERRNO.EINVAL;
  const page = Number(address / PAGE_SIZE_BYTES);
  const aligned = BigInt(page) * BigInt(PAGE_SIZE);
  const source: PagesSource = { kind: 'user', page, address: aligned };
  const count = countOf(address, length);
  return new Pages(kernel, source, count, writable, accountModeOf(kernel, chargeProcess));
};

/**
 * Pages of a file from byte `start`. A file other than a memfd can be mapped but not pinned.
 * -EINVAL.
 */
export const filePages = (
  kernel: Kernel,
  file: OpenFile,
  start: bigint,
  length: bigint,
  writable: boolean,
  chargeProcess: boolean,
): Pages | number => {
  if (length > LENGTH_MAX || length === 0n) return -ERRNO.EINVAL;
  const page = Number(start / PAGE_SIZE_BYTES);
  const source: PagesSource = { kind: 'file', page, file };
  const count = countOf(start, length);
  return new Pages(kernel, source, count, writable, accountModeOf(kernel, chargeProcess));
};
