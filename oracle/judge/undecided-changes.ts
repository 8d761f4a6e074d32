// SPDX-License-Identifier: MIT
// Judges a call on a kernel whose version does not decide every change of the ABI. A reply is allowed if the release with,
// or without, one of these changes allows it. A reply that only one of the two allows decides the change.

import { nodesOf, put } from '../../spec/collections/ordered-map.ts';
import { iommuName, MOCK_IOMMU, permissionsOf } from '../../spec/hardware/templates.ts';
import { withObject } from '../../spec/state/context.ts';
import type { HardwareDomain } from '../../spec/state/domain.ts';
import type { World } from '../../spec/state/world.ts';
import type { ChangeName } from '../../spec/terms/changes.ts';
import { type Release, releaseWith, undecidedChanges } from '../../spec/terms/releases.ts';
import type { Verdict } from './verdict.ts';

type JudgeIn = (world: World) => Verdict;

/** The release with a change that it lacks, or without one that it has. */
const flipped = (release: Release, change: ChangeName): Release =>
  releaseWith(release.name, { ...release.has, [change]: !release.has[change] });

/** The fields of a record that differ, by name. */
const differing = <T extends object>(a: T, b: T): readonly (keyof T)[] =>
  (Object.keys(a) as (keyof T)[]).filter((key) => typeof a[key] !== 'object' && a[key] !== b[key]);

/** By field of a release: the changes that decide it. */
type DecidedBy = ReadonlyMap<PropertyKey, readonly ChangeName[]>;

const known = new WeakMap<Release, DecidedBy>();

/** Made once for a release, of all changes that its version does not decide. */
const decidedBy = (release: Release): DecidedBy => {
  const before = known.get(release);
  if (before !== undefined) return before;
  const found = new Map<PropertyKey, ChangeName[]>();
  for (const change of undecidedChanges(release.name)) {
    const other = flipped(release, change);
    const fields = [
      ...differing(release, other),
      ...differing(release.type1, other.type1),
      ...(release.mockPageSizes === other.mockPageSizes ? [] : ['mockPageSizes']),
    ];
    for (const field of fields) found.set(field, [...(found.get(field) ?? []), change]);
  }
  known.set(release, found);
  return found;
};

/** A set that notes what is asked of it. */
const noting = <T extends string>(
  set: ReadonlySet<T>,
  note: (name: string) => void,
): ReadonlySet<T> =>
  new Proxy(set, {
    get: (target, key) => {
      if (key !== 'has') return Reflect.get(target, key, target);
      return (name: T): boolean => {
        note(name);
        return target.has(name);
      };
    },
  });

/** The same release, which notes the undecided changes that its reader asks for. */
const watched = (
  release: Release,
  undecided: ReadonlySet<ChangeName>,
  read: Set<ChangeName>,
): Release => {
  const fields = decidedBy(release);
  const note = (name: string): void => {
    if (undecided.has(name as ChangeName)) read.add(name as ChangeName);
  };
  const noteField = (key: PropertyKey): void => {
    for (const change of fields.get(key) ?? []) if (undecided.has(change)) read.add(change);
  };
  const type1 = new Proxy(release.type1, {
    get: (target, key) => {
      noteField(key);
      return Reflect.get(target, key);
    },
  });
  const asked = {
    type1,
    absentCalls: noting(release.absentCalls, note),
    absentTestOperations: noting(release.absentTestOperations, note),
  };
  return new Proxy(release, {
    get: (target, key) => {
      noteField(key);
      return Reflect.get(key in asked ? asked : target, key);
    },
  });
};

const without = (
  undecided: ReadonlySet<ChangeName>,
  decided: readonly ChangeName[],
): ReadonlySet<ChangeName> =>
  decided.length === 0
    ? undecided
    : new Set([...undecided].filter((change) => !decided.includes(change)));

/** The verdict with the release, and what is undecided, as they are after the call. */
const settled = (
  verdict: Verdict,
  release: Release,
  undecided: ReadonlySet<ChangeName>,
): Verdict => ({ ...verdict, world: { ...verdict.world, release, undecided } });

/** Changes that a domain keeps from when it was made. */
const IN_DOMAINS: readonly ChangeName[] = ['mockPageTables', 'vtdReadPermission'];

/** The domain as another release would have made it. */
const domainOn = (domain: HardwareDomain, { setting, release }: World, other: Release) => {
  if (domain.iommu === MOCK_IOMMU) {
    const sizes = domain.pageSizes === release.mockPageSizes.plain ? 'plain' : 'huge';
    const mapsWithoutPermission = other.mockMapsWithoutPermission;
    return { ...domain, pageSizes: other.mockPageSizes[sizes], mapsWithoutPermission };
  }
  const iommu = setting.platform.iommus.find((_, index) => iommuName(index) === domain.iommu);
  return iommu === undefined ? domain : { ...domain, ...permissionsOf(iommu, other) };
};

/** The world as it would be if that had been the release from the start, as far as replies have not shown otherwise. */
const withRelease = (world: World, other: Release): World => {
  let after: World = { ...world, release: other };
  for (const { key, value: file } of nodesOf(world.files)) {
    if (file.kind === 'iommufd') {
      let { context } = file;
      for (const { key: id, value: object } of nodesOf(context.objects)) {
        if (object.kind !== 'hwpt') continue;
        const domain = domainOn(object.domain, world, other);
        context = withObject(context, id, { ...object, domain });
      }
      after = { ...after, files: put(after.files, key, { ...file, context }) };
    } else if (file.kind === 'container' && file.container.type1 !== undefined) {
      const { type1 } = file.container;
      const domains = type1.domains.map((one) => ({
        ...one,
        domain: domainOn(one.domain, world, other),
      }));
      const container = { ...file.container, type1: { ...type1, domains } };
      after = { ...after, files: put(after.files, key, { ...file, container }) };
    }
  }
  return after;
};

/** The verdict of `judgeIn` on one call, in `before` or in a world with another of the undecided changes. */
export const judgeUndecided = (before: World, judgeIn: JudgeIn): Verdict => {
  const { release, undecided } = before;
  if (undecided.size === 0) return judgeIn(before);
  const read = new Set<ChangeName>();
  const verdict = judgeIn({ ...before, release: watched(release, undecided, read) });
  if (verdict.kind === 'violation') {
    for (const change of IN_DOMAINS) if (undecided.has(change)) read.add(change);
  }
  const others = [...read].map((change) => {
    const other = flipped(release, change);
    const world = IN_DOMAINS.includes(change)
      ? withRelease(before, other)
      : { ...before, release: other };
    return { change, other, verdict: judgeIn(world) };
  });
  if (verdict.kind !== 'violation') {
    const decided = others.filter((one) => one.verdict.kind === 'violation');
    const names = decided.map(({ change }) => change);
    return settled(verdict, release, without(undecided, names));
  }
  const explaining = others.filter((one) => one.verdict.kind !== 'violation');
  const [first] = explaining;
  if (first === undefined) return settled(verdict, release, undecided);
  // Where several changes explain the reply, none is known to be the one.
  return explaining.length > 1
    ? settled(first.verdict, release, undecided)
    : settled(first.verdict, first.other, without(undecided, [first.change]));
};
