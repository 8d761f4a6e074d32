// SPDX-License-Identifier: MIT
// docs/reference.md is up to date with the rules.

import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rulesMarkdown } from '../../../oracle/report/rules-text.ts';
import { ALL_RULES } from '../../../spec/rules.ts';

const reference = suite('reference');

reference('docs/reference.md is up to date (iommufd-spec rules --markdown makes it)', () => {
  const written = readFileSync('docs/reference.md', 'utf8').trimEnd().split('\n');
  const made = rulesMarkdown().join('\n').trimEnd().split('\n');
  const stale = made.findIndex((line, index) => line !== written[index]);
  assert.is(stale, -1, `line ${stale + 1} is "${written[stale]}" and should be "${made[stale]}"`);
  assert.is(written.length, made.length);
});

reference('it has every rule', () => {
  const text = rulesMarkdown().join('\n');
  const missing = ALL_RULES.filter(({ says }) => !text.includes(says.replaceAll('|', '\\|')));
  assert.equal(
    missing.map(({ id }) => id),
    [],
  );
});

reference.run();
