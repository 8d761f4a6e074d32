// SPDX-License-Identifier: MIT
// Shared by campaigns on the emulator and on kernels: the seeds of batches, and the counts.

import type { Setting } from '../../spec/terms/platform.ts';
import { NO_VERDICTS, type VerdictKind } from '../judge/verdict.ts';
import type { JudgedProgram } from './judge-program.ts';
import type { CampaignReport, Counterexample } from './report.ts';
import type { Position } from './shard.ts';

/** The seed of a batch: batches differ, and a campaign is deterministic. */
export const seedOfBatch = (seed: number, batch: number): number =>
  (seed + Math.imul(batch, 0x9e37_79b1)) | 0;

/** The first failure, and the number of steps that shrunk it. */
export type FirstFailure = {
  readonly counterexample: Counterexample;
  readonly at: Position;
  readonly shrinks: number;
};

/** The counts of a campaign. */
export class Tally {
  runs = 0;
  failing = 0;
  calls = 0;
  readonly verdicts: Record<VerdictKind, number> = { ...NO_VERDICTS };
  readonly rules = new Map<string, number>();

  readonly knownComplaints = new Map<string, number>();

  readonly #of: Pick<CampaignReport, 'setting' | 'seed'>;

  constructor(setting: Setting, seed: number) {
    this.#of = { setting, seed };
  }

  /** So far. */
  report(found: FirstFailure | undefined, interrupted: boolean): CampaignReport {
    const { runs, failing, calls, verdicts, rules, knownComplaints } = this;
    const tallied = { runs, failing, calls, verdicts, rules, knownComplaints };
    const { counterexample, at, shrinks = 0 } = found ?? {};
    return { ...this.#of, ...tallied, counterexample, at, shrinks, interrupted };
  }

  add({ steps, failure }: Pick<JudgedProgram, 'failure' | 'steps'>): void {
    this.runs += 1;
    if (failure !== undefined) this.failing += 1;
    this.calls += steps.length;
    for (const { verdict } of steps) {
      this.verdicts[verdict.kind] += 1;
      if (verdict.kind === 'conforms' || verdict.kind === 'deviation') {
        this.rules.set(verdict.rule.id, (this.rules.get(verdict.rule.id) ?? 0) + 1);
      }
    }
  }
}
