// SPDX-License-Identifier: MIT
// An explanation as text.

import { releasesThat } from '../../spec/terms/releases.ts';
import { wrapped } from '../text/lines.ts';
import type { Palette } from '../text/palette.ts';
import { hex, length, listed, range, ranges } from '../text/quantities.ts';
import { type Clue, lastIova } from './clue.ts';
import type { Explained, Explanation } from './explain.ts';
import { filledIn } from './filled-in.ts';
import { PATH_TITLES, PATHS } from './path.ts';
import type { RankedCause, Refusal } from './rank.ts';

/** More are only counted. */
const SHOWN = 3;

const bits = (value: bigint): number => (value === 0n ? 1 : value.toString(2).length);

const replyText = ({ program, calls, errno }: Clue): string => {
  const what = calls.length === 0 ? 'a call' : listed(calls, 'or');
  const reply = errno === undefined ? `${what} fails` : `${what} returns ${errno}`;
  return program === undefined ? reply : `${program}: ${reply}`;
};

/** "iova 0x1000, size 0x2000 (8 KiB), ...": what the line has of the call. */
const fieldsText = ({ fields }: Clue): readonly string[] => {
  const { iova, size, vaddr, limit, group, device } = fields;
  const last = lastIova(fields);
  const parts = [
    ...(iova === undefined ? [] : [`iova ${hex(iova)}`]),
    ...(size === undefined ? [] : [`size ${length(size)}`]),
    ...(vaddr === undefined ? [] : [`vaddr ${hex(vaddr)}`]),
    ...(limit === undefined ? [] : [`RLIMIT_MEMLOCK ${length(limit)}`]),
    ...(group === undefined ? [] : [`group ${group}`]),
    ...(device === undefined ? [] : [`device ${device}`]),
  ];
  return [
    ...(parts.length === 0 ? [] : [parts.join(', ')]),
    ...(iova === undefined || size === undefined || last === undefined
      ? []
      : [`IOVAs ${range(iova, last)}, which need ${bits(last)} bits`]),
  ];
};

/** "type1", or "native by IOMMU_IOAS_MAP" where it is not the call of the line. */
const placeText = ({ path, call }: Refusal, isOther: boolean): string =>
  isOther ? `${path} by ${call}` : path;

/** A rule once, with the paths that it is on. */
const ruleLines = ({ refusals, elsewhere }: RankedCause, palette: Palette): readonly string[] => {
  const places = new Map<Refusal['rule'], string[]>();
  const add = (one: Refusal, isOther: boolean): void => {
    const texts = places.get(one.rule) ?? [];
    const text = placeText(one, isOther);
    if (!texts.includes(text)) places.set(one.rule, [...texts, text]);
  };
  for (const one of refusals) add(one, false);
  for (const one of elsewhere) add(one, true);
  return [...places].flatMap(([rule, texts], index) =>
    wrapped(
      `${palette.name(rule.id)}, ${rule.errno}${rule.only === undefined ? '' : ` (${releasesThat(rule.only).join(', ')})`}, ${texts.join(', ')}: ${rule.says}`,
      index === 0 ? `   ${'rules'.padEnd(8)}` : ' '.repeat(11),
      ' '.repeat(13),
    ),
  );
};

const listLines = (title: string, texts: readonly string[]): readonly string[] =>
  texts.flatMap((text, index) =>
    wrapped(text, index === 0 ? `   ${title.padEnd(8)}` : ' '.repeat(11), ' '.repeat(11)),
  );

const causeLines = (
  one: RankedCause,
  number: number,
  { fields }: Clue,
  palette: Palette,
): readonly string[] => {
  const filled = (texts: readonly string[]): readonly string[] =>
    texts.map((text) => filledIn(text, fields));
  const rules = ruleLines(one, palette);
  return [
    ...wrapped(palette.title(one.cause.title), `${number}. `, '   '),
    ...listLines('why', [one.why.join(' ')]),
    ...(one.against.length === 0 ? [] : listLines('but', [one.against.join(' ')])),
    ...(rules.length === 0 ? ['   rules   none: the specification does not decide it'] : rules),
    ...listLines('check', filled(one.cause.checks)),
    ...listLines('remedy', filled(one.cause.remedies)),
    '',
  ];
};

const idsOf = (refusals: readonly Refusal[]): string =>
  [...new Set(refusals.map(({ rule }) => rule.id))].join(', ');

const explanationLines = (
  { clue, lines, ranking }: Explanation,
  isLong: boolean,
  palette: Palette,
): readonly string[] => {
  const { causes, rare, excluded } = ranking;
  const shown = isLong ? causes : causes.slice(0, SHOWN);
  const others = causes.slice(shown.length);
  return [
    palette.title(replyText(clue)),
    ...wrapped(clue.text, `  line ${ranges(lines).join(', ')}: `, '    '),
    ...fieldsText(clue).map((text) => `  ${text}`),
    '',
    ...shown.flatMap((one, index) => causeLines(one, index + 1, clue, palette)),
    ...(others.length === 0
      ? []
      : [
          ...wrapped(
            `Less likely (--all explains them): ${others.map(({ id }) => id).join(', ')}`,
            '',
          ),
          '',
        ]),
    ...(excluded.length === 0
      ? []
      : [...wrapped(`Excluded by the fields of the call: ${idsOf(excluded)}`, ''), '']),
    ...(rare.length === 0 ? [] : [...wrapped(`Rare: ${idsOf(rare)}`, ''), '']),
  ];
};

/** The explanations, one after the other; `isLong` explains every cause. */
export const explainedText = (
  { explanations, count }: Explained,
  note: string,
  isLong: boolean,
  palette: Palette,
): readonly string[] => {
  const read = explanations.reduce((sum, { lines }) => sum + lines.length, 0);
  return [
    ...explanations.flatMap((one) => explanationLines(one, isLong, palette)),
    ...(count > 1 ? [`${read} of ${count} lines are explained.`] : []),
    ...wrapped(
      palette.faint(
        `Paths: ${PATHS.map((path) => `${path}, ${PATH_TITLES[path]}`).join('; ')}. ${note} \`rules PART\` prints the source of a rule.`,
      ),
      '',
    ),
  ];
};
