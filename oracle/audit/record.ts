// SPDX-License-Identifier: MIT
// Reads and writes the record of an audit, one JSON object per line: a header, then each search with its entries. An entry is
// a program whose last operation shows a difference, both answers, and the kernels that gave them.

import type { Program } from '../../model/programs/program.ts';
import { AUDITED_RELEASES, type AuditedRelease } from '../emit/audited-releases.ts';
import { BadInput } from '../trace/bad-input.ts';
import { Fields } from '../trace/fields.ts';
import { jsonLine } from '../trace/json-line.ts';
import { parseObject } from '../trace/json-object.ts';
import { OPERATION, operationJson } from '../trace/operation-json.ts';
import { SIDES, type Side } from './side.ts';

const FORMAT = 'iommufd-audit';
const VERSION = 1;

/** The counts of one exhaustive search. */
export type SearchedPlatform = {
  readonly platform: string;
  readonly states: number;
  readonly requests: number;
  readonly undecided: number;
};

const RANDOM_COUNTS = [
  'runs',
  'seed',
  'operations',
  'undecided',
  'differences',
  'causes',
  'found',
] as const;

/** The counts of the random programs. `found` are the `causes` that the exhaustive search did not find. */
export type RandomCounts = Readonly<Record<(typeof RANDOM_COUNTS)[number], number>>;

/** One program that shows a difference. */
export type Entry = {
  /** The name of the program's scenario. */
  readonly scenario: string;
  /** The kind of difference between the two answers to the last operation, and the answers. */
  readonly difference: string;
  readonly answers: readonly [string, string];
  /** How many programs showed it. */
  readonly count: number;
  readonly isRandom: boolean;
  /** Releases whose kernels gave both answers. */
  readonly confirmed: readonly AuditedRelease[];
  readonly program: Program;
  /** Its line in the file; 0 if it is in no file. */
  readonly line: number;
};

/** Two containers in one release, or one container in two releases. */
export type RecordedSearch = {
  readonly sides: readonly [Side, Side];
  readonly searched: readonly SearchedPlatform[];
  readonly random?: RandomCounts;
  readonly entries: readonly Entry[];
};

export type AuditRecord = {
  /** One release, or the earlier and the later of two. */
  readonly releases: readonly AuditedRelease[];
  readonly searches: readonly RecordedSearch[];
};

const entryJson = (entry: Entry): unknown => ({
  scenario: entry.scenario,
  difference: entry.difference,
  answers: entry.answers,
  count: entry.count,
  ...(entry.isRandom ? { random: true } : {}),
  confirmed: entry.confirmed,
  program: entry.program.map(operationJson),
});

export const recordText = ({ releases, searches }: AuditRecord): string => {
  const lines = [
    { format: FORMAT, version: VERSION, releases },
    ...searches.flatMap(({ sides, searched, random, entries }) => [
      { sides, searched, random },
      ...entries.map(entryJson),
    ]),
  ];
  return `${lines.map(jsonLine).join('\n')}\n`;
};

export const releasesIn = (fields: Fields, name: string): readonly AuditedRelease[] =>
  fields.texts(name).map((text) => {
    const release = AUDITED_RELEASES.find((known) => known === text);
    return (
      release ?? fields.fail(`"${name}" has a release other than ${AUDITED_RELEASES.join(', ')}`)
    );
  });

/** Fails if the first line names another format or version. */
export const requireFormat = (fields: Fields, format: string, version: number): void => {
  if (fields.raw('format') !== format) fields.fail(`"format" is not "${format}"`);
  if (fields.raw('version') !== version) {
    fields.fail(
      `version ${String(fields.raw('version'))} is not supported, only version ${version}`,
    );
  }
};

const headerOf = (fields: Fields): readonly AuditedRelease[] => {
  requireFormat(fields, FORMAT, VERSION);
  fields.only('format', 'version', 'releases');
  const releases = releasesIn(fields, 'releases');
  if (releases.length !== 1 && releases.length !== 2) {
    fields.fail('"releases" must have one or two releases');
  }
  return releases;
};

const platformOf = (fields: Fields): SearchedPlatform => {
  fields.only('platform', 'states', 'requests', 'undecided');
  return {
    platform: fields.text('platform'),
    states: fields.integer('states'),
    requests: fields.integer('requests'),
    undecided: fields.integer('undecided'),
  };
};

const randomOf = (fields: Fields): RandomCounts => {
  fields.only(...RANDOM_COUNTS);
  const counts = RANDOM_COUNTS.map((name) => [name, fields.integer(name)] as const);
  return Object.fromEntries(counts) as RandomCounts;
};

const searchOf = (fields: Fields): Omit<RecordedSearch, 'entries'> => {
  fields.only('sides', 'searched', 'random');
  const sides = fields.texts('sides').map((text) => SIDES.find((side) => side === text));
  const [one, other] = sides;
  if (sides.length !== 2 || one === undefined || other === undefined) {
    return fields.fail(`"sides" must be two of ${SIDES.join(', ')}`);
  }
  return {
    sides: [one, other],
    searched: fields.objects('searched').map(platformOf),
    ...(fields.has('random') ? { random: randomOf(fields.object('random')) } : {}),
  };
};

const entryOf = (fields: Fields, line: number): Entry => {
  fields.only('scenario', 'difference', 'answers', 'count', 'random', 'confirmed', 'program');
  const answers = fields.texts('answers');
  const [one, other] = answers;
  if (answers.length !== 2 || one === undefined || other === undefined) {
    return fields.fail('"answers" must be two');
  }
  const program = fields.objects('program').map((one) => one.checked(OPERATION));
  if (program.length === 0) fields.fail('"program" has no operation');
  return {
    scenario: fields.text('scenario'),
    difference: fields.text('difference'),
    answers: [one, other],
    count: fields.integer('count'),
    isRandom: fields.has('random') && fields.flag('random'),
    confirmed: releasesIn(fields, 'confirmed'),
    program,
    line,
  };
};

/** `file` names the text in messages. Throws BadInput. */
export const recordOf = (file: string, text: string): AuditRecord => {
  const lines = text.trimEnd().split('\n');
  const [header, ...others] = lines.map(
    (line, index) => new Fields(file, index + 1, parseObject(file, index + 1, line)),
  );
  if (header === undefined) throw new BadInput(file, 0, 'the file is empty');
  const releases = headerOf(header);
  const searches: (Omit<RecordedSearch, 'entries'> & { readonly entries: Entry[] })[] = [];
  for (const [index, fields] of others.entries()) {
    if (fields.has('sides')) {
      searches.push({ ...searchOf(fields), entries: [] });
      continue;
    }
    const search = searches.at(-1);
    if (search === undefined) fields.fail('there is no search before this entry');
    else search.entries.push(entryOf(fields, index + 2));
  }
  return { releases, searches };
};
