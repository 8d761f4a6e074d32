// SPDX-License-Identifier: MIT
// A picture of how often each rule was reached: a bar for each call, with one cell for each rule, darker for more. As
// SVG, or in a self-contained HTML page with the sentence of each rule.

import type { Cover, PartCover, RuleCover } from '../../check/cover.ts';
import { htmlText as text } from '../../text/markup.ts';
import { grouped } from '../../text/quantities.ts';

const NAME_WIDTH = 320;
const CELL = 16;
const ROW = 20;
const HEAD = 56;

const MISSED = '#e67e22';
const UNREACHABLE = '#d5d8dc';
/** By powers of ten: 1 to 9, 10 to 99 and so on. */
const REACHED = ['#c6dbef', '#9ecae1', '#6baed6', '#4292c6', '#2171b5', '#08519c', '#08306b'];

const colour = ({ count, unreachable }: RuleCover): string => {
  if (count === 0) return unreachable === undefined ? MISSED : UNREACHABLE;
  return REACHED[Math.min(REACHED.length - 1, Math.floor(Math.log10(count)))] ?? MISSED;
};

const times = ({ count, unreachable }: RuleCover): string =>
  count > 0 ? `${grouped(count)} times` : (unreachable ?? 'never');

const titleOf = (rule: RuleCover): string =>
  text(`${rule.id} (${rule.errno ?? 'granted'}): ${times(rule)}\n${rule.says}`);

const cell = (rule: RuleCover, index: number, top: number): string =>
  `<rect x="${NAME_WIDTH + index * CELL}" y="${top}" width="${CELL - 2}" height="${ROW - 4}" fill="${colour(rule)}">` +
  `<title>${titleOf(rule)}</title></rect>`;

const row = ({ title, rules }: PartCover, top: number): string =>
  `<text x="${NAME_WIDTH - 8}" y="${top + 12}" text-anchor="end">${text(title)}</text>` +
  rules.map((rule, index) => cell(rule, index, top)).join('');

const legend = ({ reached, missed, unreachable }: Cover): string => {
  const entries: readonly (readonly [string, string])[] = [
    [REACHED[0] as string, '1 and more'],
    [REACHED[2] as string, '100'],
    [REACHED[4] as string, '10 000'],
    [REACHED[6] as string, `1 000 000 times: ${reached} rules reached`],
    [MISSED, `never, although it can be: ${missed}`],
    [UNREACHABLE, `cannot be reached here: ${unreachable}`],
  ];
  let x = 8;
  return entries
    .map(([fill, words]) => {
      const plotted =
        `<rect x="${x}" y="14" width="14" height="14" fill="${fill}"/>` +
        `<text x="${x + 20}" y="26">${text(words)}</text>`;
      x += 40 + words.length * 7;
      return plotted;
    })
    .join('');
};

export const coverSvg = (cover: Cover): string => {
  const parts = cover.sections.flatMap((section) => section.parts);
  const most = Math.max(...parts.map(({ rules }) => rules.length));
  const width = Math.max(NAME_WIDTH + most * CELL + 8, 1100);
  const height = HEAD + parts.length * ROW + 8;
  return [
    `<svg role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    legend(cover),
    ...parts.map((part, index) => row(part, HEAD + index * ROW)),
    '</svg>\n',
  ].join('\n');
};

const STYLE =
  'body{font:14px sans-serif;margin:2rem}table{border-collapse:collapse;margin:1rem 0}' +
  'td{padding:2px 10px;border-bottom:1px solid #ddd;vertical-align:top}td.count{text-align:right;white-space:nowrap}' +
  'tr.missed{background:#fdebd0}tr.unreachable{color:#777}';

const tableRow = (rule: RuleCover): string => {
  const kind = rule.count > 0 ? '' : rule.unreachable === undefined ? 'missed' : 'unreachable';
  return `<tr class="${kind}"><td class="count">${text(times(rule))}</td><td>${text(rule.errno ?? 'granted')}</td><td>${text(rule.id)}</td><td>${text(rule.says)}</td></tr>`;
};

export const coverHtml = (cover: Cover): string =>
  [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Rules that check reached</title><style>${STYLE}</style></head><body>`,
    '<h1>Rules that check reached</h1>',
    coverSvg(cover),
    ...cover.sections.map(
      ({ title, parts }) =>
        `<h2>${text(title)}</h2><table>${parts.flatMap(({ rules }) => rules.map(tableRow)).join('')}</table>`,
    ),
    '</body></html>\n',
  ].join('\n');
