// SPDX-License-Identifier: MIT
// Rows that kernels confirmed, and that another record of the same audit would hold as confirmed by none.

import type { AuditRecord } from './record.ts';
import type { RecordedAudit } from './recorded.ts';

const confirmedRows = ({ rows, confirmed }: RecordedAudit): ReadonlySet<string> =>
  new Set(
    rows
      .filter(({ seen }) => seen.some(({ key }) => (confirmed.get(key)?.length ?? 0) > 0))
      .map(({ description }) => description.id),
  );

const hasConfirmed = ({ searches }: AuditRecord): boolean =>
  searches.some(({ entries }) => entries.some(({ confirmed }) => confirmed.length > 0));

/** What a folder holds of a release: its record, and the audit, where the specification still answers as that says. */
export type Before = { readonly record: AuditRecord; readonly audit: RecordedAudit | undefined };

/** Ids of rows. Where the rows of before are not known any more, each that no kernel confirmed counts. */
export const unconfirmedRows = (before: Before, after: RecordedAudit): readonly string[] => {
  const now = confirmedRows(after);
  const was = before.audit && confirmedRows(before.audit);
  if (was === undefined && !hasConfirmed(before.record)) return [];
  return after.rows
    .map(({ description }) => description.id)
    .filter((id) => !now.has(id) && (was?.has(id) ?? true));
};
