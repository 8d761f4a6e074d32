// SPDX-License-Identifier: MIT
// The folder of the audit in this repository: its list names every file that the audit may replace,
// and no other.

import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LIST, OutputFolder } from '../../../oracle/files/output-folder.ts';

const FOLDER = join('docs', 'audit');

/** Files written by hand. */
const OF_OTHERS = ['README.md'];

const test = suite("the audit's folder");

test('every file there is in its list, except those written by hand', () => {
  const names = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== LIST)
    .map((entry) => relative(FOLDER, join(entry.parentPath, entry.name)));
  assert.ok(names.length > OF_OTHERS.length);
  assert.equal([...new OutputFolder(FOLDER).foreign(names)].sort(), OF_OTHERS);
});

test.run();
