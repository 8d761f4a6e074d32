// SPDX-License-Identifier: MIT
// The IOVA map of one IOAS or legacy container, reduced to the surroundings of some ranges: areas or maps, reserved
// ranges and the ranges themselves in ascending order, with counts of omitted areas.

import { match } from 'ts-pattern';
import { nodesOf } from '../../spec/collections/ordered-map.ts';
import { type AreaNode, areaLength } from '../../spec/state/area.ts';
import { type Context, pagesAt } from '../../spec/state/context.ts';
import type { IoPagetable, ReservedBy } from '../../spec/state/io-pagetable.ts';
import { hex } from '../text/quantities.ts';
import { AREAS_MEETING_SHOWN } from '../text/verbosity.ts';

export type MapLine =
  | {
      /** An area of an IOAS, or a map of a legacy container. */
      readonly kind: 'area' | 'map';
      readonly start: bigint;
      /** Inclusive, in every line. */
      readonly last: bigint;
      readonly length: bigint;
      /** "rw", "r-". */
      readonly access: string;
      /** Where the memory is. */
      readonly memory: string;
      /** The call that made the area, or changed it last. */
      readonly since?: string;
    }
  | {
      readonly kind: 'reserved';
      readonly start: bigint;
      readonly last: bigint;
      readonly by: string;
    }
  /** The range of a call. */
  | {
      readonly kind: 'wanted';
      readonly start: bigint;
      readonly last: bigint;
      readonly what: string;
    }
  | { readonly kind: 'omitted'; readonly start: bigint; readonly count: number };

export type Wanted = { readonly what: string; readonly start: bigint; readonly last: bigint };

const ownerText = (by: ReservedBy): string =>
  match(by)
    .with({ kind: 'domain' }, ({ hwpt }) => `beyond the aperture of hwpt ${hwpt}`)
    .with({ kind: 'device' }, ({ device }) => `by device ${device}`)
    .with({ kind: 'test' }, () => 'by the test command')
    .exhaustive();

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

type Mapped = { readonly key: bigint; readonly value: { readonly last: bigint } };

/** Positions of the areas that are shown for one range. */
const around = (areas: readonly Mapped[], wanted: Wanted, beside: number): readonly number[] => {
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
  areas: readonly Mapped[],
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

/** How much of a map is shown: so many areas on each side of a range, or so many in total if there is no range. */
export type Extent = { readonly beside: number; readonly elsewhere: number };

/** The lines of areas or maps and of the ranges, in ascending order; omitted runs are counted. */
export const cutLines = <Node extends Mapped>(
  mapped: readonly Node[],
  lineOf: (node: Node) => MapLine,
  wanted: readonly Wanted[],
  { beside, elsewhere }: Extent,
): readonly MapLine[] => {
  const shown = shownPositions(mapped, wanted, beside, elsewhere);
  const lines: MapLine[] = wanted.map((range) => ({ kind: 'wanted', ...range }));
  let omitted = 0;
  const count = (position: number): void => {
    const last = mapped[position];
    if (omitted > 0 && last !== undefined) {
      lines.push({ kind: 'omitted', start: last.key, count: omitted });
    }
    omitted = 0;
  };
  mapped.forEach((node, position) => {
    if (!shown.has(position)) {
      omitted += 1;
      return;
    }
    count(position - 1);
    lines.push(lineOf(node));
  });
  count(mapped.length - 1);
  return lines.sort(byStart);
};

/** The map of an IOAS. */
export const mapLines = (
  context: Context,
  table: IoPagetable,
  wanted: readonly Wanted[],
  extent: Extent,
): readonly MapLine[] => {
  const areas = [...nodesOf(table.areas)];
  const reserved = table.reserved.map(
    ({ start, last, by }): MapLine => ({ kind: 'reserved', start, last, by: ownerText(by) }),
  );
  const lines = cutLines(areas, (node) => areaLine(context, node), wanted, extent);
  return [...lines, ...reserved].sort(byStart);
};
