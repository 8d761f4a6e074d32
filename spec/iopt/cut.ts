// SPDX-License-Identifier: MIT
// Cutting an area in two, so that v1 can unmap a part of a map: iopt_cut_iova() in
// drivers/iommu/iommufd/io_pagetable.c. Pins and domains stay as they are. That is safe only if no entry of a domain
// spans the cut, which disabled large pages guarantee.

import type { ObjectId } from '../abi/units.ts';
import { areaAt, byteOf, putArea } from '../state/area.ts';
import { pagesAt, tableOf, withPages, withTable } from '../state/context.ts';
import { withAreas } from '../state/io-pagetable.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import { withAreaCount } from '../state/pages.ts';
import { isRefused, type Refused, refused, refuses, rulesOf } from '../terms/rule.ts';
import { isAccessed } from './access.ts';

export const cuttingRules = rulesOf(
  {
    id: 'cutting',
    title: 'cutting',
    source: 'iopt_area_split() in drivers/iommu/iommufd/io_pagetable.c',
  },
  {
    misaligned: refuses(
      'EINVAL',
      'The IOVA of the cut, or the byte of memory there, is not a multiple of the alignment of the IOAS.',
    ),
    accessed: refuses('EINVAL', 'An access has pinned a part of the area.'),
    largePages: refuses(
      'EINVAL',
      'A domain translates the area, and large pages are not disabled, so that an entry may span the cut.',
    ),
  },
);

/** Cuts the area after `iova`, which becomes the last IOVA of the first part. */
const cutAfter = (state: IommufdState, ioas: ObjectId, iova: bigint): IommufdState | Refused => {
  const table = tableOf(state.context, ioas);
  const node = areaAt(table.areas, iova);
  if (node === undefined || iova === node.key || iova === node.value.last) return state;
  const start = iova + 1n;
  const startByte = byteOf(node, start);
  if (((start | startByte) & (table.alignment - 1n)) !== 0n)
    return refused(cuttingRules.misaligned);
  if (isAccessed(state.context, ioas, node)) return refused(cuttingRules.accessed);
  if (table.domains.length > 0 && !table.largePagesDisabled) {
    return refused(cuttingRules.largePages);
  }
  const areas = putArea(putArea(table.areas, node.key, { ...node.value, last: iova }), start, {
    ...node.value,
    startByte,
  });
  const pages = pagesAt(state.context, node.value.pages);
  const context = withPages(state.context, node.value.pages, withAreaCount(pages, pages.areas + 1));
  return { context: withTable(context, ioas, withAreas(table, areas)), memory: state.memory };
};

/**
 * Cuts after each of the IOVAs. Nothing is cut where there is no area, or if the IOVA is the first or the last one of
 * an area.
 */
export const cutAfterEach = (
  state: IommufdState,
  ioas: ObjectId,
  iovas: readonly bigint[],
): { readonly state: IommufdState; readonly refused: Refused | undefined } => {
  let result = state;
  for (const iova of iovas) {
    const cut = cutAfter(result, ioas, iova);
    if (isRefused(cut)) return { state: result, refused: cut };
    result = cut;
  }
  return { state: result, refused: undefined };
};
