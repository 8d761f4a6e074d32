// SPDX-License-Identifier: MIT
// Whether the suites reached every rule. Runs after every other suite.

import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_RULES } from '../../spec/rules.ts';
import { isReached } from '../helpers/reached-rules.ts';
import { RULE_REPORT, type RuleReport } from '../helpers/rule-report.ts';
import { UNREACHABLE_RULES } from './unreachable-rules.ts';

const rules = suite('rules');

const unreachableById = new Map<string, string>(
  UNREACHABLE_RULES.map(({ rule, reason }) => [rule, reason]),
);

rules('every rule is reached by a test, or listed with the reason', () => {
  const unreached = ALL_RULES.filter(({ id }) => !isReached(id)).map(({ id }) => id);
  const report: RuleReport = {
    rules: ALL_RULES.length,
    reached: ALL_RULES.length - unreached.length,
    unreachable: unreached
      .filter((id) => unreachableById.has(id))
      .map((id) => ({ id, reason: unreachableById.get(id) ?? '' })),
    unreached: unreached.filter((id) => !unreachableById.has(id)),
  };
  writeFileSync(RULE_REPORT, JSON.stringify(report));
  assert.equal(report.unreached, []);
});

rules('no listed rule is reached after all', () => {
  const stale = UNREACHABLE_RULES.filter(({ rule }) => isReached(rule));
  assert.equal(
    stale.map(({ rule }) => rule),
    [],
  );
});

rules.run();
