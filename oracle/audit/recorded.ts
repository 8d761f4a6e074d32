// SPDX-License-Identifier: MIT
// Converts an audit to its record and back. Reading a record runs its programs on the specification, which must still give
// the recorded answers.

import { startOfProgram } from '../../model/programs/builder.ts';
import type { AuditedRelease } from '../emit/audited-releases.ts';
import { BadInput } from '../trace/bad-input.ts';
import { jsonLine } from '../trace/json-line.ts';
import { operationJson } from '../trace/operation-json.ts';
import { causesOf } from './differences.ts';
import { type Located, settingOn } from './located.ts';
import { type Pair, startOfPair, startOfReleases } from './pair.ts';
import { SCENARIOS, type Scenario } from './platforms.ts';
import type {
  AuditRecord,
  Entry,
  RandomCounts,
  RecordedSearch,
  SearchedPlatform,
} from './record.ts';
import type { Row } from './row.ts';
import { rowsOf } from './rows.ts';
import type { Audit, Changes, Generated, SearchedScenario } from './run-audit.ts';
import { SIDES, type Side } from './side.ts';

/** The releases whose kernels showed a cause, by the cause's key, or a row's C file, by the row's id. */
export type ShownOn = ReadonlyMap<string, readonly AuditedRelease[]>;

type Searches = {
  readonly searched: readonly SearchedPlatform[];
  readonly random?: RandomCounts;
};

export type RecordedAudit = Searches & {
  readonly release: AuditedRelease;
  readonly rows: readonly Row[];
  readonly confirmed: ShownOn;
};

export type RecordedChanges = {
  readonly earlier: AuditedRelease;
  readonly later: AuditedRelease;
  readonly containers: readonly (Searches & {
    readonly side: Side;
    readonly found: readonly Located[];
  })[];
};

type Ended = {
  readonly searched: readonly SearchedScenario[];
  readonly generated: Generated | undefined;
};

const searchesOf = ({ searched, generated }: Ended): Searches => ({
  searched: searched.map(({ scenario, states, requests, undecided }) => ({
    platform: scenario.name,
    states,
    requests,
    undecided,
  })),
  ...(generated === undefined ? {} : { random: { ...generated, found: generated.found.length } }),
});

export const recordedAudit = (audit: Audit): RecordedAudit => ({
  ...searchesOf(audit),
  release: audit.release,
  rows: audit.rows,
  confirmed: new Map(),
});

export const recordedChanges = (
  releases: Pick<RecordedChanges, 'earlier' | 'later'>,
  all: readonly Changes[],
): RecordedChanges => ({
  ...releases,
  containers: all.map((changes) => ({
    ...searchesOf(changes),
    side: changes.side,
    found: changes.found,
  })),
});

const entryOf = (found: Located, confirmed: ShownOn): Entry => ({
  scenario: found.scenario.name,
  difference: found.what,
  answers: [found.kind.legacy, found.kind.compat],
  count: found.count,
  isRandom: found.isGenerated === true,
  confirmed: confirmed.get(found.key) ?? [],
  program: found.program,
  line: 0,
});

export const recordOfAudit = ({
  release,
  rows,
  confirmed,
  ...searches
}: RecordedAudit): AuditRecord => {
  const entries = rows.flatMap(({ causes }) => causes).map((found) => entryOf(found, confirmed));
  return { releases: [release], searches: [{ ...searches, sides: SIDES, entries }] };
};

export const recordOfChanges = ({ earlier, later, containers }: RecordedChanges): AuditRecord => ({
  releases: [earlier, later],
  searches: containers.map(({ side, found, ...searches }) => ({
    ...searches,
    sides: [side, side],
    entries: found.map((one) => entryOf(one, new Map())),
  })),
});

const withoutConfirmed = ({ scenario, difference, answers, program }: Entry): string =>
  jsonLine([scenario, difference, answers, program.map(operationJson)]);

/** Takes over from `before` which kernels confirmed a program, if the program and its answers are the same. */
export const keepingConfirmed = (audit: RecordedAudit, before: AuditRecord): RecordedAudit => {
  const known = new Map(
    before.searches
      .flatMap(({ entries }) => entries)
      .map((entry) => [withoutConfirmed(entry), entry.confirmed] as const),
  );
  const confirmed = new Map(audit.confirmed);
  for (const found of audit.rows.flatMap(({ causes }) => causes)) {
    const kernels = known.get(withoutConfirmed(entryOf(found, confirmed)));
    if (kernels !== undefined && kernels.length > 0) confirmed.set(found.key, kernels);
  }
  return { ...audit, confirmed };
};

const startOf = (
  [earlier, later]: readonly AuditedRelease[],
  [side]: RecordedSearch['sides'],
  scenario: Scenario,
): Pair => {
  if (earlier === undefined) throw new Error('A record has at least one release.');
  const start = startOfProgram(settingOn(earlier, scenario));
  return later === undefined
    ? startOfPair(start)
    : startOfReleases(start, startOfProgram(settingOn(later, scenario)), side);
};

const locatedOf = (
  file: string,
  releases: readonly AuditedRelease[],
  sides: RecordedSearch['sides'],
  { scenario: name, difference, answers, count, isRandom, program, line }: Entry,
): Located => {
  const isStale = (why: string): never => {
    throw new BadInput(file, line, `${why}; run the audit again`);
  };
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined) return isStale(`the audit has no scenario "${name}"`);
  const last = program.at(-1);
  if (last === undefined) return isStale('the program has no operation');
  const pair = startOf(releases, sides, scenario);
  for (const operation of program.slice(0, -1)) pair.add(operation);
  const cause = causesOf(pair, last).find(({ what }) => what === difference);
  if (cause === undefined) return isStale(`the answers do not differ in "${difference}"`);
  const specified = [cause.kind.legacy, cause.kind.compat];
  if (specified.join('\n') !== answers.join('\n')) {
    return isStale(`the answers are ${specified.join(' and ')}, not ${answers.join(' and ')}`);
  }
  return { ...cause, program, count, scenario, ...(isRandom ? { isGenerated: true } : {}) };
};

const foundIn = (
  file: string,
  releases: readonly AuditedRelease[],
  { sides, entries }: RecordedSearch,
): readonly Located[] => entries.map((entry) => locatedOf(file, releases, sides, entry));

const countsOf = ({ searched, random }: RecordedSearch): Searches => ({
  searched,
  ...(random === undefined ? {} : { random }),
});

/** Throws BadInput if the specification does not give the answers of `file`, or if that has not one release. */
export const auditOf = (file: string, { releases, searches }: AuditRecord): RecordedAudit => {
  const [release, other] = releases;
  const [search] = searches;
  if (release === undefined || other !== undefined || search === undefined) {
    throw new BadInput(file, 0, 'this is no record of one release');
  }
  const found = foundIn(file, releases, search);
  const confirmed = new Map<string, readonly AuditedRelease[]>();
  for (const [index, { key }] of found.entries()) {
    const kernels = search.entries[index]?.confirmed ?? [];
    if (kernels.length > 0) confirmed.set(key, kernels);
  }
  return { ...countsOf(search), release, rows: rowsOf(found), confirmed };
};

/** The same for a record of two releases. */
export const changesOf = (file: string, { releases, searches }: AuditRecord): RecordedChanges => {
  const [earlier, later] = releases;
  if (earlier === undefined || later === undefined) {
    throw new BadInput(file, 0, 'this is no record of two releases');
  }
  const containers = searches.map((search) => ({
    ...countsOf(search),
    side: search.sides[0],
    found: foundIn(file, releases, search),
  }));
  return { earlier, later, containers };
};
