// SPDX-License-Identifier: MIT
// The IOVAs that a container may map: the apertures of its domains without the reserved ranges of
// their devices, as a sorted list. Empty until a group with an IOMMU joins.
// drivers/vfio/vfio_iommu_type1.c (vfio_iommu_aper_*, vfio_iommu_resv_*).

import type { IovaRange } from '../../../spec/terms/platform.ts';
import type { DmaTree } from './dma.ts';

const lengthOf = ({ start, last }: IovaRange): bigint => last - start + 1n;

/** Whether an aperture is outside the list, or excludes a dma. */
export const apertureConflicts = (
  list: readonly IovaRange[],
  dmas: DmaTree,
  { start, last }: IovaRange,
): boolean => {
  const first = list[0];
  const final = list.at(-1);
  if (first === undefined || final === undefined) return false;
  if (start > final.last || last < first.start) return true;
  if (start > first.start && dmas.find(first.start, start - first.start)) return true;
  return last < final.last && dmas.find(last + 1n, final.last - last) !== undefined;
};

/** Whether a dma overlaps a reserved range of the devices. */
export const reservedConflicts = (dmas: DmaTree, reserved: readonly IovaRange[]): boolean =>
  reserved.some((range) => dmas.find(range.start, lengthOf(range)) !== undefined);

/** The list within an aperture; the whole aperture if there is no list yet. */
export const within = (list: readonly IovaRange[], aperture: IovaRange): readonly IovaRange[] =>
  list.length === 0
    ? [aperture]
    : list
        .filter(({ start, last }) => last >= aperture.start && start <= aperture.last)
        .map(({ start, last }) => ({
          start: start < aperture.start ? aperture.start : start,
          last: last > aperture.last ? aperture.last : last,
        }));

/** The list without reserved IOVAs. */
export const without = (
  list: readonly IovaRange[],
  reserved: readonly IovaRange[],
): readonly IovaRange[] => {
  let rest = list;
  for (const { start, last } of reserved) {
    rest = rest.flatMap((range) => {
      if (start > range.last || last < range.start) return [range];
      const parts: IovaRange[] = [];
      if (start > range.start) parts.push({ start: range.start, last: start - 1n });
      if (last < range.last) parts.push({ start: last + 1n, last: range.last });
      return parts;
    });
  }
  return rest;
};
