// SPDX-License-Identifier: MIT
// Programs generated at random, on both sides, with values that the exhaustive search does not try. An operation after which
// the sides differ is noted and left out, so that the rest of the program starts from equal states.

import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { programs } from '../../model/arbitrary.ts';
import type { Operation, Program } from '../../model/programs/program.ts';
import { seedOfBatch } from '../check/tally.ts';
import type { AuditedRelease } from '../emit/audited-releases.ts';
import { nativeName } from '../emit/c-names.ts';
import { causesOf, type Differences, noteDifferences } from './differences.ts';
import { type Located, settingOn, startBetween, startOn } from './located.ts';
import type { Pair } from './pair.ts';
import { SCENARIOS, type Scenario } from './platforms.ts';

/** The start and the programs of each scenario. */
export type RandomSides = {
  readonly startOn: (scenario: Scenario) => Pair;
  readonly arbitrary: (scenario: Scenario) => fc.Arbitrary<Program>;
};

export type RandomOptions = RandomSides & {
  /** Programs to generate. */
  readonly runs: number;
  readonly seed: number;
  /** Keys of known causes. */
  readonly known: ReadonlySet<string>;
  /** Resolves to false to end the search. */
  readonly watch?: (done: number) => Promise<boolean>;
};

export type RandomSearched = {
  readonly runs: number;
  readonly operations: number;
  /** Operations that a side does not specify. */
  readonly undecided: number;
  /** Differences, counted each time they were found. */
  readonly differences: number;
  /** Their causes, including known ones. */
  readonly causes: number;
  /** New causes, each with its shortest program. */
  readonly found: readonly Located[];
};

/** Operations in a generated program, at most. */
const LENGTH = 40;
const BATCH = 50;

/** The scenarios with requests; the others have the same settings. */
const RANDOM_SCENARIOS: readonly Scenario[] = SCENARIOS.filter(
  ({ actionsAlone }) => actionsAlone !== true,
);

/** A native call that reads what an earlier call left in memory, such as descriptor numbers, which may differ. */
const readsLeftovers = (operation: Operation): boolean =>
  operation.op === 'ioctl' &&
  operation.argument.kind === 'plain' &&
  nativeName(operation.command) !== undefined;

/** The pair after the operation; the pair before it if the sides then differ, or if one does not specify it. */
const followed = (
  pair: Pair,
  operation: Operation,
  differences: Differences,
): { readonly pair: Pair; readonly isUndecided: boolean } => {
  const next = pair.fork();
  const outcome = noteDifferences(next, operation, differences);
  const isKept = outcome !== 'diverged' && outcome !== 'undecided';
  return { pair: isKept ? next : pair, isUndecided: outcome === 'undecided' };
};

const shows = (sides: RandomSides, { scenario, key }: Located, program: Program): boolean => {
  const pair = sides.startOn(scenario);
  for (const operation of program.slice(0, -1)) pair.add(operation);
  const last = program.at(-1);
  return last !== undefined && causesOf(pair, last).some((cause) => cause.key === key);
};

/** Removes the operations that the cause does not need. */
const shortened = (sides: RandomSides, found: Located): Located => {
  const prologue = found.scenario.prologue.length;
  let program = found.program.slice(prologue);
  // Repeats until nothing can be removed: removing one operation may allow removing an earlier or later one.
  for (let length = program.length + 1; program.length < length; ) {
    length = program.length;
    for (let index = length - 2; index >= 0; index -= 1) {
      const shorter = program.toSpliced(index, 1);
      if (shows(sides, found, shorter)) program = shorter;
    }
  }
  return { ...found, program: [...found.scenario.prologue, ...program] };
};

type RunCounts = { operations: number; undecided: number };

const runOn = (
  start: Pair,
  generated: readonly Program[],
  differences: Differences,
  ran: RunCounts,
): void => {
  for (const program of generated) {
    let pair = start.fork();
    for (const operation of program) {
      if (readsLeftovers(operation) || operation.op === 'status') continue;
      const next = followed(pair, operation, differences);
      pair = next.pair;
      ran.operations += 1;
      if (next.isUndecided) ran.undecided += 1;
    }
  }
};

/** Programs on both containers of a release. */
export const onContainers = (release: AuditedRelease): RandomSides => ({
  startOn: (scenario) => startOn(release, scenario),
  arbitrary: (scenario) =>
    programs(settingOn(release, scenario), LENGTH, {
      probes: { transfersIn: 0 },
      paths: 'legacy',
    }),
});

/** Programs of native and VFIO calls on an iommufd, in two releases. */
export const onReleases = (earlier: AuditedRelease, later: AuditedRelease): RandomSides => ({
  startOn: (scenario) => startBetween(earlier, later, scenario, 'compat'),
  arbitrary: (scenario) =>
    programs(settingOn(earlier, scenario), LENGTH, {
      probes: { transfersIn: 0 },
      paths: 'iommufd',
    }),
});

/** Deterministic: the same seed finds the same causes with the same programs. */
export const randomSearch = async (options: RandomOptions): Promise<RandomSearched> => {
  const { startOn, arbitrary, runs, seed, known, watch } = options;
  const noted = RANDOM_SCENARIOS.map((): Differences => new Map());
  const ran: RunCounts = { operations: 0, undecided: 0 };
  let done = 0;
  for (let batch = 0; done < runs; batch += 1) {
    const nth = batch % RANDOM_SCENARIOS.length;
    const [scenario, differences] = [RANDOM_SCENARIOS[nth] as Scenario, noted[nth] as Differences];
    const numRuns = Math.min(BATCH, runs - done);
    const generated = fc.sample(arbitrary(scenario), { numRuns, seed: seedOfBatch(seed, batch) });
    runOn(startOn(scenario), generated, differences, ran);
    done += numRuns;
    await setImmediate();
    if ((await watch?.(done)) === false) break;
  }
  const all = new Map<string, Located>();
  let differences = 0;
  for (const [nth, on] of noted.entries()) {
    for (const one of on.values()) {
      differences += one.count;
      const there = all.get(one.key);
      if (there !== undefined && there.program.length <= one.program.length) continue;
      all.set(one.key, { ...one, scenario: RANDOM_SCENARIOS[nth] as Scenario });
    }
  }
  const found = [...all.values()].filter(({ key }) => !known.has(key));
  return {
    runs: done,
    ...ran,
    differences,
    causes: all.size,
    found: found.map((one) => ({ ...shortened(options, one), isGenerated: true })),
  };
};
