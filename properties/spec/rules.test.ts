// Whether the suites reached every rule. Runs after every other suite.

import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_RULES } from '../../spec/rules.ts';
import { RULE_REPORT, type RuleReport } from '../helpers/rule-report.ts';
import { isWitnessed } from '../helpers/rule-witnesses.ts';
import { EXCUSES } from './unreachable-rules.ts';

const rules = suite('rules');

const excusesById = new Map<string, string>(EXCUSES.map(({ rule, reason }) => [rule, reason]));

rules('every rule is reached by a test, or it is written down why not', () => {
  const unreached = ALL_RULES.filter(({ id }) => !isWitnessed(id)).map(({ id }) => id);
  const report: RuleReport = {
    rules: ALL_RULES.length,
    reached: ALL_RULES.length - unreached.length,
    excused: unreached
      .filter((id) => excusesById.has(id))
      .map((id) => ({ id, reason: excusesById.get(id) ?? '' })),
    unreached: unreached.filter((id) => !excusesById.has(id)),
  };
  writeFileSync(RULE_REPORT, JSON.stringify(report));
  assert.equal(report.unreached, []);
});

rules('no excuse is out of date: its rule is not reached', () => {
  const stale = EXCUSES.filter(({ rule }) => isWitnessed(rule));
  assert.equal(
    stale.map(({ rule }) => rule),
    [],
  );
});

rules.run();
