// SPDX-License-Identifier: MIT
// A picture of what is mapped on both sides, before and after a call, as SVG. The spans between two IOVAs at which a map
// begins or ends all have the same width, so that a page and a terabyte fit into one picture.

import { htmlText } from '../../text/markup.ts';
import { hex } from '../../text/quantities.ts';
import type { MappedRange } from '../mapped.ts';

export type Strip = { readonly name: string; readonly ranges: readonly MappedRange[] };

const NAME_WIDTH = 120;
const SPAN_WIDTH = 86;
const STRIP_HEIGHT = 22;
const GAP = 6;
const AXIS_HEIGHT = 34;

/** The starts of all ranges, and the IOVAs after their ends. */
const bounds = (strips: readonly Strip[]): readonly bigint[] => {
  const edges = new Set<bigint>();
  for (const { ranges } of strips) {
    for (const { start, last } of ranges) {
      edges.add(start);
      edges.add(last + 1n);
    }
  }
  return [...edges].sort((a, b) => (a < b ? -1 : 1));
};

const classOf = ({ readable, writable }: MappedRange): string =>
  writable ? (readable ? 'rw' : 'w') : readable ? 'r' : 'none';

const rectangle = (range: MappedRange, edges: readonly bigint[], top: number): string => {
  const from = edges.indexOf(range.start);
  const to = edges.indexOf(range.last + 1n);
  const x = NAME_WIDTH + from * SPAN_WIDTH;
  const width = (to - from) * SPAN_WIDTH - 2;
  const access = `${range.readable ? 'r' : '-'}${range.writable ? 'w' : '-'}`;
  return (
    `<rect class="${classOf(range)}" x="${x}" y="${top}" width="${width}" height="${STRIP_HEIGHT}">` +
    `<title>${hex(range.start)} to ${hex(range.last)}, ${access}</title></rect>`
  );
};

const label = (x: number, y: number, words: string, more = ''): string =>
  `<text x="${x}" y="${y}"${more}>${htmlText(words)}</text>`;

/** The picture; undefined if nothing is mapped in any strip. */
export const mapPicture = (strips: readonly Strip[]): string | undefined => {
  const edges = bounds(strips);
  if (edges.length === 0) return undefined;
  const width = NAME_WIDTH + (edges.length - 1) * SPAN_WIDTH + SPAN_WIDTH;
  const height = AXIS_HEIGHT + strips.length * (STRIP_HEIGHT + GAP);
  const rows = strips.flatMap(({ name, ranges }, index) => {
    const top = AXIS_HEIGHT + index * (STRIP_HEIGHT + GAP);
    return [
      label(0, top + STRIP_HEIGHT - 7, name),
      `<line class="baseline" x1="${NAME_WIDTH}" y1="${top + STRIP_HEIGHT}" x2="${width - SPAN_WIDTH}" y2="${top + STRIP_HEIGHT}"/>`,
      ...ranges.map((range) => rectangle(range, edges, top)),
    ];
  });
  const axis = edges.map((edge, index) =>
    label(NAME_WIDTH + index * SPAN_WIDTH, 14, hex(edge), ' class="iova"'),
  );
  return [
    `<svg class="map" role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" xmlns="http://www.w3.org/2000/svg">`,
    ...axis,
    ...rows,
    '</svg>',
  ].join('');
};
