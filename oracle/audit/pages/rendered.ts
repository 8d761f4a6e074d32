// SPDX-License-Identifier: MIT
// The files that are made from an audit's records: a page for each release and for each pair of releases, a C file for each
// row, and their header.

import { HEADER_NAME, twoSidesHeader } from '../../emit/two-sides-header.ts';
import { cFilesOf } from '../c-files.ts';
import type { RecordedAudit, RecordedChanges, ShownOn } from '../recorded.ts';
import { documentOf, ROWS_FOLDER } from './audit-document.ts';
import { changesDocumentOf, changesMarkdown } from './changes.ts';
import { auditHtml } from './html.ts';
import { auditMarkdown } from './markdown.ts';

export type Audits = {
  /** The earliest release first. */
  readonly audits: readonly RecordedAudit[];
  readonly changes: readonly RecordedChanges[];
  /** The kernels that showed the rows of C files. */
  readonly reproduced: ShownOn;
};

/** A file's path in the folder of the audit, and its text. */
export type AuditFile = { readonly name: string; readonly text: string };

const lines = (all: readonly string[]): string => `${all.join('\n')}\n`;

export const changesPage = (changes: RecordedChanges): AuditFile => ({
  name: `${changes.earlier}-${changes.later}.md`,
  text: lines(changesMarkdown(changesDocumentOf(changes))),
});

/** The files that are kept with the records. */
export const renderedFiles = ({ audits, changes, reproduced }: Audits): readonly AuditFile[] => [
  ...audits.map((audit) => ({
    name: `${audit.release}.md`,
    text: lines(auditMarkdown(documentOf(audit, reproduced))),
  })),
  ...changes.map(changesPage),
  { name: `${ROWS_FOLDER}/${HEADER_NAME}`, text: twoSidesHeader() },
  ...cFilesOf(audits).map(({ id, text }) => ({ name: `${ROWS_FOLDER}/${id}.c`, text })),
];

/** The HTML pages, which are not kept. */
export const renderedHtml = ({ audits, reproduced }: Audits): readonly AuditFile[] =>
  audits.map((audit) => ({
    name: `${audit.release}.html`,
    text: lines([auditHtml(documentOf(audit, reproduced))]),
  }));
