// SPDX-License-Identifier: MIT
// The reference of rules: as text for a terminal, and as Markdown for docs/reference.md.

import { DEVIATIONS } from '../../spec/outcome/deviations.ts';
import { isRuleOf, partsUsedBy, releasesOfPart } from '../../spec/parts-used.ts';
import { ALL_PARTS, type PartId, type RulesOfPart, SECTIONS } from '../../spec/rules.ts';
import {
  RELEASE_NAMES,
  type ReleaseName,
  releaseOf,
  releasesThat,
} from '../../spec/terms/releases.ts';
import type { Part, Rule } from '../../spec/terms/rule.ts';
import { indented, wrapped } from '../text/lines.ts';
import type { Palette } from '../text/palette.ts';

const onlyText = ({ only }: Rule): string =>
  only === undefined ? '' : ` (only ${releasesThat(only).join(', ')})`;

/** The kind of the rule's sentence. */
export const saysWhat = ({ errno }: Rule): 'condition' | 'effect' =>
  errno === undefined ? 'effect' : 'condition';

const answerText = ({ errno }: Rule): string => errno ?? 'granted';

/** Omits the source of a rule if it is that of the part. */
const commonSource = ({ rules }: RulesOfPart): string | undefined => {
  const counts = new Map<string, number>();
  for (const { source } of rules) counts.set(source, (counts.get(source) ?? 0) + 1);
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return most?.[0];
};

const ruleLines = (rule: Rule, source: string | undefined, palette: Palette): readonly string[] => {
  const answer = answerText(rule);
  const paint = rule.errno === undefined ? palette.good : palette.doubtful;
  return [
    `${`${rule.position}.`.padStart(3)} ${paint(answer.padEnd(10))} ${palette.name(rule.id)}${onlyText(rule)}`,
    ...wrapped(`${saysWhat(rule)}: ${rule.says}`, '               '),
    ...(rule.source === source
      ? []
      : wrapped(`source: ${rule.source}`, '               ').map((line) => palette.faint(line))),
  ];
};

const partLines = (part: RulesOfPart, palette: Palette): readonly string[] => {
  const source = commonSource(part);
  const uses = partsUsedBy(part.id);
  const releases = releasesOfPart(part);
  return [
    `${palette.title(part.title)}${releases === undefined ? '' : `, only in ${releases.join(', ')}`}`,
    ...indented(
      [
        ...(source === undefined ? [] : [palette.faint(`source: ${source}`)]),
        ...part.rules.flatMap((rule) => ruleLines(rule, source, palette)),
        ...(uses.length === 0 ? [] : wrapped(`and then: ${uses.join(', ')}`, '')),
      ],
      '  ',
    ),
    '',
  ];
};

/** The rules that apply to the release; all without one. */
export const rulesOn = <R extends Rule>(
  rules: readonly R[],
  release: ReleaseName | undefined,
): readonly R[] =>
  release === undefined ? rules : rules.filter((rule) => isRuleOf(releaseOf(release), rule));

/** Only letters and digits: "IOMMU_IOAS_MAP" and "ioas-map" are both found by "ioas_map". */
const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');

/** Whether the part's id or title contains the word; true without a word. */
export const isPartNamed = ({ id, title }: Part, word: string | undefined): boolean =>
  word === undefined || [id, title].some((name) => plain(name).includes(plain(word)));

const pairsIn = (text: string): readonly string[] =>
  [...text].slice(1).map((next, index) => `${text[index]}${next}`);

/** The id of the nearest part: its id or title shares the most pairs of characters with the word. */
export const nearestPart = (word: string): PartId => {
  const pairs = new Set(pairsIn(plain(word)));
  const shared = (name: string): number => {
    const own = pairsIn(plain(name));
    return own.filter((pair) => pairs.has(pair)).length / (own.length + pairs.size);
  };
  const likeness = ({ id, title }: Part): number => Math.max(shared(id), shared(title));
  return ALL_PARTS.reduce((best, part) => (likeness(part) > likeness(best) ? part : best)).id;
};

