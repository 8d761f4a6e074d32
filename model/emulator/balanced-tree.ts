// SPDX-License-Identifier: MIT
// A height-balanced binary tree whose nodes can carry a summary of their subtree. lib/rbtree.c does
// the same for the kernel's interval trees.

export class TreeNode<Node> {
  left: Node | undefined = undefined;
  right: Node | undefined = undefined;
  height = 1;
}

export abstract class BalancedTree<Node extends TreeNode<Node>> {
  protected root: Node | undefined = undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  insert(node: Node): void {
    node.left = undefined;
    node.right = undefined;
    this.root = this.#insert(this.root, node);
    this.#size += 1;
  }

  /** Removes the node. Does nothing if it is not in the tree. */
  remove(node: Node): void {
    this.root = this.#remove(this.root, node);
  }

  /** Whether `a` is before `b`. Of two different nodes exactly one is before the other. */
  protected abstract before(a: Node, b: Node): boolean;
  /** Computes the node's summary again from its children's. */
  protected abstract summarise(node: Node): void;

  #insert(tree: Node | undefined, node: Node): Node {
    if (tree === undefined) {
      this.#refresh(node);
      return node;
    }
    if (this.before(node, tree)) tree.left = this.#insert(tree.left, node);
    else tree.right = this.#insert(tree.right, node);
    return this.#balance(tree);
  }

  #remove(tree: Node | undefined, node: Node): Node | undefined {
    if (tree === undefined) return undefined;
    if (tree === node) {
      this.#size -= 1;
      if (tree.left === undefined) return tree.right;
      if (tree.right === undefined) return tree.left;
      const next = this.#leftmost(tree.right);
      const right = this.#withoutLeftmost(tree.right);
      next.left = tree.left;
      next.right = right;
      return this.#balance(next);
    }
    if (this.before(node, tree)) tree.left = this.#remove(tree.left, node);
    else tree.right = this.#remove(tree.right, node);
    return this.#balance(tree);
  }

  #leftmost(tree: Node): Node {
    let node = tree;
    while (node.left !== undefined) node = node.left;
    return node;
  }

  #withoutLeftmost(tree: Node): Node | undefined {
    if (tree.left === undefined) return tree.right;
    tree.left = this.#withoutLeftmost(tree.left);
    return this.#balance(tree);
  }

  #refresh(node: Node): void {
    const left = node.left?.height ?? 0;
    const right = node.right?.height ?? 0;
    node.height = Math.max(left, right) + 1;
    this.summarise(node);
  }

  #balance(node: Node): Node {
    const lean = (node.left?.height ?? 0) - (node.right?.height ?? 0);
    if (lean > 1) {
      const left = node.left as Node;
      if ((left.left?.height ?? 0) < (left.right?.height ?? 0)) node.left = this.#rotateLeft(left);
      return this.#rotateRight(node);
    }
    if (lean < -1) {
      const right = node.right as Node;
      if ((right.right?.height ?? 0) < (right.left?.height ?? 0)) {
        node.right = this.#rotateRight(right);
      }
      return this.#rotateLeft(node);
    }
    this.#refresh(node);
    return node;
  }

  #rotateRight(node: Node): Node {
    const top = node.left as Node;
    node.left = top.right;
    top.right = node;
    this.#refresh(node);
    this.#refresh(top);
    return top;
  }

  #rotateLeft(node: Node): Node {
    const top = node.right as Node;
    node.right = top.left;
    top.left = node;
    this.#refresh(node);
    this.#refresh(top);
    return top;
  }
}
