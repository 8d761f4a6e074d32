// SPDX-License-Identifier: MIT
// iommufd-spec audit --render: makes files from a record, and reports a record that is missing or
// has other answers.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LIST } from '../../../oracle/files/output-folder.ts';
import { type Finished, runHere } from '../../harness/command-line.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-'));
const RECORD = '7.3.4.jsonl';
/** The header, the search, and one program. */
const LINES = readFileSync(join('docs', 'audit', RECORD), 'utf8')
  .split('\n')
  .slice(0, 3);

const render = (folder: string, ...more: readonly string[]): Promise<Finished> =>
  runHere('.', 'audit', '--render', '--output', folder, ...more);

const folderWith = (name: string, lines: readonly string[]): string => {
  const folder = join(FOLDER, name);
  mkdirSync(folder);
  writeFileSync(join(folder, RECORD), `${lines.join('\n')}\n`);
  writeFileSync(join(folder, LIST), `${RECORD}\n`);
  return folder;
};

const test = suite('audit --render');

test.after(() => rmSync(FOLDER, { recursive: true }));

test('a record becomes pages and C files, and stays as it is', async () => {
  const folder = folderWith('whole', LINES);
  const { status, out, error } = await render(folder);
  assert.is(status, 0, error);
  assert.match(out, /^wrote .*7\.3\.4\.md$/m);
  const made = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  assert.equal(
    made.filter((name) => !name.endsWith('.c')).sort(),
    [LIST, '7.3.4.html', RECORD, '7.3.4.md', 'rows', 'rows.jsonl', 'rows/audit.h'].sort(),
  );
  assert.is(made.filter((name) => name.endsWith('.c')).length, 1);
  assert.is(readFileSync(join(folder, RECORD), 'utf8'), `${LINES.join('\n')}\n`);
});

test('a record with other answers ends it with its line, and nothing is written', async () => {
  const [header = '', search = '', entry = ''] = LINES;
  const other = entry.replace(/"answers":\[[^\]]*\]/, '"answers":["0","0"]');
  const folder = folderWith('other', [header, search, other]);
  const { status, error } = await render(folder);
  assert.is(status, 2);
  assert.match(error, /7\.3\.4\.jsonl:3: the answers are .*; run the audit again/);
  assert.equal(readdirSync(folder).sort(), [LIST, RECORD].sort());
});

test('a folder without a record, or with options of a search, is bad use', async () => {
  mkdirSync(join(FOLDER, 'none'));
  const { status, error } = await render(join(FOLDER, 'none'));
  assert.is(status, 2);
  assert.match(error, /There is no record of an audit in .*none/);
  assert.is((await render(FOLDER, '--json')).status, 2);
});

test.run();
