// SPDX-License-Identifier: MIT
// The valid IOVA ranges of a legacy container, which groups narrow and widen: vfio_iommu_aper_resize() and the
// functions next to it in drivers/vfio/vfio_iommu_type1.c.

import { U64_MAX } from '../abi/units.ts';
import type { Type1 } from '../state/container.ts';
import type { IovaRange } from '../terms/platform.ts';
import type { Release } from '../terms/releases.ts';
import { findDma } from './find-dma.ts';

type Ranges = readonly IovaRange[];

/** Whether the aperture of a new domain excludes all ranges of the container, or a part of a map. */
export const apertureConflicts = (
  release: Release,
  type1: Type1,
  { start, last }: IovaRange,
): boolean => {
  const [lowest, highest] = [type1.ranges[0], type1.ranges.at(-1)];
  if (lowest === undefined || highest === undefined) return false;
  if (start > highest.last || last < lowest.start) return true;
  const finds = (from: bigint, to: bigint): boolean =>
    findDma(release, type1, from, to).kind === 'found';
  return (
    (start > lowest.start && finds(lowest.start, start - 1n)) ||
    (last < highest.last && finds(last + 1n, highest.last))
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
