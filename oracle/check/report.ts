// SPDX-License-Identifier: MIT
// What a campaign found: data, from which the texts are made.

import type { Program } from '../../model/programs/program.ts';
import type { Step } from '../../model/programs/run.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Verdict, VerdictCounts } from '../judge/verdict.ts';
import type { HiddenDifference } from './hidden.ts';
import type { Position } from './shard.ts';

/** A call of a program with its verdict. */
export type JudgedStep = { readonly step: Step; readonly verdict: Verdict };

/** What is wrong with a run: a reply, or what no reply shows, at the end of the program. */
export type Failure =
  | { readonly kind: 'reply'; readonly verdict: Extract<Verdict, { kind: 'violation' }> }
  | { readonly kind: 'hidden'; readonly differences: readonly HiddenDifference[] }
  /** What the kernel said of itself: a warning is a violation even where the replies conform. */
  | { readonly kind: 'complaint'; readonly lines: readonly string[] }
  /** The machine died or hung. */
  | { readonly kind: 'death'; readonly said: string };

/** A program that ends in a violation. */
export type Counterexample = {
  readonly setting: Setting;
  readonly program: Program;
  /** The calls as far as they were judged; the last one is the violation, unless it is hidden or killed the kernel. */
  readonly steps: readonly JudgedStep[];
  readonly failure: Failure;
};

/**
 * The program up to what shows its failure. Of a call that killed the kernel there is no step, and it may have been the
 * closing behind the last one: then nothing is cut off.
 */
export const upToFailure = (
  program: Program,
  {
    steps,
    failure,
  }: { readonly steps: readonly JudgedStep[]; readonly failure: Failure | undefined },
): Program => (failure?.kind === 'death' ? program : program.slice(0, steps.length));

export type CampaignReport = {
  readonly setting: Setting;
  readonly seed: number;
  /** Programs that were run, and calls in them. */
  readonly runs: number;
  readonly calls: number;
  /** Programs that ended in a violation: at most one, unless a shard went on. */
  readonly failing: number;
  readonly verdicts: VerdictCounts;
  /** How often each rule gave the reply, by the rule's id. */
  readonly rules: ReadonlyMap<string, number>;
  /** What the shortest program shows, where one was found; with the count of shrinking steps that it took. */
  readonly counterexample: Counterexample | undefined;
  /** The position of the first program that ended in a violation. */
  readonly at: Position | undefined;
  readonly shrinks: number;
  /** Complaints of the kernel that are known deviations of the release, by their id. */
  readonly knownComplaints: ReadonlyMap<string, number>;
  /** Stopped from outside before every run was made. */
  readonly interrupted: boolean;
};
