// SPDX-License-Identifier: MIT
// The descriptor of a test access, which a program controls, and what it has pinned.
// drivers/iommu/iommufd/selftest.c (struct selftest_access).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import { Access } from '../access.ts';
import type { IommufdContext } from '../context.ts';
import { OpenFile } from '../files.ts';
import { wrap } from '../u64.ts';

type Item = { readonly id: number; readonly iova: bigint; readonly length: bigint };

export class TestAccess extends OpenFile {
  readonly access: Access;
  readonly pinsPages: boolean;
  #items: Item[] = [];
  #nextId = 0;

  constructor(context: IommufdContext, pinsPages: boolean) {
    super();
    this.pinsPages = pinsPages;
    this.access = new Access(context, pinsPages, (start, length) => this.#letGo(start, length));
  }

  /** Records a pinned range. Returns the number that identifies it. */
  remember(iova: bigint, length: bigint): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#items.push({ id, iova, length });
    return id;
  }

  dropKnown(id: number): void {
    this.#items = this.#items.filter((item) => item.id !== id);
  }

  /** Unpins the range with that number. 0, or -ENOENT. */
  unpin(id: number): number {
    const item = this.#items.find((candidate) => candidate.id === id);
    if (item === undefined) return -ERRNO.ENOENT;
    this.dropKnown(id);
    this.access.unpin(item.iova, item.length);
    return 0;
  }

  protected override released(): void {
    this.#letGo(0n, U64_MAX);
    this.access.end();
  }

  #letGo(start: bigint, length: bigint): void {
    const last = wrap(start + length - 1n);
    for (const item of this.#items) {
      if (start > item.iova + item.length - 1n || last < item.iova) continue;
      this.unpin(item.id);
    }
  }
}
