// The search for differences: every sequence of moves up to a bound, each pair of states met once, and in each of them
// every request. The order is fixed, so that the same differences are found by the same programs each time.

import type { Operation, Value } from '../../model/programs/program.ts';
import { type Differences, noteDifferences } from './differences.ts';
import { resultOf } from './requests/make.ts';
import { stateKey, withFilesRenumbered } from './state-key.ts';
import { type DescriptorOf, isPossible, type Move, type Moves } from './structure.ts';
import type { Twin } from './twin.ts';

export type Bounds = {
  /** Moves in a program behind the first ones, at most. */
  readonly moves: number;
  /** Pairs of states, at most. */
  readonly states: number;
};

export type Searched = {
  readonly states: number;
  readonly requests: number;
  /** Requests that one side does not specify. */
  readonly undecided: number;
  /** It did not reach its bound on moves. */
  readonly isCut: boolean;
};

/** What is open: by the thing's name, the label of the operation that opened it. */
export type Open = ReadonlyMap<string, string>;

type Node = {
  readonly twin: Twin;
  readonly open: Open;
  /** The sides are not in the same state any more: what parts them more would only be told twice. */
  readonly hasParted: boolean;
};

/** Requests between two looks at the watch. */
const BETWEEN_LOOKS = 4096;

/** Everything that can be asked in a state. */
export type Requests = (open: Open, descriptorOf: DescriptorOf) => Iterable<Operation>;

const descriptorsIn =
  (open: Open): DescriptorOf =>
  (thing): Value =>
    resultOf(open.get(thing) ?? thing);

const labelFor = ({ program }: Twin, name: string): string =>
  program.some(({ label }) => label === name) ? `${name} (${program.length + 1})` : name;

/** Moves that part the sides are made once; those that go together, each of them once. */
const isDone = ({ name, parts }: Move, { program }: Twin): boolean =>
  parts === 'alone' || (parts === 'together' && program.some(({ label }) => label === name));

const openAfter = (open: Open, { opens, closes }: Move, label: string): Open => {
  if (opens === undefined && closes === undefined) return open;
  const next = new Map(open);
  if (closes !== undefined) next.delete(closes);
  if (opens !== undefined) next.set(opens, label);
  return next;
};

const moved = (
  { twin, open, hasParted }: Node,
  move: Move,
  differences: Differences,
): Node | undefined => {
  const child = twin.fork();
  const label = labelFor(twin, move.name);
  const operation = move.operation(label, descriptorsIn(open));
  const outcome = noteDifferences(child, operation, differences);
  if (outcome === 'undecided' || (outcome === 'diverged' && move.parts === undefined)) {
    return undefined;
  }
  child.legacy.world = withFilesRenumbered(child.legacy.world);
  child.compat.world = withFilesRenumbered(child.compat.world);
  const next = outcome === 'both-succeeded' ? openAfter(open, move, label) : open;
  return { twin: child, open: next, hasParted: hasParted || outcome === 'diverged' };
};

const firstMove = (node: Node, move: Move, differences: Differences): Node => {
  const next = isPossible(move, node.open) ? moved(node, move, differences) : undefined;
  if (next === undefined) throw new Error(`No program can begin with the move ${move.name}.`);
  return next;
};

/** Answers false where the search is to end. */
export type Watch = (asked: number) => Promise<boolean>;

export const search = async (
  start: Twin,
  moves: Moves,
  requests: Requests,
  bounds: Bounds,
  differences: Differences,
  watch: Watch,
): Promise<Searched> => {
  const first = moves.first.reduce<Node>((node, move) => firstMove(node, move, differences), {
    twin: start,
    open: new Map(),
    hasParted: false,
  });
  const seen = new Set([stateKey(first.twin)]);
  let asked = 0;
  let undecided = 0;
  let isCut = false;
  let level: readonly Node[] = [first];
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: Node[] = [];
    for (const node of level) {
      for (const request of requests(node.open, descriptorsIn(node.open))) {
        asked += 1;
        if (asked % BETWEEN_LOOKS === 0 && !(await watch(asked))) {
          return { states: seen.size, requests: asked, undecided, isCut: true };
        }
        if (noteDifferences(node.twin.fork(), request, differences) === 'undecided') undecided += 1;
      }
      if (depth === bounds.moves) continue;
      for (const move of moves.others) {
        if (!isPossible(move, node.open)) continue;
        if (node.hasParted && isDone(move, node.twin)) continue;
        asked += 1;
        const child = moved(node, move, differences);
        if (child === undefined) continue;
        const key = stateKey(child.twin);
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
