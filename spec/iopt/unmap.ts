// SPDX-License-Identifier: MIT
// Removing areas from an IOAS: iopt_unmap_iova_range() in drivers/iommu/iommufd/io_pagetable.c. Areas are unmapped one
// by one, ascending. If one is refused, those before it stay unmapped.

import { type ObjectId, U64_MAX } from '../abi/units.ts';
import {
  type AreaNode,
  areaLength,
  dropArea,
  firstOverlapping,
  pagesOfArea,
} from '../state/area.ts';
import { pagesAt, tableOf, withoutAreaOf, withPages, withTable } from '../state/context.ts';
import { withAreas } from '../state/io-pagetable.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { type Refused, type Rule, refused, refuses, rulesOf } from '../terms/rule.ts';
import { withoutAccessPins } from './access.ts';
import { withoutDirtyArea } from './dirty-areas.ts';
import { unpinRange } from './pin-range.ts';

export const unmappingRules = rulesOf(
  {
    id: 'unmapping',
    title: 'unmapping',
    source: 'iopt_unmap_iova() in drivers/iommu/iommufd/io_pagetable.c',
  },
  {
    zeroLength: refuses('EINVAL', 'The length is 0.'),
    wraps: refuses('EOVERFLOW', 'The last IOVA exceeds U64_MAX.'),
    cutsArea: refuses(
      'ENOENT',
      'The range covers only a part of an area. The areas before it are unmapped.',
      'iopt_unmap_iova_range() in drivers/iommu/iommufd/io_pagetable.c',
    ),
  },
);

export type Unmapped = {
  readonly state: IommufdState;
  /** The bytes that were unmapped. */
  readonly bytes: bigint;
  /** Why an area in the range was not unmapped. */
  readonly refused: Rule | undefined;
};

const withoutArea = (state: IommufdState, ioas: ObjectId, node: AreaNode): IommufdState => {
  const table = tableOf(state.context, ioas);
  let { context, memory } = state;
  if (table.domains.length > 0) {
    const { first, last } = pagesOfArea(node.key, node.value);
    const pages = pagesAt(context, node.value.pages);
    const released = unpinRange({ pages, memory }, first, last);
    context = withPages(context, node.value.pages, released.pages);
    context = withoutDirtyArea(context, table.domains, node);
    memory = released.memory;
  }
  context = withoutAreaOf(context, node.value.pages);
  context = withTable(context, ioas, withAreas(table, dropArea(table.areas, node.key)));
  return { context, memory };
};

/** Unmaps every area from `start` to `last`, both inclusive. Accesses unpin what is unmapped. */
export const unmapRange = (
  state: IommufdState,
  ioas: ObjectId,
  start: bigint,
  last: bigint,
): Unmapped => {
  let result = state;
  let bytes = 0n;
  let at = start;
  for (;;) {
    const node = firstOverlapping(tableOf(result.context, ioas).areas, at, last);
    if (node === undefined) return { state: result, bytes, refused: undefined };
    if (node.key < at || node.value.last > last) {
      return { state: result, bytes, refused: unmappingRules.cutsArea };
    }
    result = withoutAccessPins(result, ioas, node.key, node.value.last);
    result = withoutArea(result, ioas, node);
    bytes += areaLength(node);
    if (node.value.last >= last) return { state: result, bytes, refused: undefined };
    at = node.value.last + 1n;
  }
};

/** The last IOVA of a range to unmap, or why it is refused. */
export const lastToUnmap = (iova: bigint, length: bigint): bigint | Refused => {
  if (length === 0n) return refused(unmappingRules.zeroLength);
  const last = iova + length - 1n;
  return last > U64_MAX ? refused(unmappingRules.wraps) : last;
};
