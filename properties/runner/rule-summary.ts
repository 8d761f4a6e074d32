// SPDX-License-Identifier: MIT
// Which rules the suites reached, as lines for people.

import { readFileSync } from 'node:fs';
import { RULE_REPORT, type RuleReport } from '../helpers/rule-report.ts';

/** What the last suite wrote of them. */
export const ruleSummary = (): string => {
  const { rules, reached, unreachable, unreached }: RuleReport = JSON.parse(
    readFileSync(RULE_REPORT, 'utf8'),
  );
  const whole = unreachable.length + unreached.length === 0 ? ', which is all' : '';
  return [
    `rules: ${reached} of ${rules} reached${whole}`,
    ...unreachable.map(({ id, reason }) => `  not reached: ${id}, as ${reason}`),
    ...unreached.map((id) => `  NOT REACHED: ${id}`),
    '',
  ].join('\n');
};
