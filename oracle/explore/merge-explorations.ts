// SPDX-License-Identifier: MIT
// Merges the parts of an exploration: its counts, rules and broken law. States that several parts reached are counted once,
// by their keys in the saved files.

import { BadSaved, distinctOf } from '../../model/explorer/explore.ts';
import { BadInput } from '../trace/bad-input.ts';
import type { ExploreReport } from './run-explore.ts';
import type { SavedBroken, SavedExploration } from './saved-file.ts';

export type NamedExploration = { readonly name: string; readonly saved: SavedExploration };

export type MergedExploration = {
  readonly report: ExploreReport;
  /** The shortest program that breaks a law, from the first part that has one of that length. */
  readonly broken: SavedBroken | undefined;
  /** Missing parts, numbered from 1, and the files of unfinished parts. */
  readonly missing: readonly number[];
  readonly unfinished: readonly string[];
};

const isFinished = ({ ended }: SavedExploration): boolean =>
  ended === 'whole' || ended === 'depth' || ended === 'broken';

/** What all parts of one exploration have in common. */
const askedOf = ({ actionSet, setting, depth, shard }: SavedExploration) => ({
  actionSet: actionSet.name,
  release: setting.release,
  platform: JSON.stringify(setting.platform, (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  ),
  privileged: `${setting.credentials.privileged}`,
  memlock: `${setting.credentials.memlockLimit}`,
  depth: `${depth}`,
  parts: `${shard?.of ?? 1}`,
});

/** Why the files are not parts of one exploration; undefined if they are. */
export const whyNotOneExploration = (all: readonly NamedExploration[]): string | undefined => {
  const [first] = all;
  if (first === undefined) return undefined;
  const held = new Map<number, string>();
  for (const { name, saved } of all) {
    const asked = Object.entries(askedOf(saved));
    const there = askedOf(first.saved);
    const other = asked.find(([what, value]) => there[what as keyof typeof there] !== value);
    if (other !== undefined) {
      return `${name} and ${first.name} are of different explorations: ${other[0]} differs`;
    }
    const part = saved.shard?.index ?? 0;
    const same = held.get(part);
    if (same !== undefined) return `${name} and ${same} are both part ${part + 1}`;
    held.set(part, name);
  }
  return undefined;
};

const shortest = (all: readonly NamedExploration[]): SavedBroken | undefined => {
  let found: SavedBroken | undefined;
  for (const { saved } of all) {
    const { broken } = saved;
    if (broken !== undefined && (found === undefined || broken.trace.length < found.trace.length)) {
      found = broken;
    }
  }
  return found;
};

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const distinctIn = (all: readonly NamedExploration[]): number => {
  try {
    return distinctOf(all.map(({ saved }) => saved.earlier.saved));
  } catch (error) {
    if (!(error instanceof BadSaved)) throw error;
    throw new BadInput(all[error.which]?.name ?? '', 0, error.message);
  }
};

/** The files must be parts of one exploration. Reads their states. Throws BadInput. */
export const mergedExploration = (
  named: readonly [NamedExploration, ...NamedExploration[]],
): MergedExploration => {
  const all = named.toSorted((a, b) => (a.saved.shard?.index ?? 0) - (b.saved.shard?.index ?? 0));
  const saved = all.map((each) => each.saved);
  const [first] = named;
  const { actionSet, setting, depth, shard } = first.saved;
  const positions = saved.map(({ earlier }) => earlier.saved.at);
  const distinct = distinctIn(all);
  const common = Math.max(...positions.map((at) => at.common));
  // Together the parts expand the level that was divided, and all levels before it.
  const expanded = Math.max(...positions.map(({ position }) => position));
  const seconds = sum(saved.map(({ earlier }) => earlier.seconds));
  const unfinished = all.filter((each) => !isFinished(each.saved));
  const broken = shortest(all);
  const isWhole = saved.every(({ ended }) => ended === 'whole');
  const end = unfinished[0]?.saved.ended ?? (isWhole ? 'whole' : 'depth');
  const held = new Set(saved.map((each) => each.shard?.index ?? 0));
  const missing = Array.from({ length: shard?.of ?? 1 }, (_, index) => index)
    .filter((index) => !held.has(index))
    .map((index) => index + 1);
  return {
    report: {
      actionSet: actionSet.name,
      setting,
      depth,
      ...(missing.length === 0 ? {} : { without: missing }),
      counts: {
        generated: common + sum(positions.map((at) => at.generated - at.common)),
        distinct,
        depth: Math.max(...positions.map((at) => at.depth)),
        frontier: distinct - expanded,
      },
      seconds,
      statesPerSecond: Math.round(distinct / Math.max(seconds, 0.001)),
      rules: new Set(saved.flatMap(({ earlier }) => [...earlier.rules])),
      unspecified: Math.max(...saved.map(({ earlier }) => earlier.unspecified)),
      broken: undefined,
      ended: broken === undefined ? end : 'broken',
    },
    broken,
    missing,
    unfinished: unfinished.map(({ name }) => name),
  };
};
