// SPDX-License-Identifier: MIT
// What changed for programs from one release to another, as data and as Markdown: the calls, the differences between the
// answers, and the rules that answer in each release.

import { programText } from '../../report/program-text.ts';
import { fencedLine } from '../../text/markup.ts';
import type { Located } from '../located.ts';
import type { RandomCounts, SearchedPlatform } from '../record.ts';
import type { RecordedChanges } from '../recorded.ts';
import { programOn, type Side } from '../side.ts';
import { shownSide } from './audit-document.ts';
import { generatedLines, type ShownSide, searchedLines } from './document.ts';

type ShownChange = {
  readonly request: string;
  readonly what: string;
  readonly situation?: string;
  readonly earlier: ShownSide;
  readonly later: ShownSide;
  readonly scenario: string;
  /** The shortest program that shows it, one line per operation. */
  readonly program: readonly string[];
  /** How many programs showed it. */
  readonly count: number;
  /** Only a program generated at random showed it. */
  readonly isGenerated: boolean;
};

export type ChangesDocument = {
  readonly earlier: string;
  readonly later: string;
  readonly containers: readonly {
    readonly name: string;
    readonly searched: readonly SearchedPlatform[];
    readonly generated?: RandomCounts;
    readonly changes: readonly ShownChange[];
  }[];
};

type Releases = { readonly earlier: string; readonly later: string };

const NAMES = {
  legacy: 'the legacy container',
  compat: 'an iommufd, by VFIO calls and native ones',
} as const;

const changeOf = (found: Located, side: Side): ShownChange => {
  const { request, what, situation, kind, legacyRule, compatRule, program, count } = found;
  return {
    request,
    what,
    ...(situation === undefined ? {} : { situation }),
    earlier: shownSide(legacyRule, kind.legacy),
    later: shownSide(compatRule, kind.compat),
    scenario: found.scenario.name,
    program: programText(programOn(side, program)),
    count,
    isGenerated: found.isGenerated === true,
  };
};

export const changesDocumentOf = ({
  earlier,
  later,
  containers,
}: RecordedChanges): ChangesDocument => ({
  earlier,
  later,
  containers: containers.map(({ side, searched, random, found }) => ({
    name: NAMES[side],
    searched,
    ...(random === undefined ? {} : { generated: random }),
    changes: found.map((one) => changeOf(one, side)),
  })),
});

const changeLines = (
  { earlier, later }: Releases,
  change: ShownChange,
  number: number,
): readonly string[] => {
  const side = (name: string, { answers, rule, says, source }: ShownSide): string =>
    `- ${name}: **${answers}**, by rule \`${rule}\`: ${says} (${source})`;
  return [
    '',
    `### ${number}. ${change.request}: ${change.what}`,
    '',
    side(earlier, change.earlier),
    side(later, change.later),
    '',
    `On ${change.scenario}${change.situation === undefined ? '' : `, where ${change.situation}`}${
      change.isGenerated ? ', generated at random' : ''
    }:`,
    '',
    '```',
    ...change.program.map(fencedLine),
    '```',
  ];
};

export const changesMarkdown = (document: ChangesDocument): readonly string[] => {
  const { earlier, later, containers } = document;
  return [
    `# What changed for programs from ${earlier} to ${later}`,
    '',
    `The same programs ran on one container of Linux ${earlier} and of Linux ${later}, as specified. A change is a difference`,
    'in the result, in the bytes written, in the memory that a device reaches, or in what is charged. It is listed with the',
    'rules that answered and the shortest program.',
    ...containers.flatMap(({ name, searched, generated, changes }) => [
      '',
      `## On ${name}: ${changes.length} changes`,
      '',
      ...searchedLines(searched),
      ...(generated === undefined ? [] : generatedLines(generated)),
      ...changes.flatMap((change, index) => changeLines(document, change, index + 1)),
    ]),
  ];
};
