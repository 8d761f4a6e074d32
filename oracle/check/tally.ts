// SPDX-License-Identifier: MIT
// What campaigns on the emulator and on kernels have in common: the seeds of their batches, and what they add up.

import type { Setting } from '../../spec/terms/platform.ts';
import { NO_VERDICTS, type VerdictKind } from '../judge/verdict.ts';
import type { JudgedProgram } from './judge-program.ts';
import type { CampaignReport, Counterexample } from './report.ts';
import type { Position } from './shard.ts';

/** The seed of a batch of programs, so that batches differ and a campaign is the same each time. */
export const seedOfBatch = (seed: number, batch: number): number =>
  (seed + Math.imul(batch, 0x9e37_79b1)) | 0;

/** What was found first, made shorter in so many steps. */
export type FirstFailure = {
  readonly counterexample: Counterexample;
  readonly at: Position;
  readonly shrinks: number;
};

/** What a campaign adds up. */
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
