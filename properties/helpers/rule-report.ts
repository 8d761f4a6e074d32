// SPDX-License-Identifier: MIT
// Which rules the suites reached: written by the last suite, printed by run.ts after the coverage.

import { join } from 'node:path';

export type RuleReport = {
  /** How many rules there are, and how many of them gave a reply in some test. */
  readonly rules: number;
  readonly reached: number;
  readonly unreachable: readonly { readonly id: string; readonly reason: string }[];
  readonly unreached: readonly string[];
};

/** Relative to the root of the checkout, where the suites run. */
export const RULE_REPORT = join('coverage', 'rules.json');
