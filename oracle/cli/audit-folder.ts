// The folder of an audit: the records in it, and the files that are made of them.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RELEASE_NAMES, type ReleaseName } from '../../spec/terms/releases.ts';
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
import { HEADER_NAME } from '../emit/two-sides-header.ts';
import { BadInput } from '../trace/bad-input.ts';

const REPRODUCED = `${ROWS_FOLDER}.jsonl`;

const recordName = (...releases: readonly ReleaseName[]): string => `${releases.join('-')}.jsonl`;

export const recordPath = (folder: string, release: ReleaseName): string =>
  join(folder, recordName(release));

/** Pairs of releases, the earlier one first. */
const PAIRS = RELEASE_NAMES.flatMap((later, index) =>
  RELEASE_NAMES.slice(0, index).map((earlier) => [earlier, later] as const),
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
 * What the folder holds. `leavesOut` is called where a record is none, or where the specification does not answer as it
 * says: it throws the error, or notes that the record is left out.
 */
export const readAudits = (folder: string, leavesOut: (error: BadInput) => void): Audits => {
  const from = <T>(
    releases: readonly ReleaseName[],
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
    audits: RELEASE_NAMES.flatMap((release) => from([release], auditOf)),
    changes: PAIRS.flatMap((pair) => from(pair, changesOf)),
    reproduced: reproduced ?? new Map(),
  };
};

/** What the folder has of the release, also where the specification answers otherwise by now. */
export const recordBefore = (folder: string, release: ReleaseName): AuditRecord | undefined => {
  const [record] = read(folder, recordName(release), recordOf);
  return record;
};

/** The record as it is written when it was read: what a search made may have its fields in another order. */
const recordFile = (record: AuditRecord): AuditFile => {
  const name = recordName(...record.releases);
  return { name, text: recordText(recordOf(name, recordText(record))) };
};

const recordFiles = ({ audits, changes }: Omit<Audits, 'reproduced'>): readonly AuditFile[] => [
  ...audits.map((audit) => recordFile(recordOfAudit(audit))),
  ...changes.map((changed) => recordFile(recordOfChanges(changed))),
];

/** C files of rows that there are no more. */
const removeOthers = (folder: string, files: readonly AuditFile[]): void => {
  const kept = new Set(files.map(({ name }) => name));
  const rows = join(folder, ROWS_FOLDER);
  for (const name of readdirSync(rows)) {
    if (!name.endsWith('.c') || kept.has(`${ROWS_FOLDER}/${name}`)) continue;
    const path = join(rows, name);
    if (readFileSync(path, 'utf8').includes(`#include "${HEADER_NAME}"`)) rmSync(path);
  }
};

/** Without rows that there are no more. */
const pruned = (audits: Audits): Audits => {
  const ids = new Set(audits.audits.flatMap(({ rows }) => rows.map((row) => row.description.id)));
  return { ...audits, reproduced: new Map([...audits.reproduced].filter(([id]) => ids.has(id))) };
};

const write = (folder: string, files: readonly AuditFile[]): void => {
  for (const { name, text } of files) writeFileSync(join(folder, name), text);
};

/**
 * The names of what was written, of C files that of their folder. Unless all records of the folder are in `audits`, what
 * belongs to others stays.
 */
export const writeAudits = (
  folder: string,
  audits: Audits,
  isWhole: boolean,
): readonly string[] => {
  mkdirSync(join(folder, ROWS_FOLDER), { recursive: true });
  const all = isWhole ? pruned(audits) : audits;
  const files = [
    ...recordFiles(all),
    { name: REPRODUCED, text: reproducedText(all.reproduced) },
    ...renderedFiles(all),
    ...renderedHtml(all),
  ];
  write(folder, files);
  if (isWhole) removeOthers(folder, files);
  const pages = files.filter(({ name }) => !name.includes('/')).map(({ name }) => name);
  return [...pages, `${ROWS_FOLDER}/`].map((name) => join(folder, name));
};

/** What changed between two releases: its record, and its page. */
export const writeChanges = (folder: string, changes: RecordedChanges): readonly string[] => {
  const files = [...recordFiles({ audits: [], changes: [changes] }), changesPage(changes)];
  write(folder, files);
  return files.map(({ name }) => join(folder, name));
};
