// SPDX-License-Identifier: MIT
// The valid IOVA ranges of a legacy container, which groups narrow and widen: vfio_iommu_aper_resize() and the
// functions next to it in drivers/vfio/vfio_iommu_type1.c.

import { U64_MAX } from '../abi/units.ts';
import { type Dmas, firstDmaIn } from '../state/container.ts';
import type { IovaRange } from '../terms/platform.ts';

type Ranges = readonly IovaRange[];

/**
 * Whether a domain that translates only `aperture` does not fit the ranges that there are, or the maps that were made.
 * If findDmaWraps, lookups miss maps beyond it if the ranges reach to the last byte.
 */
export const apertureConflicts = (
  ranges: Ranges,
  dmas: Dmas,
  aperture: IovaRange,
  findDmaWraps: boolean,
): boolean => {
  const [first, last] = [ranges[0], ranges.at(-1)];
  if (first === undefined || last === undefined) return false;
  if (aperture.start > last.last || aperture.last < first.start) return true;
  return (
    (aperture.start > first.start &&
      firstDmaIn(dmas, first.start, aperture.start - 1n) !== undefined) ||
    (aperture.last < last.last &&
      !(findDmaWraps && last.last === U64_MAX) &&
      firstDmaIn(dmas, aperture.last + 1n, last.last) !== undefined)
  );
};

const startingAt = (ranges: Ranges, start: bigint): Ranges => {
  const keep = ranges.findIndex((range) => start < range.last);
  const first = ranges[keep];
  if (first === undefined) return [];
  return [
    { ...first, start: start > first.start ? start : first.start },
    ...ranges.slice(keep + 1),
  ];
};

/**
 * The ranges clipped to an aperture; the aperture if there are none. A range of which one IOVA is left may be dropped.
 */
export const resized = (ranges: Ranges, aperture: IovaRange): Ranges => {
  if (ranges.length === 0) return [aperture];
  return startingAt(ranges, aperture.start)
    .filter(({ start, last }) => aperture.last > last || aperture.last > start)
    .map(({ start, last }) => ({ start, last: aperture.last < last ? aperture.last : last }));
};

/** The ranges without the reserved ranges. */
export const excluded = (ranges: Ranges, reserved: Ranges): Ranges => {
  let result = ranges;
  for (const { start, last } of reserved) {
    result = result.flatMap((range) => {
      if (start > range.last || last < range.start) return [range];
      return [
        ...(start > range.start ? [{ start: range.start, last: start - 1n }] : []),
        ...(last < range.last ? [{ start: last + 1n, last: range.last }] : []),
      ];
    });
  }
  return result;
};

/** The ranges after a domain was removed, widened to the first and the last IOVA that all other domains translate. */
export const expanded = (ranges: Ranges, apertures: Ranges): Ranges => {
  if (ranges.length === 0) return ranges;
  let start = 0n;
  let last = U64_MAX;
  for (const aperture of apertures) {
    if (aperture.start > start) start = aperture.start;
    if (aperture.last < last) last = aperture.last;
  }
  const ends = ranges.length - 1;
  return ranges.map((range, index) => ({
    start: index === 0 ? start : range.start,
    last: index === ends ? last : range.last,
  }));
};

/**
 * The ranges computed anew from their first and last IOVA and the remaining reserved ranges; unchanged if nothing would
 * be left. A range that was reserved at either end stays excluded.
 */
export const refreshed = (ranges: Ranges, reserved: Ranges, before: Ranges): Ranges => {
  const [first, last] = [ranges[0], ranges.at(-1)];
  if (first === undefined || last === undefined) return before;
  const made = excluded([{ start: first.start, last: last.last }], reserved);
  return made.length === 0 ? before : made;
};

/** Whether a map may be at [start, last], which one range must contain. */
export const isValidRange = (ranges: Ranges, start: bigint, last: bigint): boolean =>
  ranges.length === 0 || ranges.some((range) => start >= range.start && last <= range.last);
