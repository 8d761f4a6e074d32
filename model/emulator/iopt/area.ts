// SPDX-License-Identifier: MIT
// An area: a span of IOVAs that is mapped to a slice of a set of pages, down to the byte.
// drivers/iommu/iommufd/io_pagetable.h (struct iopt_area).

import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import { TreeNode } from '../balanced-tree.ts';
import type { Domain } from '../domain.ts';
import { Interval } from './interval-tree.ts';
import type { Pages } from './pages.ts';

export type Permission = { readonly readable: boolean; readonly writable: boolean };

export class Area extends TreeNode<Area> {
  /** Both ends inclusive, in bytes. */
  readonly start: bigint;
  readonly last: bigint;
  readonly pages: Pages;
  readonly permission: Permission;
  /** Offset of the area's first byte in its first page. */
  readonly pageOffset: number;
  /**
   * Page indexes in `pages`, both ends inclusive; in the tree of the pages' domains while a domain
   * has them pinned.
   */
  readonly slice: Interval<Area>;
  /** The domain that the frames are read back from, if any. */
  storage: Domain | undefined = undefined;
  accesses = 0;
  /** An unmap waits for the accesses to end: no new access may begin. */
  preventAccess = false;

  /**
   * For the tree of areas: the least and the greatest byte of this subtree, and its widest hole.
   */
  lowest: bigint;
  highest: bigint;
  widestHole = 0n;

  constructor(
    pages: Pages,
    start: bigint,
    last: bigint,
    startByte: bigint,
    permission: Permission,
  ) {
    super();
    this.pages = pages;
    this.start = start;
    this.last = last;
    this.lowest = start;
    this.highest = last;
    this.permission = permission;
    this.pageOffset = Number(startByte % PAGE_SIZE_BYTES);
    this.slice = new Interval<Area>(
      Number(startByte / PAGE_SIZE_BYTES),
      Number((startByte + (last - start)) / PAGE_SIZE_BYTES),
      this,
    );
  }

  get length(): bigint {
    return this.last - this.start + 1n;
  }

  get firstIndex(): number {
    return this.slice.start;
  }

  get lastIndex(): number {
    return this.slice.last;
  }

  /** Bytes from the start of the pages to the byte at an IOVA of the area. */
  startByte(iova: bigint): bigint {
    return iova - this.start + BigInt(this.pageOffset) + BigInt(this.firstIndex) * PAGE_SIZE_BYTES;
  }

  index(iova: bigint): number {
    return Number(this.startByte(iova) / PAGE_SIZE_BYTES);
  }

  /** The first IOVA of the area that lies in a page. */
  iovaOf(index: number): bigint {
    if (index === this.firstIndex) return this.start;
    return this.start - BigInt(this.pageOffset) + BigInt(index - this.firstIndex) * PAGE_SIZE_BYTES;
  }
}
