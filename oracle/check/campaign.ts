// A campaign: programs drawn by fast-check, run on the emulator, judged, and shrunk where one ends in a violation.

import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { FaultName } from '../../model/emulator/faults.ts';
import { type Looks, programs } from '../../model/programs/arbitrary.ts';
import { startOfProgram } from '../../model/programs/draft.ts';
import type { PathsOfCampaign } from '../../model/programs/paths.ts';
import type { Program } from '../../model/programs/program.ts';
import { smallerPrograms, startOfShrinking } from '../../model/programs/shrink.ts';
import type { Setting } from '../../spec/platform.ts';
import type { World } from '../../spec/world.ts';
import type { VerdictKind } from '../judge/verdict.ts';
import { type JudgedProgram, judgeProgram } from './judge-program.ts';
import type { CampaignReport, Counterexample } from './report.ts';

export type CampaignOptions = {
  readonly setting: Setting;
  /** Programs to run. */
  readonly runs: number;
  readonly seed: number;
  /** Operations in a program, at most. */
  readonly length: number;
  readonly looks?: Looks;
  /** Through which files the programs call VFIO; each way in some of them where it is absent. */
  readonly paths?: PathsOfCampaign;
  /** Deliberate defects of the emulator. */
  readonly faults?: ReadonlySet<FaultName>;
  readonly onProgress?: (done: { readonly runs: number; readonly calls: number }) => void;
  readonly signal?: AbortSignal;
};

/** The seed of a batch of programs, so that batches differ and a campaign is the same each time. */
export const seedOfBatch = (seed: number, batch: number): number =>
  (seed + Math.imul(batch, 0x9e37_79b1)) | 0;

/** Programs between two looks at the clock's other business: progress, and whether to stop. */
const BATCH = 50;

/** What a campaign adds up. */
export class Tally {
  runs = 0;
  calls = 0;
  readonly verdicts: Record<VerdictKind, number> = {
    conforms: 0,
    deviation: 0,
    unknown: 0,
    unspecified: 0,
    violation: 0,
  };
  readonly rules = new Map<string, number>();

  readonly knownComplaints = new Map<string, number>();

  readonly #of: Pick<CampaignReport, 'setting' | 'seed'>;

  constructor(setting: Setting, seed: number) {
    this.#of = { setting, seed };
  }

  /** So far. */
  report(
    counterexample: Counterexample | undefined,
    shrinks: number,
    interrupted: boolean,
  ): CampaignReport {
    const { runs, calls, verdicts, rules, knownComplaints } = this;
    const tallied = { runs, calls, verdicts, rules, knownComplaints };
    return { ...this.#of, ...tallied, counterexample, shrinks, interrupted };
  }

  add({ steps }: JudgedProgram): void {
    this.runs += 1;
    this.calls += steps.length;
    for (const { verdict } of steps) {
      this.verdicts[verdict.kind] += 1;
      if (verdict.kind === 'conforms' || verdict.kind === 'deviation') {
        this.rules.set(verdict.rule.id, (this.rules.get(verdict.rule.id) ?? 0) + 1);
      }
    }
  }
}

const counterexampleOf = (
  setting: Setting,
  program: Program,
  faults: ReadonlySet<FaultName> | undefined,
): Counterexample | undefined => {
  const { steps, fault } = judgeProgram(setting, program, faults);
  return fault === undefined ? undefined : { setting, program, steps, fault };
};

/** How many more programs are drawn once one failed, and how many that fail are shrunk. */
const FURTHER_PROGRAMS = 1000;
const FURTHER_FAILURES = 12;

/**
 * Shrinking takes away and simplifies, so that where it ends depends on where it began. Other programs that fail are
 * shrunk too, and a shorter one takes the place of the first.
 */
const shorterOne = (
  { setting, seed, faults }: CampaignOptions,
  arbitrary: fc.Arbitrary<Program>,
  start: World,
  found: Counterexample,
): Counterexample | undefined => {
  let shortest: Counterexample | undefined;
  let failures = 0;
  for (const program of fc.sample(arbitrary, { numRuns: FURTHER_PROGRAMS, seed: ~seed })) {
    if (judgeProgram(setting, program, faults, start).fault?.kind !== found.fault.kind) continue;
    const shrunk = shrinkProgram(setting, program, faults);
    const length = (shortest ?? found).program.length;
    if (shrunk !== undefined && shrunk.program.length < length) shortest = shrunk;
    failures += 1;
    if (failures >= FURTHER_FAILURES) break;
  }
  return shortest;
};

/** Runs the programs that the seed gives, until one ends in a violation; that one is shrunk. */
export const runCampaign = async (options: CampaignOptions): Promise<CampaignReport> => {
  const { setting, runs, seed, length, looks, paths, faults, onProgress, signal } = options;
  const start = startOfProgram(setting);
  const arbitrary = programs(setting, length, looks, paths);
  const tally = new Tally(setting, seed);
  for (let done = 0; done < runs; done += BATCH) {
    if (signal?.aborted === true) return tally.report(undefined, 0, true);
    let failed = false;
    const property = fc.property(arbitrary, (program) => {
      const judged = judgeProgram(setting, program, faults, start);
      // What shrinking tries is not part of the campaign.
      if (!failed) tally.add(judged);
      failed ||= judged.fault !== undefined;
      return judged.fault === undefined;
    });
    const details = fc.check(property, {
      seed: seedOfBatch(seed, done / BATCH),
      numRuns: Math.min(BATCH, runs - done),
    });
    if (details.counterexample !== null) {
      const [program] = details.counterexample;
      const found = counterexampleOf(setting, program, faults);
      const shorter =
        found === undefined ? undefined : shorterOne(options, arbitrary, start, found);
      return tally.report(shorter ?? found, details.numShrinks, false);
    }
    onProgress?.({ runs: tally.runs, calls: tally.calls });
    await setImmediate();
  }
  return tally.report(undefined, 0, false);
};

/**
 * The shortest program that still ends in a violation, as far as taking away and simplifying finds one. Undefined where
 * this one ends in none.
 */
export const shrinkProgram = (
  setting: Setting,
  program: Program,
  faults?: ReadonlySet<FaultName>,
): Counterexample | undefined => {
  const start = startOfProgram(setting);
  const fails = (candidate: Program): boolean =>
    judgeProgram(setting, candidate, faults, start).fault !== undefined;
  if (!fails(program)) return undefined;
  let best = program;
  let progress = startOfShrinking(program.length);
  for (;;) {
    let smaller: { readonly program: Program; readonly progress: typeof progress } | undefined;
    for (const candidate of smallerPrograms(best, progress)) {
      if (fails(candidate.program)) {
        smaller = candidate;
        break;
      }
    }
    if (smaller === undefined) return counterexampleOf(setting, best, faults);
    best = smaller.program;
    progress = smaller.progress;
  }
};
