// SPDX-License-Identifier: MIT
// The result of a campaign, as data.

import type { Program } from '../../model/programs/program.ts';
import type { Step } from '../../model/programs/run.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Verdict, VerdictCounts } from '../judge/verdict.ts';
import type { HiddenDifference } from './hidden.ts';
import type { Position } from './shard.ts';

/** A call of a program with its verdict. */
export type JudgedStep = { readonly step: Step; readonly verdict: Verdict };

/** The failure of a run: a reply, or hidden state at the end of the program. */
export type Failure =
  | { readonly kind: 'reply'; readonly verdict: Extract<Verdict, { kind: 'violation' }> }
  | { readonly kind: 'hidden'; readonly differences: readonly HiddenDifference[] }
  /** The kernel's log: a warning is a violation even if the replies conform. */
  | { readonly kind: 'complaint'; readonly lines: readonly string[] }
  /** The machine died or hung. */
  | { readonly kind: 'death'; readonly said: string };

/** A program that ends in a violation. */
export type Counterexample = {
  readonly setting: Setting;
  readonly program: Program;
  /** The judged calls; the last one is the violation, unless the failure is hidden or the kernel died. */
  readonly steps: readonly JudgedStep[];
  readonly failure: Failure;
};

/**
 * The program up to its failure. A call that killed the kernel has no step. If closing the files after the last call
 * killed it, nothing is cut off.
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
  /** Programs that ended in a violation: at most one, except in a shard, which continues. */
  readonly failing: number;
  readonly verdicts: VerdictCounts;
  /** How often each rule gave the reply, by the rule's id. */
  readonly rules: ReadonlyMap<string, number>;
  /** The shortest counterexample, if there is one, and the count of shrinking steps. */
  readonly counterexample: Counterexample | undefined;
  /** The position of the first program that ended in a violation. */
  readonly at: Position | undefined;
  readonly shrinks: number;
  /** Complaints of the kernel that are known deviations of the release, by their id. */
  readonly knownComplaints: ReadonlyMap<string, number>;
  /** Stopped by a signal before all runs were done. */
  readonly interrupted: boolean;
};
