// SPDX-License-Identifier: MIT
// The audit: searches every scenario and sorts the causes into rows.

import { type PartId, partsIn, type RuleId } from '../../spec/rules.ts';
import type { AuditedRelease } from '../emit/audited-releases.ts';
import { actionsOn } from './actions.ts';
import type { Cause, Differences, FoundDifference } from './differences.ts';
import { boundsOf, type Located, startBetween, startOn } from './located.ts';
import type { Pair } from './pair.ts';
import { SCENARIOS, type Scenario } from './platforms.ts';
import { onContainers, onReleases, type RandomSearched, randomSearch } from './random.ts';
import { requestsOn } from './requests/all.ts';
import type { Row } from './row.ts';
import { rowsOf } from './rows.ts';
import { type Bounds, type Searched, search } from './search.ts';
import type { Side } from './side.ts';

export type SearchedScenario = Searched & { readonly scenario: Scenario };

/** The random search, and the seed that repeats it. */
export type Generated = RandomSearched & { readonly seed: number };

export type Audit = {
  readonly release: AuditedRelease;
  readonly searched: readonly SearchedScenario[];
  readonly generated: Generated | undefined;
  readonly rows: readonly Row[];
};

/** Resolves to false to end the search; the causes found so far are kept. */
export type AuditWatch = (scenario: Scenario | undefined, done: number) => Promise<boolean>;

export type RandomRuns = { readonly runs: number; readonly seed: number };

export type AuditOptions = {
  readonly release: AuditedRelease;
  /** Programs to generate at random, after the exhaustive search. */
  readonly random?: RandomRuns;
  readonly watch?: AuditWatch;
};

const TEST_COMMAND = 'IOMMU_TEST_CMD';

const TEST_PARTS: ReadonlySet<string> = new Set(partsIn('Test commands'));

/** Only tests make test commands; generated programs use them as probes of hidden state. */
export const isForPrograms = ({ request, legacyRule, compatRule }: Cause): boolean =>
  request !== TEST_COMMAND && ![legacyRule, compatRule].some(({ part }) => TEST_PARTS.has(part.id));

const OUTSIDE: ReadonlySet<string> = new Set<PartId>([
  ...partsIn('Native calls'),
  ...partsIn('Test commands'),
  'ioctl-dispatch',
  'compat-dispatch',
]);

const OPENS_FIRST: RuleId = 'group-get-device-fd/opens-first';

/** Generated programs may also have an iommufd that is not the container: a move to iommufd does not change its answers. */
export const isOfContainer = ({ legacyRule: { id, part } }: Cause): boolean =>
  !OUTSIDE.has(part.id) && id !== OPENS_FIRST;

const merged = (
  known: Located | undefined,
  found: FoundDifference,
  scenario: Scenario,
): Located => {
  if (known === undefined) return { ...found, scenario };
  const count = known.count + found.count;
  return found.program.length < known.program.length
    ? { ...found, scenario, count }
    : { ...known, count };
};

type ScenariosSearched = {
  readonly searched: readonly SearchedScenario[];
  readonly all: ReadonlyMap<string, Located>;
};

const searchScenarios = async (
  start: (scenario: Scenario) => Pair,
  bounds: (scenario: Scenario) => Bounds,
  watch: AuditWatch | undefined,
): Promise<ScenariosSearched> => {
  const all = new Map<string, Located>();
  const searched: SearchedScenario[] = [];
  let continues = true;
  for (const scenario of SCENARIOS) {
    if (!continues) break;
    const differences: Differences = new Map();
    const result = await search({
      start: start(scenario),
      actions: actionsOn(scenario),
      requests: requestsOn(scenario),
      bounds: bounds(scenario),
      differences,
      watch: async (asked) => {
        continues = (await watch?.(scenario, asked)) ?? true;
        return continues;
      },
    });
    searched.push({ ...result, scenario });
    for (const found of differences.values()) {
      all.set(found.key, merged(all.get(found.key), found, scenario));
    }
  }
  return { searched, all };
};

const watchRuns = (watch: AuditWatch | undefined) => async (done: number) =>
  (await watch?.(undefined, done)) ?? true;

/** Deterministic: a release has the same rows each time. */
export const runAudit = async ({ release, random, watch }: AuditOptions): Promise<Audit> => {
  const { searched, all } = await searchScenarios(
    (scenario) => startOn(release, scenario),
    boundsOf,
    watch,
  );
  const generated =
    random === undefined
      ? undefined
      : {
          ...(await randomSearch({
            ...onContainers(release),
            ...random,
            known: new Set(all.keys()),
            watch: watchRuns(watch),
          })),
          seed: random.seed,
        };
  const found = [...all.values(), ...(generated?.found ?? [])].filter(
    (one) => isForPrograms(one) && isOfContainer(one),
  );
  return { release, searched, generated, rows: rowsOf(found) };
};

/** What changed from one release to another, on one container. */
export type Changes = {
  readonly side: Side;
  readonly searched: readonly SearchedScenario[];
  readonly generated: Generated | undefined;
  /** The shortest program first. */
  readonly found: readonly Located[];
};

export type BetweenOptions = {
  readonly earlier: AuditedRelease;
  readonly later: AuditedRelease;
  readonly random: RandomRuns;
  readonly watch?: AuditWatch;
};

/** Actions after the first ones, at most: differences between releases need fewer of them. */
const ACTIONS_BETWEEN = 6;

const byLength = (a: Located, b: Located): number => a.program.length - b.program.length;

/** The same search with two releases as the sides; native calls are generated at random. */
export const runBetween = async (options: BetweenOptions): Promise<readonly Changes[]> => {
  const { earlier, later, random, watch } = options;
  const changes: Changes[] = [];
  for (const side of ['legacy', 'compat'] as const) {
    const { searched, all } = await searchScenarios(
      (scenario) => startBetween(earlier, later, scenario, side),
      (scenario) => ({
        ...boundsOf(scenario),
        actions: Math.min(scenario.actions, ACTIONS_BETWEEN),
      }),
      watch,
    );
    const generated =
      side === 'legacy'
        ? undefined
        : {
            ...(await randomSearch({
              ...onReleases(earlier, later),
              ...random,
              known: new Set(all.keys()),
              watch: watchRuns(watch),
            })),
            seed: random.seed,
          };
    const found = [...all.values(), ...(generated?.found ?? [])]
      .filter(isForPrograms)
      .sort(byLength);
    changes.push({ side, searched, generated, found });
  }
  return changes;
};
