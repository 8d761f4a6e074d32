// The IOVA map of one IOAS, cut to what matters around some ranges: areas, reserved ranges and the ranges themselves in
// ascending order, with counts of what was left out.

import { nodesOf } from '../../spec/collections/ordered-map.ts';
import { type AreaNode, areaLength } from '../../spec/state/area.ts';
import { type Context, pagesAt } from '../../spec/state/context.ts';
import type { IoPagetable, ReservedBy } from '../../spec/state/io-pagetable.ts';
import { hex } from '../text/quantities.ts';
import { AREAS_MEETING_SHOWN } from '../text/verbosity.ts';

export type MapLine =
  | {
      readonly kind: 'area';
      readonly start: bigint;
      /** Inclusive, as in every line. */
      readonly last: bigint;
      readonly length: bigint;
      /** "rw", "r-". */
      readonly access: string;
      /** Where the memory is. */
      readonly memory: string;
      /** The call that made the area as it is. */
      readonly since?: string;
    }
  | {
      readonly kind: 'reserved';
      readonly start: bigint;
      readonly last: bigint;
      readonly by: string;
    }
  /** What a call is about. */
  | {
      readonly kind: 'wanted';
      readonly start: bigint;
      readonly last: bigint;
      readonly what: string;
    }
  | { readonly kind: 'omitted'; readonly start: bigint; readonly areas: number };

export type Wanted = { readonly what: string; readonly start: bigint; readonly last: bigint };

const ownerText = (by: ReservedBy): string => {
  switch (by.kind) {
    case 'domain':
      return `beyond the aperture of hwpt ${by.hwpt}`;
    case 'device':
      return `by device ${by.device}`;
    case 'test':
      return 'by the test command';
  }
};

const memoryText = (context: Context, { value }: AreaNode): string => {
  const { source, process } = pagesAt(context, value.pages);
  const at = hex(source.start + value.startByte);
  return source.kind === 'user' ? `memory ${at} of process ${process}` : `file from ${at}`;
};

const areaLine = (context: Context, node: AreaNode): MapLine => ({
  kind: 'area',
  start: node.key,
  last: node.value.last,
  length: areaLength(node),
  access: `${node.value.readable ? 'r' : '-'}${node.value.writable ? 'w' : '-'}`,
  memory: memoryText(context, node),
});

/** Positions of the areas that are shown because of one range. */
const around = (areas: readonly AreaNode[], wanted: Wanted, beside: number): readonly number[] => {
  let first = areas.findIndex(({ value }) => value.last >= wanted.start);
  if (first < 0) first = areas.length;
  let behind = areas.findIndex(({ key }) => key > wanted.last);
  if (behind < 0) behind = areas.length;
  const positions: number[] = [];
  for (
    let at = Math.max(0, first - beside);
    at < Math.min(areas.length, behind + beside);
    at += 1
  ) {
    const met = at - first;
    const left = behind - 1 - at;
    const inMiddle = met >= AREAS_MEETING_SHOWN / 2 && left >= AREAS_MEETING_SHOWN / 2;
    if (met < 0 || left < 0 || !inMiddle) positions.push(at);
  }
  return positions;
};

const shownPositions = (
  areas: readonly AreaNode[],
  wanted: readonly Wanted[],
  beside: number,
  elsewhere: number,
): ReadonlySet<number> =>
  wanted.length === 0
    ? new Set(areas.slice(0, elsewhere).keys())
    : new Set(wanted.flatMap((range) => around(areas, range, beside)));

const byStart = (a: MapLine, b: MapLine): number => {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.kind === 'wanted' ? -1 : b.kind === 'wanted' ? 1 : 0;
};

/** The lines of the map. `beside` areas are shown on each side of a range, `elsewhere` if there is no range. */
export const mapLines = (
  context: Context,
  table: IoPagetable,
  wanted: readonly Wanted[],
  beside: number,
  elsewhere: number,
): readonly MapLine[] => {
  const areas = [...nodesOf(table.areas)];
  const shown = shownPositions(areas, wanted, beside, elsewhere);
  const lines: MapLine[] = wanted.map((range) => ({ kind: 'wanted', ...range }));
  for (const { start, last, by } of table.reserved) {
    lines.push({ kind: 'reserved', start, last, by: ownerText(by) });
  }
  let omitted = 0;
  areas.forEach((node, position) => {
    if (!shown.has(position)) {
      omitted += 1;
      return;
    }
    if (omitted > 0) {
      const { key } = areas[position - 1] as AreaNode;
      lines.push({ kind: 'omitted', start: key, areas: omitted });
      omitted = 0;
    }
    lines.push(areaLine(context, node));
  });
  if (omitted > 0) {
    lines.push({ kind: 'omitted', start: (areas.at(-1) as AreaNode).key, areas: omitted });
  }
  return lines.sort(byStart);
};
