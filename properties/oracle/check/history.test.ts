// SPDX-License-Identifier: MIT
// The records of Linux defects: full hashes of the fixes, a program for each, and a row for each in
// the document.

import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HISTORICAL_NAMES, historyOf } from '../../../model/emulator/defects.ts';
import { SHOWN_HISTORY } from '../../defects/shown-history.ts';

const TABLE = readFileSync('docs/historical-defects.md', 'utf8');
const ABBREVIATED = 12;

const history = suite('history');

history('there is a program for every defect', () => {
  assert.equal(SHOWN_HISTORY.map(({ defect }) => defect).sort(), [...HISTORICAL_NAMES].sort());
});

for (const name of HISTORICAL_NAMES) {
  history(`${name} is listed with its commits`, () => {
    const { fixed, introducedBy, cve, release } = historyOf(name);
    assert.match(fixed.commit, /^[0-9a-f]{40}$/);
    if (introducedBy !== undefined) assert.match(introducedBy.commit, /^[0-9a-f]{12}$/);
    if (cve !== undefined) assert.match(cve, /^CVE-\d{4}-\d{4,}$/);
    const row = TABLE.split('\n').find((line) => line.startsWith(`| \`${name}\` `)) ?? '';
    assert.ok(row.includes(fixed.commit.slice(0, ABBREVIATED)), 'the fix is not in the table');
    assert.ok(row.includes(` ${release} `), 'the release is not in the table');
    assert.ok(cve === undefined || row.includes(cve), 'the CVE is not in the table');
    assert.match(
      row,
      / \| \d+ \| (no|(all|states), [\d,]+ of [a-z0-9, ]+) \|$/,
      'what is proved of the least',
    );
  });
}

history.run();
