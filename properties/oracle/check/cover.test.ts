// SPDX-License-Identifier: MIT
// The rules listed as unreachable for generated programs exist, and no program reaches them. The
// pictures have every rule.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { expectationsOf, programs } from '../../../model/arbitrary.ts';
import { coverOf } from '../../../oracle/check/cover.ts';
import { NEVER, whyNotIn } from '../../../oracle/check/unreachable.ts';
import { coverHtml, coverSvg } from '../../../oracle/report/cover/cover-picture.ts';
import { coverText } from '../../../oracle/report/cover/cover-text.ts';
import { PLAIN } from '../../../oracle/text/palette.ts';
import { ALL_RULES } from '../../../spec/rules.ts';
import type { Setting } from '../../../spec/terms/platform.ts';
import { INNER_SETTINGS, nameOf, SETTINGS, settingOf } from '../../helpers/settings.ts';

const PROGRAMS = 150;

const rulesReached = (setting: Setting, guided: boolean): ReadonlyMap<string, number> => {
  const rules = new Map<string, number>();
  const generated = fc.sample(programs(setting, 40, { guided }), { numRuns: PROGRAMS, seed: 5 });
  for (const program of generated) {
    for (const { rule } of expectationsOf(program) ?? []) {
      if (rule !== undefined) rules.set(rule.id, (rules.get(rule.id) ?? 0) + 1);
    }
  }
  return rules;
};

const cover = suite('cover');

const ALL_SETTINGS = [
  ...SETTINGS,
  ...INNER_SETTINGS,
  settingOf('mdev'),
  settingOf('mdev', undefined, '6.12.95'),
];

for (const setting of ALL_SETTINGS) {
  cover(`${nameOf(setting)}: no rule listed as unreachable is reached`, () => {
    for (const guided of [false, true]) {
      const reached = rulesReached(setting, guided);
      const wrong = ALL_RULES.filter(
        (rule) => reached.has(rule.id) && whyNotIn(rule, setting) !== undefined,
      );
      assert.equal(
        wrong.map(({ id }) => id),
        [],
      );
    }
  });
}

cover('guided programs meet more pairs of rules, and the same ones each time', () => {
  const setting = settingOf('mixed');
  const pairs = (guided: boolean): number => {
    const met = new Set<string>();
    for (const program of fc.sample(programs(setting, 40, { guided }), { numRuns: 400, seed: 3 })) {
      const rules = (expectationsOf(program) ?? []).map(({ rule }) => rule?.id);
      rules.forEach((rule, index) => {
        met.add(`${rules[index - 1]} ${rule}`);
      });
    }
    return met.size;
  };
  const [guided, again, unguided] = [pairs(true), pairs(true), pairs(false)];
  assert.ok(guided > unguided, `${guided} and ${unguided}`);
  assert.is(guided, again);
});

cover('the table and the pictures have every rule, and add up', () => {
  const setting = settingOf('mock');
  const found = coverOf([{ setting, rules: rulesReached(setting, false) }]);
  assert.is(found.reached + found.missed + found.unreachable, ALL_RULES.length);
  assert.ok(found.unreachable > Object.keys(NEVER).length, 'a platform without devices');
  for (const picture of [coverSvg(found), coverHtml(found)]) {
    assert.is(picture.match(/<title>[^<]+ \(/g)?.length, ALL_RULES.length);
  }
  const text = coverText(found, PLAIN).join('\n');
  assert.match(text, /^ {2}maps +granted +\d+ {2}#+$/m);
  assert.match(text, /the platform has no device for a group/);
});

cover.run();
