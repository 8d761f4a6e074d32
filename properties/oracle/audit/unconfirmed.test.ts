// SPDX-License-Identifier: MIT
// Rows that kernels confirmed are not replaced by unconfirmed ones: which rows of a record count.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuditRecord } from '../../../oracle/audit/record.ts';
import type { RecordedAudit } from '../../../oracle/audit/recorded.ts';
import { unconfirmedRows } from '../../../oracle/audit/unconfirmed.ts';
import type { AuditedRelease } from '../../../oracle/emit/audited-releases.ts';

const test = suite('confirmed rows');

type Kernels = readonly AuditedRelease[];

/** Rows by their ids, each with the kernels that showed its one program. */
const auditOf = (rows: Readonly<Record<string, Kernels>>): RecordedAudit => {
  const all = Object.keys(rows).map((id) => ({
    description: { id },
    causes: [{ key: `key of ${id}` }],
  }));
  return {
    release: '7.3.4',
    searched: [],
    rows: all as unknown as RecordedAudit['rows'],
    confirmed: new Map(Object.entries(rows).map(([id, kernels]) => [`key of ${id}`, kernels])),
  };
};

const recordOf = (rows: Readonly<Record<string, Kernels>>): AuditRecord => ({
  releases: ['7.3.4'],
  searches: [
    {
      sides: ['legacy', 'compat'],
      searched: [],
      entries: Object.values(rows).map((confirmed) => ({
        scenario: 'a device',
        difference: 'result',
        answers: ['0', '-1 EINVAL'],
        count: 1,
        isRandom: false,
        confirmed,
        program: [],
        line: 0,
      })),
    },
  ],
});

const before = (rows: Readonly<Record<string, Kernels>>) => ({
  record: recordOf(rows),
  audit: auditOf(rows),
});

test('a row that a kernel confirmed and none confirms now', () => {
  const known = before({ a: ['7.3.4'], b: ['6.12.95'], c: [], d: ['7.3.4'] });
  const after = auditOf({ a: ['6.12.95'], b: [], c: [], e: [] });
  assert.equal(unconfirmedRows(known, after), ['b']);
  assert.equal(unconfirmedRows(known, known.audit), []);
});

test('where it is not known any more which rows there were, each that none confirms', () => {
  const known = { record: recordOf({ a: ['7.3.4'] }), audit: undefined };
  assert.equal(unconfirmedRows(known, auditOf({ a: ['7.3.4'], b: [] })), ['b']);
  const none = { record: recordOf({ a: [] }), audit: undefined };
  assert.equal(unconfirmedRows(none, auditOf({ a: [], b: [] })), []);
});

test.run();