/** The parts that the word names. */
export const rulesText = (
  word: string | undefined,
  release: ReleaseName | undefined,
  palette: Palette,
): readonly string[] =>
  SECTIONS.flatMap(({ title, parts }) => {
    const shown = parts
      .filter((part) => isPartNamed(part, word))
      .map((part) => ({ ...part, rules: rulesOn(part.rules, release) }))
      .filter(({ rules }) => rules.length > 0);
    return shown.length === 0
      ? []
      : [
          palette.title(title.toUpperCase()),
          '',
          ...shown.flatMap((part) => partLines(part, palette)),
        ];
  });

/** A cell of a Markdown table. */
const cell = (text: string): string => text.replaceAll('|', '\\|');

const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-');

const link = ({ title }: Part): string => `[${title}](#${slug(title)})`;

const partAt = (id: PartId): Part => ALL_PARTS.find((part) => part.id === id) as Part;

/** The rules that refuse, or those that grant, as a table; empty if there are none. */
const tableMarkdown = (
  { rules }: RulesOfPart,
  source: string | undefined,
  grants: boolean,
): readonly string[] => {
  const rows = rules
    .filter(({ errno }) => (errno === undefined) === grants)
    .map((rule) => {
      const own = rule.source === source ? '' : ` Source: ${cell(rule.source)}.`;
      const error = grants ? '' : ` ${rule.errno} |`;
      return `| ${rule.position} | \`${rule.id}\` |${error} ${cell(rule.says)}${onlyText(rule)}${own} |`;
    });
  if (rows.length === 0) return [];
  const head = grants
    ? ['| | granted by | effect |', '|---|---|---|']
    : ['| | refused by | error | condition |', '|---|---|---|---|'];
  return [...head, ...rows, ''];
};

const partMarkdown = (part: RulesOfPart): readonly string[] => {
  const source = commonSource(part);
  const uses = partsUsedBy(part.id);
  const releases = releasesOfPart(part);
  return [
    `### ${part.title}`,
    '',
    ...(releases === undefined ? [] : [`Only in ${releases.join(', ')}.`, '']),
    ...(source === undefined ? [] : [`Source: ${source}.`, '']),
    ...tableMarkdown(part, source, false),
    ...tableMarkdown(part, source, true),
    ...(uses.length === 0
      ? []
      : [`And then: ${uses.map((id) => link(partAt(id))).join(', ')}.`, '']),
  ];
};

const deviationsMarkdown = (): readonly string[] => [
  '## Known deviations',
  '',
  'Known behaviour of a release against the contract.',
  '',
  '| deviation | releases | the contract, and what the release does | evidence |',
  '|---|---|---|---|',
  ...DEVIATIONS.map(
    ({ id, only, says, evidence }) =>
      `| \`${id}\` | ${(only === undefined ? RELEASE_NAMES : releasesThat(only)).join(', ')} | ${cell(says)} | ${cell(evidence)} |`,
  ),
];

/** docs/reference.md, in lines. */
export const rulesMarkdown = (): readonly string[] => [
  '# Reference',
  '',
  'Every rule of the specification, by call, in the order of the checks. `iommufd-spec rules --markdown` generates this',
  'file; do not edit it. A rule is cited by its id: `ioas-map/no-ioas`. A refusal has a condition, a grant has an effect.',
  'The numbers are the order of the checks in the kernel. A call is checked by its own rules first, then by those of the',
  'parts after "And then". Every native call passes the [ioctl dispatch](#ioctl-dispatch) before its own rules.',
  '',
  ...SECTIONS.map(({ title, parts }) => `- ${title}: ${parts.map(link).join(', ')}`),
  '',
  ...SECTIONS.flatMap(({ title, parts }) => [`## ${title}`, '', ...parts.flatMap(partMarkdown)]),
  ...deviationsMarkdown(),
];
