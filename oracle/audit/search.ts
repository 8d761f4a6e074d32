// SPDX-License-Identifier: MIT
// The search for differences: tries every sequence of actions up to a bound, visits each pair of states once, and makes every
// request in it. The order is fixed, so that the same programs show the same differences each time.

import type { Operation, Value } from '../../model/programs/program.ts';
import { type Action, type Actions, type DescriptorOf, isPossible } from './actions.ts';
import { type Differences, noteDifferences } from './differences.ts';
import type { Pair } from './pair.ts';
import { resultOf } from './requests/make.ts';
import { stateKey, withFilesRenumbered } from './state-key.ts';

export type Bounds = {
  /** Actions in a program after the first ones, at most. */
  readonly actions: number;
  /** Pairs of states, at most. */
  readonly states: number;
};

export type Searched = {
  readonly states: number;
  readonly requests: number;
  /** Requests that one side does not specify. */
  readonly undecided: number;
  /** Whether it ended before its bound on actions. */
  readonly isCut: boolean;
};

/** The open handles, each with the label of the operation that opened it. */
export type Open = ReadonlyMap<string, string>;

type Node = {
  readonly pair: Pair;
  readonly open: Open;
  /** The states of the sides differ already: the same action again would only repeat the difference. */
  readonly hasDiverged: boolean;
};

/** Requests between two calls of the watch. */
const BETWEEN_CHECKS = 4096;

/** The requests to make in a state. */
export type Requests = (open: Open, descriptorOf: DescriptorOf) => Iterable<Operation>;

const descriptorsIn =
  (open: Open): DescriptorOf =>
  (handle): Value =>
    resultOf(open.get(handle) ?? handle);

const labelFor = ({ program }: Pair, name: string): string =>
  program.some(({ label }) => label === name) ? `${name} (${program.length + 1})` : name;

/** Whether the action is not to be made after the sides diverged: `together` ones are made once each. */
const isDone = ({ name, diverges }: Action, { program }: Pair): boolean =>
  diverges === 'alone' || (diverges === 'together' && program.some(({ label }) => label === name));

const openAfter = (open: Open, { opens, closes }: Action, label: string): Open => {
  if (opens === undefined && closes === undefined) return open;
  const next = new Map(open);
  if (closes !== undefined) next.delete(closes);
  if (opens !== undefined) next.set(opens, label);
  return next;
};

const afterAction = (
  { pair, open, hasDiverged }: Node,
  action: Action,
  differences: Differences,
): Node | undefined => {
  const child = pair.fork();
  const label = labelFor(pair, action.name);
  const operation = action.operation(label, descriptorsIn(open));
  const outcome = noteDifferences(child, operation, differences);
  if (outcome === 'undecided' || (outcome === 'diverged' && action.diverges === undefined)) {
    return undefined;
  }
  child.legacy.world = withFilesRenumbered(child.legacy.world);
  child.compat.world = withFilesRenumbered(child.compat.world);
  const next = outcome === 'both-succeeded' ? openAfter(open, action, label) : open;
  return { pair: child, open: next, hasDiverged: hasDiverged || outcome === 'diverged' };
};

const firstAction = (node: Node, action: Action, differences: Differences): Node => {
  const next = isPossible(action, node.open) ? afterAction(node, action, differences) : undefined;
  if (next === undefined) throw new Error(`No program can begin with the action ${action.name}.`);
  return next;
};

/** Resolves to false to end the search. */
export type Watch = (asked: number) => Promise<boolean>;

export type SearchRequest = {
  readonly start: Pair;
  readonly actions: Actions;
  readonly requests: Requests;
  readonly bounds: Bounds;
  /** The search adds to these. */
  readonly differences: Differences;
  readonly watch: Watch;
};

export const search = async ({
  start,
  actions,
  requests,
  bounds,
  differences,
  watch,
}: SearchRequest): Promise<Searched> => {
  const first = actions.first.reduce<Node>(
    (node, action) => firstAction(node, action, differences),
    {
      pair: start,
      open: new Map(),
      hasDiverged: false,
    },
  );
  const seen = new Set([stateKey(first.pair)]);
  let asked = 0;
  let undecided = 0;
  let isCut = false;
  let level: readonly Node[] = [first];
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: Node[] = [];
    for (const node of level) {
      for (const request of requests(node.open, descriptorsIn(node.open))) {
        asked += 1;
        if (asked % BETWEEN_CHECKS === 0 && !(await watch(asked))) {
          return { states: seen.size, requests: asked, undecided, isCut: true };
        }
        if (noteDifferences(node.pair.fork(), request, differences) === 'undecided') undecided += 1;
      }
      if (depth === bounds.actions) continue;
      for (const action of actions.others) {
        if (!isPossible(action, node.open)) continue;
        if (node.hasDiverged && isDone(action, node.pair)) continue;
        asked += 1;
        const child = afterAction(node, action, differences);
        if (child === undefined) continue;
        const key = stateKey(child.pair);
        if (seen.has(key)) continue;
        if (seen.size >= bounds.states) {
          isCut = true;
          continue;
        }
        seen.add(key);
        next.push(child);
      }
    }
    level = next;
  }
  return { states: seen.size, requests: asked, undecided, isCut };
};
