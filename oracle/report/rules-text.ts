// The reference, made from the rules: as text for a terminal and as Markdown for docs/reference.md.

import { DEVIATIONS } from '../../spec/outcome/deviations.ts';
import { type Part, partsUsedBy, releasesOf, SECTIONS } from '../../spec/rules.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import { indented, wrapped } from '../text/lines.ts';
import type { Palette } from '../text/palette.ts';

const onlyText = ({ only }: Rule): string =>
  only === undefined ? '' : ` (only ${only.join(', ')})`;

const answerText = ({ errno }: Rule): string => errno ?? 'granted';

/** Rules of a part that name the same source say it once. */
const commonSource = ({ rules }: Part): string | undefined => {
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
    ...wrapped(rule.says, '               '),
    ...(rule.source === source
      ? []
      : wrapped(`source: ${rule.source}`, '               ').map((line) => palette.faint(line))),
  ];
};

const partLines = (part: Part, palette: Palette): readonly string[] => {
  const source = commonSource(part);
  const uses = partsUsedBy(part.name);
  const releases = releasesOf(part.name);
  return [
    `${palette.title(part.name)}${releases === undefined ? '' : `, only in ${releases.join(', ')}`}`,
    ...indented(
      [
        ...(source === undefined ? [] : [palette.faint(`source: ${source}`)]),
        ...part.rules.flatMap((rule) => ruleLines(rule, source, palette)),
        ...(uses.length === 0 ? [] : wrapped(`and then: ${uses.join('; ')}`, '')),
      ],
      '  ',
    ),
    '',
  ];
};

/** Whether the part's name contains the word, in either case of letters; every part is named by no word. */
export const isPartNamed = (name: string, word: string | undefined): boolean =>
  word === undefined || name.toLowerCase().includes(word.toLowerCase());

/** The parts that the word names. */
export const rulesText = (word: string | undefined, palette: Palette): readonly string[] =>
  SECTIONS.flatMap(({ title, parts }) => {
    const shown = parts.filter(({ name }) => isPartNamed(name, word));
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

const link = (name: string): string => `[${name}](#${slug(name)})`;

const partMarkdown = (part: Part): readonly string[] => {
  const source = commonSource(part);
  const uses = partsUsedBy(part.name);
  const releases = releasesOf(part.name);
  const rows = part.rules.map((rule) => {
    const own = rule.source === source ? '' : ` Source: ${cell(rule.source)}.`;
    const name = rule.id.slice(part.name.length + 1);
    return `| ${rule.position} | \`${name}\` | ${answerText(rule)} | ${cell(rule.says)}${onlyText(rule)}${own} |`;
  });
  return [
    `### ${part.name}`,
    '',
    ...(releases === undefined ? [] : [`Only in ${releases.join(', ')}.`, '']),
    ...(source === undefined ? [] : [`Source: ${source}.`, '']),
    '| | rule | answer | what must be true |',
    '|---|---|---|---|',
    ...rows,
    '',
    ...(uses.length === 0 ? [] : [`And then: ${uses.map(link).join(', ')}.`, '']),
  ];
};

const deviationsMarkdown = (): readonly string[] => [
  '## Known deviations',
  '',
  'Where a release is known not to do what the contract says.',
  '',
  '| deviation | releases | what it says, and what the release does | evidence |',
  '|---|---|---|---|',
  ...DEVIATIONS.map(
    ({ id, releases, says, evidence }) =>
      `| \`${id}\` | ${releases.join(', ')} | ${cell(says)} | ${cell(evidence)} |`,
  ),
];

/** docs/reference.md, in lines. */
export const rulesMarkdown = (): readonly string[] => [
  '# Reference',
  '',
  'Every rule of the specification, by call, in the order of the checks. Made by `iommufd-spec rules --markdown`; do not',
  'edit. A rule is cited by its part and its name: `IOMMU_IOAS_MAP/no-ioas`. The answer is the error that a refusal',
  'gives, or "granted". A call meets its own rules first, then those of the parts named behind "And then"; every native',
  'call passes [the door](#the-door) before its own.',
  '',
  ...SECTIONS.map(
    ({ title, parts }) => `- ${title}: ${parts.map(({ name }) => link(name)).join(', ')}`,
  ),
  '',
  ...SECTIONS.flatMap(({ title, parts }) => [`## ${title}`, '', ...parts.flatMap(partMarkdown)]),
  ...deviationsMarkdown(),
];
