// SPDX-License-Identifier: MIT
// The areas of one I/O page table by IOVA; they never overlap. Every node has the widest hole of
// its subtree, so that the first hole of some width is found without visiting every area.
// lib/interval_tree.c, drivers/iommu/iommufd/double_span.h.

import { BalancedTree } from '../balanced-tree.ts';
import type { Area } from './area.ts';

/** The start of a map in a hole whose ends are inclusive, or undefined. */
export type Fit = (start: bigint, last: bigint) => bigint | undefined;

export class AreaTree extends BalancedTree<Area> {
  /** The lowest area that overlaps [start, last]. */
  first(start: bigint, last: bigint): Area | undefined {
    let node = this.root;
    let found: Area | undefined;
    while (node !== undefined) {
      if (node.last >= start) {
        found = node;
        node = node.left;
      } else {
        node = node.right;
      }
    }
    return found === undefined || found.start > last ? undefined : found;
  }

  /** The areas in ascending order. None may be added or removed meanwhile. */
  *[Symbol.iterator](): Iterator<Area> {
    const path: Area[] = [];
    let node = this.root;
    while (node !== undefined || path.length > 0) {
      while (node !== undefined) {
        path.push(node);
        node = node.left;
      }
      const next = path.pop() as Area;
      yield next;
      node = next.right;
    }
  }

  /**
   * The first start in [start, last] that `fit` accepts, among the holes of at least `length`
   * bytes.
   */
  firstFit(start: bigint, last: bigint, length: bigint, fit: Fit): bigint | undefined {
    let free = start;
    const offer = (holeLast: bigint): bigint | undefined =>
      holeLast >= free && holeLast - free >= length - 1n ? fit(free, holeLast) : undefined;
    const visit = (tree: Area | undefined): bigint | undefined => {
      if (tree === undefined || tree.highest < free || tree.lowest > last) return undefined;
      if (tree.widestHole < length && (tree.lowest <= free || tree.lowest - free < length)) {
        free = tree.highest + 1n;
        return undefined;
      }
      const inLeft = visit(tree.left);
      if (inLeft !== undefined) return inLeft;
      if (tree.start > last) return undefined;
      const here = tree.start > free ? offer(tree.start - 1n) : undefined;
      if (here !== undefined) return here;
      if (tree.last >= free) free = tree.last + 1n;
      return visit(tree.right);
    };
    const found = visit(this.root);
    if (found !== undefined) return found;
    return free <= last ? offer(last) : undefined;
  }

  protected override before(a: Area, b: Area): boolean {
    return a.start < b.start;
  }

  protected override summarise(node: Area): void {
    const { left, right } = node;
    node.lowest = left === undefined ? node.start : left.lowest;
    node.highest = right === undefined ? node.last : right.highest;
    let widest = 0n;
    if (left !== undefined) {
      widest = node.start - left.highest - 1n;
      if (left.widestHole > widest) widest = left.widestHole;
    }
    if (right !== undefined) {
      const hole = right.lowest - node.last - 1n;
      if (hole > widest) widest = hole;
      if (right.widestHole > widest) widest = right.widestHole;
    }
    node.widestHole = widest;
  }
}
