// SPDX-License-Identifier: MIT
// Code of the emulator that is not mutated, each with the reason: what only tests read, the text of internal
// errors, and the deliberate defects, which no campaign here switches on.

/** A node of Babel's syntax tree, as far as this file reads it. */
type SyntaxNode = { readonly type: string; readonly [property: string]: unknown };

/** The position of a node: Babel's NodePath, as far as this file reads it. */
export type Place = {
  readonly node: SyntaxNode;
  readonly parent?: SyntaxNode | undefined;
  readonly parentPath?: { readonly parent: SyntaxNode } | null;
  readonly key?: unknown;
  readonly scope: {
    getBinding(name: string): { readonly path: { readonly node: SyntaxNode } } | undefined;
  };
};

/** Files of the emulator that hold no behaviour of a kernel, by their path in it. */
export const UNMUTATED_FILES: Readonly<Record<string, string>> = {
  'defects.ts': 'names and words of the deliberate defects',
  'historical.ts': 'names and words of the deliberate defects',
  'invariants.ts': 'read by tests only, no campaign asks for it',
  'type1/invariants.ts': 'read by tests only, no campaign asks for it',
};

/** Methods and getters that only the files above use, by class. */
const FOR_TESTS: Readonly<Record<string, string>> = {
  AccessList: 'empty',
  EmulatedMachine: 'violations',
};

/** Functions that are reached through a deliberate defect alone. */
const FOR_DEFECTS: ReadonlySet<string> = new Set(['wrappingFitter', 'unshared']);

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && 'type' in value;

const child = (node: SyntaxNode, property: string): SyntaxNode | undefined => {
  const value = node[property];
  return isNode(value) ? value : undefined;
};

const nameOf = (node: SyntaxNode | undefined): unknown =>
  node?.type === 'Identifier' ? node.name : undefined;

/** `defects.has(…)`, whatever the defects are reached through. */
const asksForDefect = (node: SyntaxNode): boolean => {
  const callee = node.type === 'CallExpression' ? child(node, 'callee') : undefined;
  if (callee?.type !== 'MemberExpression' || nameOf(child(callee, 'property')) !== 'has')
    return false;
  const owner = child(callee, 'object');
  if (owner === undefined) return false;
  return nameOf(owner) === 'defects' || nameOf(child(owner, 'property')) === 'defects';
};

/** What an expression is as long as no defect is switched on; undefined where that does not decide it. */
const withoutDefects = (node: SyntaxNode | undefined, { scope }: Place): boolean | undefined => {
  if (node === undefined) return undefined;
  const decided = (expression: SyntaxNode | undefined): boolean | undefined =>
    withoutDefects(expression, { node, scope });
  if (asksForDefect(node)) return false;
  if (node.type === 'UnaryExpression' && node.operator === '!') {
    const inner = decided(child(node, 'argument'));
    return inner === undefined ? undefined : !inner;
  }
  if (node.type === 'LogicalExpression' && node.operator !== '??') {
    const sides = [decided(child(node, 'left')), decided(child(node, 'right'))];
    const deciding = node.operator === '||';
    if (sides.includes(deciding)) return deciding;
    return sides.every((side) => side === !deciding) ? !deciding : undefined;
  }
  if (node.type === 'Identifier') {
    const declared = scope.getBinding(String(node.name))?.path.node;
    if (declared?.type !== 'VariableDeclarator') return undefined;
    const value = child(declared, 'init');
    return value?.type === 'Identifier' ? undefined : decided(value);
  }
  return undefined;
};

/** The name of a method's class. */
const classOf = ({ parentPath }: Place): string =>
  String(nameOf(child(parentPath?.parent ?? NOWHERE, 'id')));

const NOWHERE: SyntaxNode = { type: 'none' };

const isBranch = (node: SyntaxNode | undefined): node is SyntaxNode =>
  node?.type === 'IfStatement' || node?.type === 'ConditionalExpression';

/** Why nothing in the place is mutated; undefined where it is. */
export const whyIgnored = (place: Place): string | undefined => {
  const { node, parent, key } = place;
  if (node.type === 'ThrowStatement') return 'the words of an internal error';
  if (node.type === 'ClassMethod' && nameOf(child(node, 'key')) === FOR_TESTS[classOf(place)]) {
    return 'read by tests only';
  }
  if (node.type === 'VariableDeclarator' && FOR_DEFECTS.has(String(nameOf(child(node, 'id'))))) {
    return 'runs only where a deliberate defect is switched on';
  }
  if (withoutDefects(node, place) !== undefined)
    return 'whether a deliberate defect is switched on';
  if (isBranch(parent) && (key === 'consequent' || key === 'alternate')) {
    const test = withoutDefects(child(parent, 'test'), place);
    if (test === (key === 'alternate')) return 'runs only where a deliberate defect is switched on';
  }
  return undefined;
};
