// SPDX-License-Identifier: MIT
// How often each rule was reached, for a terminal: a row and a bar for each rule, with a logarithmic scale.

import type { Cover, RuleCover } from '../../check/cover.ts';
import { columns, indented, wrapped } from '../../text/lines.ts';
import type { Palette } from '../../text/palette.ts';
import { grouped } from '../../text/quantities.ts';

/** Characters of a bar for each power of ten. */
const STEP = 4;

const bar = (count: number): string =>
  count === 0 ? '' : '#'.repeat(1 + Math.round(STEP * Math.log10(count)));

const row = ({ id, errno, count, unreachable }: RuleCover): readonly string[] => [
  id.slice(id.indexOf('/') + 1),
  errno ?? 'granted',
  count > 0 ? grouped(count) : unreachable === undefined ? 'NEVER' : 'cannot',
  bar(count),
];

export const coverText = (cover: Cover, palette: Palette): readonly string[] => {
  const parts = cover.sections.flatMap((section) => section.parts);
  const rules = parts.flatMap((part) => part.rules);
  const byReason = new Map<string, string[]>();
  for (const { id, unreachable } of rules) {
    if (unreachable === undefined) continue;
    byReason.set(unreachable, [...(byReason.get(unreachable) ?? []), id]);
  }
  const missed = rules.filter(({ count, unreachable }) => count === 0 && unreachable === undefined);
  return [
    ...parts.flatMap((part) => [
      palette.title(part.title),
      ...indented(
        columns(
          part.rules.map((rule) => row(rule)),
          [2],
        ),
        '  ',
      ),
      '',
    ]),
    palette.title(`Never reached, although programs can: ${missed.length}`),
    ...indented(
      missed.map(({ id }) => palette.doubtful(id)),
      '  ',
    ),
    '',
    palette.title(`Not reachable by generated programs here: ${cover.unreachable}`),
    ...[...byReason].flatMap(([reason, ids]) => [
      ...wrapped(reason, '  '),
      ...indented(ids, '    '),
    ]),
  ];
};
