// SPDX-License-Identifier: MIT
// The dmas of a legacy container, in a tree by IOVA. drivers/vfio/vfio_iommu_type1.c (struct
// vfio_dma).

import { U64_MAX } from '../../../spec/abi/units.ts';
import { BalancedTree, TreeNode } from '../balanced-tree.ts';
import type { Permission } from '../iopt/area.ts';
import { wrap } from '../u64.ts';
import type { DirtyBitmap } from './dirty-bitmap.ts';

let made = 0;

export class Dma extends TreeNode<Dma> {
  readonly iova: bigint;
  readonly permission: Permission;
  /**
   * Two dmas can begin at the same IOVA if vfio_find_dma() wraps at U64_MAX: the later comes first.
   */
  readonly serial: number;
  /** The address in the program's memory; a program may change it. */
  vaddr: bigint;
  /** Bytes mapped; grows while the dma is made. */
  size = 0n;
  iommuMapped = false;
  vaddrInvalid = false;
  bitmap: DirtyBitmap | undefined = undefined;

  constructor(iova: bigint, vaddr: bigint, permission: Permission) {
    super();
    this.iova = iova;
    this.vaddr = vaddr;
    this.permission = permission;
    made += 1;
    this.serial = made;
  }

  /** The last byte. */
  get last(): bigint {
    return wrap(this.iova + this.size - 1n);
  }
}

export class DmaTree extends BalancedTree<Dma> {
  /** Ends are exclusive, so that an end at U64_MAX wraps to 0. */
  readonly #findDmaWraps: boolean;

  constructor(findDmaWraps: boolean) {
    super();
    this.#findDmaWraps = findDmaWraps;
  }

  /** A dma that overlaps `size` bytes from `start`. */
  find(start: bigint, size: bigint): Dma | undefined {
    let node = this.root;
    while (node !== undefined) {
      if (this.#isBelow(start, size, node.iova)) node = node.left;
      else if (this.#isAbove(start, node)) node = node.right;
      else return node;
    }
    return undefined;
  }

  /** The lowest dma that ends after `start`, unless it begins after `last`. */
  first(start: bigint, last: bigint): Dma | undefined {
    let found: Dma | undefined;
    let node = this.root;
    while (node !== undefined) {
      if (this.#isAbove(start, node)) {
        node = node.right;
        continue;
      }
      found = node;
      if (start >= node.iova) break;
      node = node.left;
    }
    return found !== undefined && this.isAfter(found, last) ? undefined : found;
  }

  /**
   * Whether a dma begins after the last byte of a range; with wrapping ends a range up to U64_MAX
   * seems empty.
   */
  isAfter(dma: Dma, last: bigint): boolean {
    return this.#findDmaWraps ? dma.iova >= wrap(last + 1n) : dma.iova > last;
  }

  *[Symbol.iterator](): Iterator<Dma> {
    yield* [...this.#from(this.root)];
  }

  protected before(a: Dma, b: Dma): boolean {
    return a.iova < b.iova || (a.iova === b.iova && a.serial > b.serial);
  }

  protected summarise(_node: Dma): void {}

  #isBelow(start: bigint, size: bigint, iova: bigint): boolean {
    return this.#findDmaWraps ? wrap(start + size) <= iova : wrap(start + size - 1n) < iova;
  }

  #isAbove(start: bigint, dma: Dma): boolean {
    return this.#findDmaWraps ? start >= wrap(dma.iova + dma.size) : start > dma.last;
  }

  *#from(node: Dma | undefined): Generator<Dma> {
    if (node === undefined) return;
    yield* this.#from(node.left);
    yield node;
    yield* this.#from(node.right);
  }
}

/** Whether [start, start + size) wraps around the address space. */
export const wraps = (start: bigint, size: bigint): boolean => start + size - 1n > U64_MAX;
