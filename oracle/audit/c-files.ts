// SPDX-License-Identifier: MIT
// The C files of an audit: one for each row that a release has.

import type { RecordedAudit } from './recorded.ts';
import { type Reproducer, reproducerOf } from './reproducer.ts';
import { type RowProgram, rowPrograms } from './row-program.ts';

export type CFile = Reproducer & RowProgram & { readonly id: string };

export const cFilesOf = (audits: readonly RecordedAudit[]): readonly CFile[] => {
  const rows = new Map(audits.map((audit) => [audit.release, audit.rows] as const));
  return rowPrograms(rows).map((row) => ({ ...row, ...reproducerOf(row), id: row.description.id }));
};
