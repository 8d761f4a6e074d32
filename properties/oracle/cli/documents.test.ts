// SPDX-License-Identifier: MIT
// docs/safety.md names the test of each claim: a test that is renamed or removed must be renamed
// there, too.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const SELF = 'documents.test.ts';

const files = readdirSync('properties', { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.test.ts') && !file.endsWith(SELF),
);
const sources = files
  .map((file) => readFileSync(join('properties', file), 'utf8').replaceAll("\\'", "'"))
  .join('\n');

const safety = readFileSync(join('docs', 'safety.md'), 'utf8').replaceAll(/\s+/g, ' ');

const documents = suite('documents');

documents('docs/safety.md quotes names of tests that exist', () => {
  const quoted = [...safety.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name);
  assert.ok(quoted.length > 40, `${quoted.length}`);
  assert.equal(
    quoted.filter((name) => !sources.includes(name)),
    [],
  );
});

documents('docs/safety.md names files of tests that exist', () => {
  const named = [...safety.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, file = '']) => file);
  const isThere = (name: string): boolean =>
    files.some((file) => join('properties', file).endsWith(`/${name}`) || file === name);
  assert.equal(
    named.filter((name) => !isThere(name.replace(/^properties\//, ''))),
    [],
  );
});

documents.run();
