// SPDX-License-Identifier: MIT
// Whether domains may use entries larger than a page: iopt_disable_large_pages() and
// iopt_enable_large_pages() in drivers/iommu/iommufd/io_pagetable.c.

import type { Context } from '../state/context.ts';
import type { IoPagetable } from '../state/io-pagetable.ts';
import { type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';
import { realigned, requiredAlignment } from './alignment.ts';

export const largePagesRules = rulesOf(
  {
    id: 'large-pages',
    title: 'large pages',
    source: 'iopt_disable_large_pages() in drivers/iommu/iommufd/io_pagetable.c',
  },
  {
    filled: refuses('EINVAL', 'An area is in a domain already, possibly by huge entries.'),
  },
);

/**
 * Disables large pages: each entry maps one page, and maps must be page-aligned. No effect if they are disabled
 * already.
 */
export const withoutLargePages = (context: Context, table: IoPagetable): IoPagetable | Refused => {
  if (table.largePagesDisabled) return table;
  if (table.domains.length > 0 && table.areas !== undefined) return refused(largePagesRules.filled);
  return realigned(context, { ...table, largePagesDisabled: true });
};

/** Enables large pages: entries are as large as fits. */
export const withLargePages = (context: Context, table: IoPagetable): IoPagetable => {
  const enabled = { ...table, largePagesDisabled: false };
  return { ...enabled, alignment: requiredAlignment(context, enabled) };
};
