// SPDX-License-Identifier: MIT
// The causes that can give a reply, the likeliest first.

import type { RuleId } from '../../spec/rules.ts';
import type { ReleaseName } from '../../spec/terms/releases.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import { CAUSES } from './all-causes.ts';
import { appliesIn, type CallName, pathsOf, refusalsOf } from './calls.ts';
import type { Cause } from './cause.ts';
import type { CauseId } from './cause-id.ts';
import type { Clue } from './clue.ts';
import { holdsFor } from './conditions.ts';
import { PATHS, type Path } from './path.ts';

export type Refusal = { readonly path: Path; readonly call: CallName; readonly rule: Rule<RuleId> };

/** A cause with its weight for a reply. */
export type RankedCause = {
  readonly id: CauseId;
  readonly cause: Cause;
  readonly weight: number;
  /** What speaks for it, and against it, in sentences. */
  readonly why: readonly string[];
  readonly against: readonly string[];
  /** Its rules that can refuse the call with the error, in the order of paths and checks. */
  readonly refusals: readonly Refusal[];
  /** Refusals of other calls for the same cause, on paths where the call itself has none. */
  readonly elsewhere: readonly Refusal[];
};

export type Ranking = {
  readonly causes: readonly RankedCause[];
  /** Rules of the call and error that no cause has: rare ones. */
  readonly rare: readonly Refusal[];
  /** Rules of the call and error whose condition the fields exclude. */
  readonly excluded: readonly Refusal[];
};

/** The native call that does the same. */
const COUNTERPARTS: Readonly<Partial<Record<CallName, CallName>>> = {
  VFIO_IOMMU_MAP_DMA: 'IOMMU_IOAS_MAP',
  VFIO_IOMMU_UNMAP_DMA: 'IOMMU_IOAS_UNMAP',
};

/** The container's call that does what a native one does. */
const ALIKE: Readonly<Partial<Record<CallName, CallName>>> = {
  IOMMU_IOAS_MAP: 'VFIO_IOMMU_MAP_DMA',
  IOMMU_IOAS_UNMAP: 'VFIO_IOMMU_UNMAP_DMA',
};

/** A cause that the line states itself, and one that its fields prove. */
const STATED = 200;
const PROVEN = 150;

const withCounterparts = (calls: readonly CallName[]): readonly CallName[] => [
  ...new Set(calls.flatMap((call) => [call, COUNTERPARTS[call] ?? call])),
];

const refusalsFor = (
  { calls, errno, paths }: Clue,
  releases: readonly ReleaseName[],
): readonly Refusal[] =>
  (paths ?? PATHS).flatMap((path) =>
    withCounterparts(calls)
      .filter((call) => pathsOf(call).includes(path))
      .flatMap((call) =>
        refusalsOf(call, path)
          .filter(
            (rule) => (errno === undefined || rule.errno === errno) && appliesIn(rule, releases),
          )
          .map((rule) => ({ path, call, rule })),
      ),
  );

const explainsBeyond = ({ beyond }: Cause, { calls, errno }: Clue): boolean =>
  (beyond ?? []).some(
    (one) =>
      (errno === undefined || one.errnos.includes(errno)) &&
      one.calls.some((call) => calls.includes(call)),
  );

const GROUP_CALLS: readonly CallName[] = [
  'VFIO_GROUP_SET_CONTAINER',
  'VFIO_SET_IOMMU',
  'VFIO_GROUP_GET_DEVICE_FD',
  'VFIO_DEVICE_BIND_IOMMUFD',
  'VFIO_IOMMU_MAP_DMA',
  'IOMMU_IOAS_MAP',
  'open of /dev/vfio/N',
];

const elsewhereFor = (
  cause: Cause,
  { calls }: Clue,
  refusals: readonly Refusal[],
  releases: readonly ReleaseName[],
): readonly Refusal[] => {
  const own = withCounterparts(calls);
  const others = [...calls.flatMap((call) => ALIKE[call] ?? []), ...GROUP_CALLS].filter(
    (call) => !own.includes(call),
  );
  return PATHS.filter((path) => !refusals.some((one) => one.path === path)).flatMap((path) => {
    const seen = new Set<RuleId>();
    return others.flatMap((call) =>
      refusalsOf(call, path)
        .filter((rule) => cause.rules.includes(rule.id) && appliesIn(rule, releases))
        .filter(({ id }) => !seen.has(id) && seen.add(id))
        .map((rule) => ({ path, call, rule })),
    );
  });
};

const weighed = (
  id: CauseId,
  clue: Clue,
  own: readonly Refusal[],
): Pick<RankedCause, 'weight' | 'why' | 'against'> => {
  const cause = CAUSES[id];
  const evidence = (cause.evidence ?? []).filter(({ when }) => when(clue));
  const isProven = own.some(({ rule }) => holdsFor(rule.id, clue.fields) === true);
  const isStated = clue.causes.has(id);
  const weight =
    cause.usual +
    evidence.reduce((sum, one) => sum + one.weight, 0) +
    (isProven ? PROVEN : 0) +
    (isStated ? STATED : 0);
  return {
    weight,
    why: [
      ...(isStated ? ['The message says so.'] : []),
      ...(isProven ? ['The fields of the call meet the condition.'] : []),
      ...evidence.filter((one) => one.weight > 0).map(({ why }) => why),
      ...(isStated || isProven ? [] : [cause.why]),
    ],
    against: evidence.filter((one) => one.weight < 0).map(({ why }) => why),
  };
};

/** Ranks every cause of the reply in the releases; `elsewhere` stays empty, see withElsewhere(). */
export const rank = (clue: Clue, releases: readonly ReleaseName[]): Ranking => {
  const all = refusalsFor(clue, releases);
  const excluded = all.filter(({ rule }) => holdsFor(rule.id, clue.fields) === false);
  const possible = all.filter((one) => !excluded.includes(one));
  const causes = (Object.keys(CAUSES) as CauseId[])
    .flatMap((id): readonly RankedCause[] => {
      const cause = CAUSES[id];
      const own = possible.filter(({ rule }) => cause.rules.includes(rule.id));
      const isPossible = own.length > 0 || explainsBeyond(cause, clue) || clue.causes.has(id);
      if (!isPossible) return [];
      return [{ id, cause, ...weighed(id, clue, own), refusals: own, elsewhere: [] }];
    })
    .sort((a, b) => b.weight - a.weight);
  const known = new Set(causes.flatMap(({ refusals }) => refusals));
  return { causes, rare: possible.filter((one) => !known.has(one)), excluded };
};

/** The ranking with the refusals of other calls. */
export const withElsewhere = (
  ranking: Ranking,
  clue: Clue,
  releases: readonly ReleaseName[],
): Ranking => ({
  ...ranking,
  causes: ranking.causes.map((one) => ({
    ...one,
    elsewhere: elsewhereFor(one.cause, clue, one.refusals, releases),
  })),
});
