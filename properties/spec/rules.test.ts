// The rules as the reference prints them, and whether the suites reached them all. Runs after every other suite.

import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_RULES, partsUsedBy, releasesOf, SECTIONS } from '../../spec/rules.ts';
import { RULE_REPORT, type RuleReport } from '../helpers/rule-report.ts';
import { isWitnessed } from '../helpers/rule-witnesses.ts';
import { EXCUSES } from './excuses.ts';

const rules = suite('rules');

rules('every rule has an id of its own', () => {
  const ids = ALL_RULES.map(({ id }) => id);
  assert.equal([...new Set(ids)].length, ids.length);
});

rules('every rule is one sentence, with a full stop at its end', () => {
  const wrong = ALL_RULES.filter(({ says }) => !/^\w.*[^.]\.$/.test(says));
  assert.equal(
    wrong.map(({ id, says }) => `${id}: ${says}`),
    [],
  );
});

const KERNEL_FILE = /\b(?:drivers|mm|include|fs|kernel)\/[\w/-]+\.[ch]\b/;
const MANUAL_PAGE = /\b\w+\([123]\)/;

rules('every rule names a file of the kernel or a manual page as its source', () => {
  const wrong = ALL_RULES.filter(
    ({ source }) => !KERNEL_FILE.test(source) && !MANUAL_PAGE.test(source),
  );
  assert.equal(
    wrong.map(({ id, source }) => `${id}: ${source}`),
    [],
  );
});

rules('positions count the rules of a part from 1', () => {
  for (const { parts } of SECTIONS) {
    for (const part of parts) {
      assert.equal(
        part.rules.map(({ position }) => position),
        [...part.rules.keys()].map((index) => index + 1),
      );
    }
  }
});

rules('the parts that a part uses exist', () => {
  const parts = new Set(ALL_RULES.map(({ part }) => part));
  for (const part of parts) {
    for (const used of partsUsedBy(part)) assert.ok(parts.has(used), `${part} uses ${used}`);
  }
});

rules('a call that one release does not have is known as such', () => {
  assert.equal(releasesOf('IOMMU_IOAS_MAP_FILE'), ['7.3.4']);
  assert.equal(releasesOf('IOMMU_IOAS_MAP'), undefined);
});

const excusesById = new Map(EXCUSES.map(({ rule, reason }) => [rule, reason]));

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

rules('no excuse is out of date: its rule exists and is not reached', () => {
  const ids = new Set(ALL_RULES.map(({ id }) => id));
  const stale = EXCUSES.filter(({ rule }) => !ids.has(rule) || isWitnessed(rule));
  assert.equal(
    stale.map(({ rule }) => rule),
    [],
  );
});

rules.run();
