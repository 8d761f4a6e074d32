// SPDX-License-Identifier: MIT
// A persistent ordered map: a weight-balanced tree whose versions share subtrees. Every operation is O(log n) and does
// not change its argument. Each subtree has a measure (for areas, its largest hole), so that a search can skip subtrees
// without a match.

export type Key = number | bigint;

export type Node<K extends Key, V, M> = {
  readonly key: K;
  readonly value: V;
  readonly left: Tree<K, V, M>;
  readonly right: Tree<K, V, M>;
  readonly size: number;
  readonly measure: M;
};

/** An empty tree is undefined. */
export type Tree<K extends Key, V, M> = Node<K, V, M> | undefined;

/** The measure of a subtree from its parts. */
export type Measure<K extends Key, V, M> = (
  left: Tree<K, V, M>,
  key: K,
  value: V,
  right: Tree<K, V, M>,
) => M;

export type TreeOperations<K extends Key, V, M> = {
  readonly set: (tree: Tree<K, V, M>, key: K, value: V) => Node<K, V, M>;
  /** The tree without the key; the same tree if it does not have the key. */
  readonly remove: (tree: Tree<K, V, M>, key: K) => Tree<K, V, M>;
};

// Weight-balanced with the parameters that Hirai and Yamamoto proved right.
const DELTA = 3;
const GAMMA = 2;

const weight = (tree: Tree<Key, unknown, unknown>): number =>
  tree === undefined ? 1 : tree.size + 1;

export const treeOperations = <K extends Key, V, M>(
  measure: Measure<K, V, M>,
): TreeOperations<K, V, M> => {
  type T = Tree<K, V, M>;
  type N = Node<K, V, M>;

  const node = (left: T, key: K, value: V, right: T): N => ({
    key,
    value,
    left,
    right,
    size: weight(left) + weight(right) - 1,
    measure: measure(left, key, value, right),
  });

  const rotateLeft = (left: T, key: K, value: V, right: N): N => {
    if (weight(right.left) < GAMMA * weight(right.right)) {
      return node(node(left, key, value, right.left), right.key, right.value, right.right);
    }
    const middle = right.left as N;
    return node(
      node(left, key, value, middle.left),
      middle.key,
      middle.value,
      node(middle.right, right.key, right.value, right.right),
    );
  };

  const rotateRight = (left: N, key: K, value: V, right: T): N => {
    if (weight(left.right) < GAMMA * weight(left.left)) {
      return node(left.left, left.key, left.value, node(left.right, key, value, right));
    }
    const middle = left.right as N;
    return node(
      node(left.left, left.key, left.value, middle.left),
      middle.key,
      middle.value,
      node(middle.right, key, value, right),
    );
  };

  const balanced = (left: T, key: K, value: V, right: T): N => {
    if (right !== undefined && weight(right) > DELTA * weight(left)) {
      return rotateLeft(left, key, value, right);
    }
    if (left !== undefined && weight(left) > DELTA * weight(right)) {
      return rotateRight(left, key, value, right);
    }
    return node(left, key, value, right);
  };

  const set = (tree: T, key: K, value: V): N => {
    if (tree === undefined) return node(undefined, key, value, undefined);
    if (key < tree.key)
      return balanced(set(tree.left, key, value), tree.key, tree.value, tree.right);
    if (key > tree.key)
      return balanced(tree.left, tree.key, tree.value, set(tree.right, key, value));
    return node(tree.left, key, value, tree.right);
  };

  const withoutFirst = (tree: N): T =>
    tree.left === undefined
      ? tree.right
      : balanced(withoutFirst(tree.left), tree.key, tree.value, tree.right);

  const joined = (left: T, right: T): T => {
    if (left === undefined) return right;
    if (right === undefined) return left;
    const successor = firstOf(right) as N;
    return balanced(left, successor.key, successor.value, withoutFirst(right));
  };

  const remove = (tree: T, key: K): T => {
    if (tree === undefined) return undefined;
    if (key < tree.key) {
      const left = remove(tree.left, key);
      return left === tree.left ? tree : balanced(left, tree.key, tree.value, tree.right);
    }
    if (key > tree.key) {
      const right = remove(tree.right, key);
      return right === tree.right ? tree : balanced(tree.left, tree.key, tree.value, right);
    }
    return joined(tree.left, tree.right);
  };

  return { set, remove };
};

/** The entry with the least key. */
export const firstOf = <K extends Key, V, M>(tree: Tree<K, V, M>): Tree<K, V, M> => {
  let node = tree;
  while (node?.left !== undefined) node = node.left;
  return node;
};

/** The entry with the greatest key. */
export const lastOf = <K extends Key, V, M>(tree: Tree<K, V, M>): Tree<K, V, M> => {
  let node = tree;
  while (node?.right !== undefined) node = node.right;
  return node;
};

/** The value of the key; undefined if the tree does not have the key. */
export const valueAt = <K extends Key, V, M>(tree: Tree<K, V, M>, key: K): V | undefined => {
  let node = tree;
  while (node !== undefined) {
    if (key === node.key) return node.value;
    node = key < node.key ? node.left : node.right;
  }
  return undefined;
};

/** The entry with the greatest key that is at most `key`. */
export const atOrBefore = <K extends Key, V, M>(tree: Tree<K, V, M>, key: K): Tree<K, V, M> => {
  let node = tree;
  let best: Tree<K, V, M>;
  while (node !== undefined) {
    if (node.key <= key) {
      best = node;
      node = node.right;
    } else {
      node = node.left;
    }
  }
  return best;
};

/** The entry with the least key that is at least `key`. */
export const atOrAfter = <K extends Key, V, M>(tree: Tree<K, V, M>, key: K): Tree<K, V, M> => {
  let node = tree;
  let best: Tree<K, V, M>;
  while (node !== undefined) {
    if (node.key >= key) {
      best = node;
      node = node.left;
    } else {
      node = node.right;
    }
  }
  return best;
};

export const sizeOf = <K extends Key, V, M>(tree: Tree<K, V, M>): number => tree?.size ?? 0;

/** Every value, in ascending order of the keys. */
export function* valuesOf<K extends Key, V, M>(tree: Tree<K, V, M>): Generator<V> {
  for (const node of nodesOf(tree)) yield node.value;
}

/** Every entry, in ascending order of the keys. */
export function* nodesOf<K extends Key, V, M>(tree: Tree<K, V, M>): Generator<Node<K, V, M>> {
  const pending: Node<K, V, M>[] = [];
  let node = tree;
  while (node !== undefined || pending.length > 0) {
    while (node !== undefined) {
      pending.push(node);
      node = node.left;
    }
    const next = pending.pop() as Node<K, V, M>;
    yield next;
    node = next.right;
  }
}

/** Calls back with every entry, in ascending order of the keys. */
export const each = <K extends Key, V, M>(
  tree: Tree<K, V, M>,
  visit: (key: K, value: V) => void,
): void => {
  if (tree === undefined) return;
  each(tree.left, visit);
  visit(tree.key, tree.value);
  each(tree.right, visit);
};
