// SPDX-License-Identifier: MIT
// Intervals of page indexes that may overlap and repeat, for the users of a set of pages. Both ends
// are inclusive. lib/interval_tree.c.

import { BalancedTree, TreeNode } from '../balanced-tree.ts';

let sequence = 0;

export class Interval<Owner> extends TreeNode<Interval<Owner>> {
  readonly start: number;
  readonly last: number;
  readonly owner: Owner;
  /** Orders intervals with the same start. */
  readonly order: number;
  /** The greatest `last` of this subtree. */
  reach: number;

  constructor(start: number, last: number, owner: Owner) {
    super();
    this.start = start;
    this.last = last;
    this.owner = owner;
    this.reach = last;
    sequence += 1;
    this.order = sequence;
  }
}

export class IntervalTree<Owner> extends BalancedTree<Interval<Owner>> {
  /** The interval with the least start that overlaps [start, last]. */
  first(start: number, last: number): Interval<Owner> | undefined {
    let node = this.root;
    while (node !== undefined) {
      if (node.left !== undefined && node.left.reach >= start) {
        node = node.left;
        continue;
      }
      if (node.start > last) return undefined;
      if (node.last >= start) return node;
      node = node.right;
    }
    return undefined;
  }

  /** The interval with exactly these ends. */
  exact(start: number, last: number): Interval<Owner> | undefined {
    return this.#exact(this.root, start, last);
  }

  /** The last page of [index, last] up to which all pages are in some interval, or none is. */
  span(index: number, last: number): { readonly used: boolean; readonly last: number } {
    const node = this.first(index, last);
    if (node === undefined) return { used: false, last };
    if (node.start > index) return { used: false, last: node.start - 1 };
    return { used: true, last: Math.min(node.last, last) };
  }

  protected override before(a: Interval<Owner>, b: Interval<Owner>): boolean {
    return a.start < b.start || (a.start === b.start && a.order < b.order);
  }

  protected override summarise(node: Interval<Owner>): void {
    let reach = node.last;
    if (node.left !== undefined && node.left.reach > reach) reach = node.left.reach;
    if (node.right !== undefined && node.right.reach > reach) reach = node.right.reach;
    node.reach = reach;
  }

  #exact(
    tree: Interval<Owner> | undefined,
    start: number,
    last: number,
  ): Interval<Owner> | undefined {
    if (tree === undefined || tree.reach < last) return undefined;
    if (tree.start === start && tree.last === last) return tree;
    if (start < tree.start) return this.#exact(tree.left, start, last);
    if (start > tree.start) return this.#exact(tree.right, start, last);
    return this.#exact(tree.left, start, last) ?? this.#exact(tree.right, start, last);
  }
}
