// SPDX-License-Identifier: MIT
// Counts which pairs of rules decided two calls in a row, so that the generator can avoid frequent
// refusals. It depends only on the programs generated before: a seed gives the same programs.

import type { Expectation, ProgramBuilder } from '../programs/builder.ts';

/** A refusal that followed the same rule so often is stale. */
const OFTEN = 3;

const ruleOf = (expectation: Expectation | undefined): string => expectation?.rule?.id ?? '';

export class Novelty {
  readonly #seen = new Map<string, number>();

  #pair({ expectations }: ProgramBuilder, index: number): string {
    return `${ruleOf(expectations[index - 1])} > ${ruleOf(expectations[index])}`;
  }

  /** Whether the operation at `index` is refused by a rule that has often followed the one before. */
  isStale(builder: ProgramBuilder, index: number): boolean {
    if (builder.expectations[index]?.rule?.errno === undefined) return false;
    return (this.#seen.get(this.#pair(builder, index)) ?? 0) >= OFTEN;
  }

  /** Counts the operations from index `index`. */
  record(builder: ProgramBuilder, index: number): void {
    for (let at = index; at < builder.expectations.length; at += 1) {
      const pair = this.#pair(builder, at);
      this.#seen.set(pair, (this.#seen.get(pair) ?? 0) + 1);
    }
  }
}
