// SPDX-License-Identifier: MIT
// The alignment of an IOAS, which its domains, accesses and options determine: iopt_calculate_iova_alignment() in
// drivers/iommu/iommufd/io_pagetable.c.

import { nodesOf } from '../collections/ordered-map.ts';
import { type Areas, areaLength } from '../state/area.ts';
import { accessAt, type Context, hwptAt } from '../state/context.ts';
import {
  type IoPagetable,
  PAGE_ALIGNMENT,
  smallestPageSize,
  withUsers,
} from '../state/io-pagetable.ts';
import { type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';

export const alignmentRules = rulesOf(
  {
    id: 'alignment',
    title: 'alignment',
    source: 'iopt_check_iova_alignment() in drivers/iommu/iommufd/io_pagetable.c',
  },
  {
    misalignedArea: refuses(
      'EADDRINUSE',
      'The IOVA, the length or the page offset of an area is not a multiple of the alignment that the new user needs.',
    ),
  },
);

/** Whether IOVA, length and page offset of every area are multiples of the alignment. */
export const areasConform = (areas: Areas, alignment: bigint): boolean => {
  const mask = alignment - 1n;
  for (const node of nodesOf(areas)) {
    const offset = node.value.startByte & (PAGE_ALIGNMENT - 1n);
    if (((node.key | areaLength(node) | offset) & mask) !== 0n) return false;
  }
  return true;
};

const greater = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The alignment that the table's domains, accesses and options need, in bytes. */
export const requiredAlignment = (context: Context, table: IoPagetable): bigint => {
  let alignment = table.largePagesDisabled ? PAGE_ALIGNMENT : 1n;
  for (const id of table.domains) {
    const hwpt = hwptAt(context, id);
    if (hwpt !== undefined) alignment = greater(alignment, smallestPageSize(hwpt.domain.pageSizes));
  }
  for (const id of table.accesses) {
    if (accessAt(context, id)?.needsPins === true) alignment = PAGE_ALIGNMENT;
  }
  return alignment;
};

/** The table with the alignment that its users need. Refused if an area does not conform. */
export const realigned = (context: Context, table: IoPagetable): IoPagetable | Refused => {
  const alignment = requiredAlignment(context, table);
  if (alignment > table.alignment && !areasConform(table.areas, alignment)) {
    return refused(alignmentRules.misalignedArea);
  }
  return withUsers(table, table.domains, table.accesses, alignment);
};
