// SPDX-License-Identifier: MIT
// Which pairs of rules have answered two calls in a row, so that the generator can pass over a refusal that would only repeat
// what happened often. It depends on nothing but the programs generated before: a seed gives the same programs again.

import type { Expectation, ProgramBuilder } from '../programs/builder.ts';

/** A refusal that followed the same rule so often teaches nothing more. */
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

  /** Remembers the operations from `index` on. */
  see(builder: ProgramBuilder, index: number): void {
    for (let at = index; at < builder.expectations.length; at += 1) {
      const pair = this.#pair(builder, at);
      this.#seen.set(pair, (this.#seen.get(pair) ?? 0) + 1);
    }
  }
}
