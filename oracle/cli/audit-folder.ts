// SPDX-License-Identifier: MIT
// The folder of an audit: its records, and the files generated from them.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROWS_FOLDER } from '../audit/pages/audit-document.ts';
import {
  type AuditFile,
  type Audits,
  changesPage,
  renderedFiles,
  renderedHtml,
} from '../audit/pages/rendered.ts';
import { type AuditRecord, recordOf, recordText } from '../audit/record.ts';
import {
  auditOf,
  changesOf,
  type RecordedChanges,
  recordOfAudit,
  recordOfChanges,
} from '../audit/recorded.ts';
import { reproducedOf, reproducedText } from '../audit/reproduced.ts';
import { unconfirmedRows } from '../audit/unconfirmed.ts';
import { AUDITED_RELEASES, type AuditedRelease } from '../emit/audited-releases.ts';
import { count } from '../text/quantities.ts';
import { BadInput } from '../trace/bad-input.ts';
import { requireOwn, writeOwn } from './audit-output.ts';
import { BadUse } from './bad-use.ts';

const REPRODUCED = `${ROWS_FOLDER}.jsonl`;

const recordName = (...releases: readonly AuditedRelease[]): string =>
  `${releases.join('-')}.jsonl`;

export const recordPath = (folder: string, release: AuditedRelease): string =>
  join(folder, recordName(release));

/** Pairs of releases, the earlier one first. */
const PAIRS = AUDITED_RELEASES.flatMap((later, index) =>
  AUDITED_RELEASES.slice(0, index).map((earlier) => [earlier, later] as const),
);

const read = <T>(
  folder: string,
  name: string,
  parse: (file: string, text: string) => T,
): readonly T[] => {
  const file = join(folder, name);
  return existsSync(file) ? [parse(file, readFileSync(file, 'utf8'))] : [];
};

/**
 * What the folder holds. `leavesOut` is called for a record that is invalid, or that the specification contradicts: it
 * throws the error, or notes that the record is skipped.
 */
export const readAudits = (folder: string, leavesOut: (error: BadInput) => void): Audits => {
  const from = <T>(
    releases: readonly AuditedRelease[],
    of: (file: string, record: AuditRecord) => T,
  ): readonly T[] => {
    try {
      return read(folder, recordName(...releases), (file, text) => of(file, recordOf(file, text)));
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      leavesOut(error);
      return [];
    }
  };
  const [reproduced] = read(folder, REPRODUCED, reproducedOf);
  return {
    audits: AUDITED_RELEASES.flatMap((release) => from([release], auditOf)),
    changes: PAIRS.flatMap((pair) => from(pair, changesOf)),
    reproduced: reproduced ?? new Map(),
  };
};

/** The folder's record of the release, even if the specification now contradicts it. */
export const recordBefore = (folder: string, release: AuditedRelease): AuditRecord | undefined => {
  const [record] = read(folder, recordName(release), recordOf);
  return record;
};

/** The record as it is written after it was read: a search may produce its fields in another order. */
const recordFile = (record: AuditRecord): AuditFile => {
  const name = recordName(...record.releases);
  return { name, text: recordText(recordOf(name, recordText(record))) };
};

const recordFiles = ({ audits, changes }: Omit<Audits, 'reproduced'>): readonly AuditFile[] => [
  ...audits.map((audit) => recordFile(recordOfAudit(audit))),
  ...changes.map((changed) => recordFile(recordOfChanges(changed))),
];

/** Without rows that no longer exist. */
const pruned = (audits: Audits): Audits => {
  const ids = new Set(audits.audits.flatMap(({ rows }) => rows.map((row) => row.description.id)));
  return { ...audits, reproduced: new Map([...audits.reproduced].filter(([id]) => ids.has(id))) };
};

const textsOf = (files: readonly AuditFile[]): ReadonlyMap<string, string> =>
  new Map(files.map(({ name, text }) => [name, text]));

/** Throws BadUse, before the search begins, if a file that the audit would write was not written by an audit. */
export const requireRelease = (folder: string, release: AuditedRelease): void =>
  requireOwn(folder, [recordName(release), `${release}.md`, `${release}.html`, REPRODUCED]);

export const requirePair = (folder: string, earlier: AuditedRelease, later: AuditedRelease): void =>
  requireOwn(folder, [recordName(earlier, later), `${earlier}-${later}.md`]);

/** Throws BadUse if a row would lose its kernel's confirmation. */
const requireConfirmed = (folder: string, { audits }: Audits): void => {
  const known = readAudits(folder, () => {});
  for (const audit of audits) {
    const { release } = audit;
    const record = recordBefore(folder, release);
    if (record === undefined) continue;
    const before = { record, audit: known.audits.find((one) => one.release === release) };
    const [id, ...others] = unconfirmedRows(before, audit);
    if (id === undefined) continue;
    const rows = others.length === 0 ? id : `${id} and ${count(others.length, 'other row')}`;
    throw new BadUse(
      `Kernels confirmed what is in ${recordPath(folder, release)}, and by this audit no kernel confirms ${rows}. ` +
        'Run it with --confirm and --vm for each kernel, or name another folder with --output.',
    );
  }
};

/**
 * The names of the files written; for C files, their folder. Files of records that are not in `audits` stay. Rejects
 * with BadUse if the folder has files that must not be replaced.
 */
export const writeAudits = async (
  folder: string,
  audits: Audits,
  isWhole: boolean,
): Promise<readonly string[]> => {
  requireConfirmed(folder, audits);
  const all = isWhole ? pruned(audits) : audits;
  const files = [
    ...recordFiles(all),
    { name: REPRODUCED, text: reproducedText(all.reproduced) },
    ...renderedFiles(all),
    ...renderedHtml(all),
  ];
  await writeOwn(folder, textsOf(files), isWhole);
  const pages = files.filter(({ name }) => !name.includes('/')).map(({ name }) => name);
  return [...pages, `${ROWS_FOLDER}/`].map((name) => join(folder, name));
};

/** The changes between two releases: the record and the page. */
export const writeChanges = async (
  folder: string,
  changes: RecordedChanges,
): Promise<readonly string[]> => {
  const files = [...recordFiles({ audits: [], changes: [changes] }), changesPage(changes)];
  await writeOwn(folder, textsOf(files), false);
  return files.map(({ name }) => join(folder, name));
};
