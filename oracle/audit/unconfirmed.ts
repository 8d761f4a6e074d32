// SPDX-License-Identifier: MIT
// Rows that kernels confirmed in one record of an audit, and in another record not.

import type { AuditRecord } from './record.ts';
import type { RecordedAudit } from './recorded.ts';

const confirmedRows = ({ rows, confirmed }: RecordedAudit): ReadonlySet<string> =>
  new Set(
    rows
      .filter(({ causes }) => causes.some(({ key }) => (confirmed.get(key)?.length ?? 0) > 0))
      .map(({ description }) => description.id),
  );

const hasConfirmed = ({ searches }: AuditRecord): boolean =>
  searches.some(({ entries }) => entries.some(({ confirmed }) => confirmed.length > 0));

/** A release's record in a folder, and its audit if the specification still gives the recorded answers. */
export type Before = { readonly record: AuditRecord; readonly audit: RecordedAudit | undefined };

/** Ids of rows. If the rows of `before` are unknown, each row that no kernel confirmed counts. */
export const unconfirmedRows = (before: Before, after: RecordedAudit): readonly string[] => {
  const now = confirmedRows(after);
  const was = before.audit && confirmedRows(before.audit);
  if (was === undefined && !hasConfirmed(before.record)) return [];
  return after.rows
    .map(({ description }) => description.id)
    .filter((id) => !now.has(id) && (was?.has(id) ?? true));
};
