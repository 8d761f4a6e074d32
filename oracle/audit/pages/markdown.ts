// SPDX-License-Identifier: MIT
// The audit as Markdown: a summary, the table, then one section per row.

import { fencedLine } from '../../text/markup.ts';
import {
  type AuditDocument,
  generatedLines,
  releasesText,
  SEVERITY_WORDS,
  type ShownRow,
  type ShownSide,
  type ShownVariant,
  searchedLines,
  VARIANTS_SHOWN,
} from './document.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const declaredText = ({ declared }: ShownRow): string => (declared === undefined ? 'no' : 'yes');

const confirmedText = ({ confirmed }: ShownRow | ShownVariant): string =>
  confirmed.length === 0 ? 'not confirmed' : `confirmed on ${confirmed.join(', ')}`;

const requestsOf = ({ variants }: ShownRow): string =>
  [...new Set(variants.map(({ request }) => request.replace(/\(.*/, '')))].join(', ');

const reproducedText = ({ reproduced }: ShownRow): string =>
  reproduced.length === 0 ? 'not run' : `ends with 0 on ${reproduced.join(', ')}`;

const tableLine = (row: ShownRow, number: number): string =>
  `| ${number} | [${cell(row.title)}](#${row.id}) | ${cell(requestsOf(row))} | ${cell(
    row.variants[0].legacy.answers,
  )} | ${cell(row.variants[0].compat.answers)} | ${SEVERITY_WORDS[row.severity]} | ${declaredText(
    row,
  )} | ${releasesText(row.releases)} | ${row.confirmed.join(', ') || 'no'} |`;

const sideLines = (name: string, { rule, says, source, answers }: ShownSide): readonly string[] => [
  `- ${name}: **${answers}**, by rule \`${rule}\`: ${says} (${source})`,
];

const variantLines = (variant: ShownVariant): readonly string[] => [
  '',
  `${variant.request}, ${variant.what} (${releasesText(variant.releases)}; ${confirmedText(variant)}${
    variant.isGenerated ? '; generated at random' : ''
  }):`,
  '',
  ...sideLines('type1', variant.legacy),
  ...sideLines('iommufd', variant.compat),
  '',
  '```',
  ...variant.program.map(fencedLine),
  '```',
];

const rowLines = (release: string, row: ShownRow): readonly string[] => {
  const shown = row.variants.slice(0, VARIANTS_SHOWN);
  const left = row.variants.length - shown.length;
  return [
    '',
    `<a id="${row.id}"></a>`,
    '',
    `### ${row.title}`,
    '',
    `${SEVERITY_WORDS[row.severity]}; ${
      row.declared === undefined ? 'not declared' : `declared: ${row.declared}`
    }; ${releasesText(row.releases)}; ${confirmedText(row)}`,
    '',
    row.means,
    '',
    `C: [${row.reproducer}](${row.reproducer}), ${reproducedText(row)}`,
    ...shown.flatMap(variantLines),
    ...(left === 0
      ? []
      : ['', `${left} more programs show it: see [the record](${release}.jsonl).`]),
  ];
};

const count = (rows: readonly ShownRow[], test: (row: ShownRow) => boolean): number =>
  rows.filter(test).length;

export const auditSummary = ({
  release,
  searched,
  generated,
  rows,
}: AuditDocument): readonly string[] => {
  const undeclared = count(rows, ({ declared }) => declared === undefined);
  return [
    `# What a program that moves from type1 to iommufd can notice, ${release}`,
    '',
    `The same programs ran on both containers of Linux ${release}: on the legacy one, \`/dev/vfio/vfio\`, and on an iommufd in`,
    'its place. A row is a difference in the result, in the bytes written, in the memory that a device reaches, or in what is',
    `charged. There are ${rows.length} rows; neither the patch nor a document declares ${undeclared} of them.`,
    '',
    `- ${count(rows, ({ severity }) => severity === 'breaks')} break programs that rely on the old answer`,
    `- ${count(rows, ({ severity }) => severity === 'differs')} differ silently`,
    `- ${count(rows, ({ severity }) => severity === 'harmless')} are harmless, as far as known`,
    '',
    ...searchedLines(searched),
    ...(generated === undefined ? [] : generatedLines(generated)),
  ];
};

export const auditMarkdown = (document: AuditDocument): readonly string[] => [
  ...auditSummary(document),
  '',
  'For programs that fork, call exec, give up privileges or map other kinds of memory, see',
  '[moving from type1](../moving-from-type1.md#beyond-these-programs).',
  '',
  '## The differences',
  '',
  '| | what | request | type1 | iommufd | for a program | declared | releases | confirmed |',
  '|---|---|---|---|---|---|---|---|---|',
  ...document.rows.map((row, index) => tableLine(row, index + 1)),
  '',
  '## One by one',
  ...document.rows.flatMap((row) => rowLines(document.release, row)),
];
