// SPDX-License-Identifier: MIT
// A campaign: programs drawn by fast-check, run on the emulator, judged, and shrunk where one ends in a violation.

import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { type GenerateOptions, programs } from '../../model/arbitrary.ts';
import type { DefectName } from '../../model/emulator/defects.ts';
import { startOfProgram } from '../../model/programs/builder.ts';
import type { Program } from '../../model/programs/program.ts';
import type { World } from '../../spec/state/world.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { judgeProgram } from './judge-program.ts';
import type { CampaignReport } from './report.ts';
import { isOfShard, type Position, type Shard } from './shard.ts';
import { Pauses, type Shrunk, shrunkProgram } from './shrink-program.ts';
import { breakTheSame, type Symptom, symptomOf } from './symptom.ts';
import { seedOfBatch, Tally } from './tally.ts';

export type CampaignOptions = GenerateOptions & {
  readonly setting: Setting;
  /** Programs to run. */
  readonly runs: number;
  readonly seed: number;
  /** Operations in a program, at most. */
  readonly length: number;
  /** A violation of so few calls is short enough: no other programs are shrunk beside it. */
  readonly enough?: number;
  /** The part of the programs that is run; all where absent. */
  readonly shard?: Shard;
  /** Deliberate defects of the emulator. */
  readonly defects?: ReadonlySet<DefectName>;
  readonly onProgress?: (done: { readonly runs: number; readonly calls: number }) => void;
  /** Ends it behind the batch of programs that it is at. */
  readonly signal?: AbortSignal;
  /** Ends the shrinking, too, with the shortest program until then. */
  readonly interrupted?: AbortSignal;
};

/** Programs between two looks at the clock's other business: progress, and whether to stop. */
const BATCH = 50;

/** How many more programs are generated once one failed, and how many that fail are shrunk. */
const FURTHER_PROGRAMS = 1000;
const FURTHER_FAILURES = 12;

/**
 * Shrinking takes away and simplifies, so that where it ends depends on where it began. Other programs that break the same
 * rule are shrunk too, each to the shortest that shows what it showed, and a shorter one takes the place of the first.
 */
const shortestOf = async (
  { setting, seed, defects, length, probes, paths, interrupted, enough = 0 }: CampaignOptions,
  start: World,
  { shrinks, ...found }: Shrunk,
): Promise<Shrunk> => {
  const pauses = new Pauses();
  let shortest = found.counterexample;
  let failures = 0;
  const isEnough = (): boolean => failures >= FURTHER_FAILURES || shortest.program.length <= enough;
  if (isEnough()) return { counterexample: shortest, shrinks };
  // Generates one program after the other, as many as it takes.
  const further = fc.asyncProperty(
    programs(setting, length, { probes, paths }),
    async (program) => {
      await pauses.now();
      if (interrupted?.aborted === true) return false;
      const { failure } = judgeProgram(setting, program, defects, start);
      if (failure === undefined || !breakTheSame(failure, found.counterexample.failure))
        return true;
      const shrunk = await shrunkProgram(setting, program, defects, undefined, interrupted);
      const other = shrunk?.counterexample;
      if (other !== undefined && other.program.length < shortest.program.length) shortest = other;
      failures += 1;
      return !isEnough();
    },
  );
  const options = { numRuns: FURTHER_PROGRAMS, seed: ~seed, endOnFailure: true };
  const ended = await fc.check(further, options);
  // What ends it beside a last failure and an interrupt is an error that judging threw.
  const isEnded = isEnough() || interrupted?.aborted === true;
  if (ended.failed && !isEnded) throw ended.errorInstance;
  return { counterexample: shortest, shrinks };
};

/**
 * Runs the programs that the seed gives, until one ends in a violation; that one is shrunk. A shard runs all of its
 * programs, as the others do not know of its violation, and shrinks the first that fails.
 */
export const runCampaign = async (options: CampaignOptions): Promise<CampaignReport> => {
  const { setting, runs, seed, length, shard, defects, onProgress, signal, interrupted } = options;
  const start = startOfProgram(setting);
  const arbitrary = programs(setting, length, options);
  const tally = new Tally(setting, seed);
  let first:
    | { readonly program: Program; readonly at: Position; readonly symptom: Symptom }
    | undefined;
  const report = async (isInterrupted: boolean): Promise<CampaignReport> => {
    if (first === undefined) return tally.report(undefined, isInterrupted);
    const { program, at, symptom } = first;
    const shrunk = await shrunkProgram(setting, program, defects, symptom, interrupted);
    if (shrunk === undefined) return tally.report(undefined, isInterrupted);
    const shortest = await shortestOf(options, start, shrunk);
    return tally.report({ ...shortest, at }, isInterrupted || interrupted?.aborted === true);
  };
  for (let batch = 0; batch * BATCH < runs; batch += 1) {
    if (signal?.aborted === true) return report(true);
    if (!isOfShard(batch, shard)) continue;
    const numRuns = Math.min(BATCH, runs - batch * BATCH);
    const generated = fc.sample(arbitrary, { numRuns, seed: seedOfBatch(seed, batch) });
    for (const [index, program] of generated.entries()) {
      const judged = judgeProgram(setting, program, defects, start);
      tally.add(judged);
      if (judged.failure === undefined) continue;
      first ??= { program, at: { batch, index }, symptom: symptomOf(judged.failure) };
      if (shard === undefined) return report(false);
    }
    onProgress?.({ runs: tally.runs, calls: tally.calls });
    await setImmediate();
  }
  return report(false);
};
