// SPDX-License-Identifier: MIT
// Reserved and allowed ranges: iopt_reserve_iova() and iopt_set_allow_iova() in
// drivers/iommu/iommufd/io_pagetable.c.

import { firstOverlapping } from '../state/area.ts';
import {
  type IoPagetable,
  mergedRanges,
  overlapping,
  type ReservedBy,
  withReserved,
} from '../state/io-pagetable.ts';
import type { IovaRange } from '../terms/platform.ts';
import { type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';

export const reservingRules = rulesOf(
  {
    id: 'reserving',
    title: 'reserving',
    source: 'iopt_reserve_iova() in drivers/iommu/iommufd/io_pagetable.c',
  },
  {
    mapped: refuses('EADDRINUSE', 'The range to reserve overlaps an area.'),
    allowed: refuses('EADDRINUSE', 'The range to reserve overlaps an allowed range.'),
    allowsReserved: refuses(
      'EADDRINUSE',
      'A range to allow overlaps a reserved range. The allowed ranges stay as they were.',
      'iopt_set_allow_iova() in drivers/iommu/iommufd/io_pagetable.c',
    ),
  },
);

/** The table with one more reserved range. Reserved ranges may overlap. */
export const reserved = (
  table: IoPagetable,
  range: IovaRange,
  by: ReservedBy,
): IoPagetable | Refused => {
  if (firstOverlapping(table.areas, range.start, range.last) !== undefined) {
    return refused(reservingRules.mapped);
  }
  if (overlapping(table.allowed, range.start, range.last) !== undefined) {
    return refused(reservingRules.allowed);
  }
  return withReserved(table, [...table.reserved, { ...range, by }]);
};

const sameOwner = (a: ReservedBy, b: ReservedBy): boolean =>
  (a.kind === 'domain' && b.kind === 'domain' && a.hwpt === b.hwpt) ||
  (a.kind === 'device' && b.kind === 'device' && a.device === b.device);

/** The table without the ranges that one domain or device reserved. */
export const unreserved = (table: IoPagetable, by: ReservedBy): IoPagetable =>
  table.reserved.some((range) => sameOwner(range.by, by))
    ? withReserved(
        table,
        table.reserved.filter((range) => !sameOwner(range.by, by)),
      )
    : table;

/** The table with exactly these ranges allowed; with all IOVAs if there are none. */
export const allowing = (
  table: IoPagetable,
  ranges: readonly IovaRange[],
): IoPagetable | Refused => {
  const allowed = mergedRanges(ranges);
  const overlapsReserved = allowed.some(
    ({ start, last }) => overlapping(table.reservedSpans, start, last) !== undefined,
  );
  return overlapsReserved ? refused(reservingRules.allowsReserved) : { ...table, allowed };
};
