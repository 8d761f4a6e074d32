// SPDX-License-Identifier: MIT
// The records of audits: read back as they were written; refused if they are not records, or if the
// specification gives other answers.

import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AuditRecord,
  type Entry,
  recordOf,
  recordText,
} from '../../../oracle/audit/record.ts';
import { auditOf, keepingConfirmed, recordOfAudit } from '../../../oracle/audit/recorded.ts';
import { reproducedOf, reproducedText } from '../../../oracle/audit/reproduced.ts';

const test = suite('audit record');

const read = (name: string): string => readFileSync(`docs/audit/${name}`, 'utf8');
const RECORD = recordOf('7.3.4.jsonl', read('7.3.4.jsonl'));

/** The record with only the first entry of its first search, changed. */
const withEntry = (change: (entry: Entry) => Entry): AuditRecord => {
  const [search] = RECORD.searches;
  const [entry] = search?.entries ?? [];
  if (search === undefined || entry === undefined) throw new Error('The record is empty.');
  return { ...RECORD, searches: [{ ...search, entries: [change(entry)] }] };
};

const messageOf = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error('Nothing was thrown.');
};

test('records are read as they were written', () => {
  for (const name of ['6.12.95.jsonl', '7.3.4.jsonl']) {
    assert.ok(recordText(recordOf(name, read(name))) === read(name), name);
  }
  assert.ok(reproducedText(reproducedOf('rows.jsonl', read('rows.jsonl'))) === read('rows.jsonl'));
});

test('programs reproduce the record that has them', () => {
  const audit = auditOf('7.3.4.jsonl', RECORD);
  assert.ok(recordText(recordOfAudit(audit)) === recordText(RECORD));
});

test('a file that is not a record is refused with its line', () => {
  const [header = '', search = '', entry = ''] = recordText(withEntry((one) => one)).split('\n');
  const refused = (...lines: readonly string[]): string =>
    messageOf(() => recordOf('f', lines.join('\n')));
  assert.match(refused(''), /^f:1: this line is empty/);
  assert.match(refused('{"format":"iommufd-trace","version":1}'), /^f:1: "format" is not/);
  assert.match(refused(header.replace('"version":1', '"version":2')), /version 2 is not supported/);
  assert.match(
    refused(header.replace('7.3.4', '7.3')),
    /^f:1: "releases" has a release other than/,
  );
  assert.match(refused(header, entry), /^f:2: there is no search before this entry/);
  assert.match(
    refused(header, search, entry.slice(0, 100)),
    /^f:3: this is not a line of JSON; .*cut/,
  );
  assert.match(
    refused(header, search, entry.replace('"count"', '"counts"')),
    /^f:3: "counts" is no/,
  );
});

test('a record of other answers, differences and scenarios than the specification has is refused', () => {
  const refused = (change: (entry: Entry) => Entry): string =>
    messageOf(() => auditOf('f', withEntry(change)));
  assert.match(
    refused((entry) => ({ ...entry, answers: ['0', '0'] })),
    /^f:3: the answers are .*, not 0 and 0; run the audit again/,
  );
  assert.match(
    refused((entry) => ({ ...entry, difference: 'nothing' })),
    /^f:3: the answers do not differ in "nothing"/,
  );
  assert.match(
    refused((entry) => ({ ...entry, scenario: 'a toaster' })),
    /^f:3: the audit has no scenario "a toaster"/,
  );
});

test('confirmations by kernels are kept if the same program is found again with the same answers', () => {
  const shown = withEntry((entry) => ({ ...entry, confirmed: ['7.3.4'] }));
  const other = withEntry((entry) => ({ ...entry, confirmed: ['7.3.4'], answers: ['0', '0'] }));
  const found = auditOf(
    'f',
    withEntry((entry) => ({ ...entry, confirmed: [] })),
  );
  assert.is(found.confirmed.size, 0);
  assert.equal([...keepingConfirmed(found, shown).confirmed.values()], [['7.3.4']]);
  assert.is(keepingConfirmed(found, other).confirmed.size, 0);
});

test.run();
