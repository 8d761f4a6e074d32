// SPDX-License-Identifier: MIT
// The releases whose two containers are compared, oldest first. The audit has their records.

export const AUDITED_RELEASES = ['6.12.95', '7.3.4'] as const;

export type AuditedRelease = (typeof AUDITED_RELEASES)[number];
