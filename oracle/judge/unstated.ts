// SPDX-License-Identifier: MIT
// Judges a call if the input does not state every fact that decides its reply. A reply is allowed if some value of the
// facts allows it; it narrows the values. A reply that no value allows is a violation.

import { U64_MAX } from '../../spec/abi/units.ts';
import {
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_IOMMU_MAP_DMA,
} from '../../spec/abi/vfio.ts';
import { nodesOf, valuesOf } from '../../spec/collections/ordered-map.ts';
import { lockedOf } from '../../spec/state/memory.ts';
import type { World } from '../../spec/state/world.ts';
import type { Call, Observation } from '../../spec/terms/call.ts';
import type { Bounds, Facts } from '../../spec/terms/facts.ts';
import {
  withCredentials,
  withDmaEntryLimit,
  withGroupsInUse,
  withInterrupts,
  withMemlock,
} from './assumed.ts';
import { availableMapsIn } from './available-maps.ts';
import { ANY_PAGES } from './facts.ts';
import type { Verdict } from './verdict.ts';

type JudgeIn = (world: World) => Verdict;

/**
 * A value of one fact that may explain a reply: the world with that value, and its effect on the world after the reply.
 */
type Candidate = { readonly world: World; readonly after: (world: World) => World };

const isAllowed = (verdict: Verdict): boolean => verdict.kind !== 'violation';

/** The smallest number within the bounds that does not allow the reply; `atLeast` allows it, the last does not. */
const thresholdOf = (
  { atLeast, below }: Bounds,
  isAllowedWith: (value: bigint) => boolean,
): bigint => {
  let allowed = atLeast;
  let refused = below - 1n;
  while (refused - allowed > 1n) {
    const middle = (allowed + refused) / 2n;
    if (isAllowedWith(middle)) allowed = middle;
    else refused = middle;
  }
  return refused;
};

const withFacts = (world: World, change: Partial<Facts>): World => ({
  ...world,
  setting: { ...world.setting, facts: { ...world.setting.facts, ...change } },
});

const raised = (bounds: Bounds, atLeast: bigint): Bounds =>
  atLeast > bounds.atLeast ? { ...bounds, atLeast } : bounds;

/** The maps that each legacy container has counted against its limit. */
function* mapsOfContainers(world: World): Generator<number> {
  for (const file of valuesOf(world.files)) {
    const type1 = file.kind === 'container' ? file.container.type1 : undefined;
    if (type1 !== undefined) yield world.setting.platform.dmaEntryLimit - type1.available;
  }
}

/** With fewer pages the reply may be a refusal. */
function* byMemlock(world: World, judgeIn: JudgeIn): Generator<Candidate> {
  const bounds = world.setting.facts?.memlock;
  if (bounds === undefined || bounds.below - bounds.atLeast < 2n) return;
  yield {
    world: withMemlock(world, bounds.atLeast),
    after: (after) => {
      const below = thresholdOf(bounds, (pages) => isAllowed(judgeIn(withMemlock(world, pages))));
      return withFacts(withMemlock(after, below - 1n), { memlock: { ...bounds, below } });
    },
  };
}

/** Without capabilities the program has the limit, and some calls are refused. */
function* byCapabilities(world: World, judgeIn: JudgeIn): Generator<Candidate> {
  if (world.setting.facts?.mayDropCapabilities === undefined) return;
  if (!world.setting.credentials.privileged) {
    // Another process may still have its capabilities.
    yield {
      world: withCredentials(world, { privileged: true }),
      after: (after) => withCredentials(after, { privileged: false }),
    };
    return;
  }
  const dropped = withCredentials(world, { privileged: false });
  if (world.setting.credentials.memlockLimit !== U64_MAX) {
    yield { world: dropped, after: (after) => after };
    return;
  }
  yield {
    world: withMemlock(dropped, 0n),
    after: (after) => {
      const isAllowedWith = (pages: bigint): boolean =>
        isAllowed(judgeIn(withMemlock(dropped, pages)));
      const most = ANY_PAGES.below - 1n;
      const below = isAllowedWith(most) ? ANY_PAGES.below : thresholdOf(ANY_PAGES, isAllowedWith);
      const assumed = withMemlock(withCredentials(after, { privileged: false }), below - 1n);
      return withFacts(assumed, { memlock: { ...ANY_PAGES, below } });
    },
  };
}

/** A limit is a whole number of 32 bits; containers count down from it. */
function* byDmaEntryLimit(
  world: World,
  call: Call,
  observation: Observation,
): Generator<Candidate> {
  const bounds = world.setting.facts?.dmaEntryLimit;
  if (bounds === undefined) return;
  const now = world.setting.platform.dmaEntryLimit;
  const reported = availableMapsIn(call, observation);
  const limits = new Set<number>();
  for (const made of mapsOfContainers(world)) {
    limits.add(made);
    if (reported !== undefined) limits.add(made + reported);
  }
  for (const limit of limits) {
    const exact = { atLeast: BigInt(limit), below: BigInt(limit) + 1n };
    if (limit === now || exact.atLeast < bounds.atLeast || exact.below > bounds.below) continue;
    yield {
      world: withDmaEntryLimit(world, limit),
      after: (after) => withFacts(after, { dmaEntryLimit: exact }),
    };
  }
  // More maps than the usual limit: the limit is higher.
  const most = bounds.below - 1n;
  if (BigInt(now) >= most) return;
  yield {
    world: withDmaEntryLimit(world, Number(most)),
    after: (after) => withFacts(after, { dmaEntryLimit: raised(bounds, BigInt(now) + 1n) }),
  };
}

function* byInterrupts(world: World): Generator<Candidate> {
  const known = world.setting.facts?.interrupts;
  if (known === undefined) return;
  const { type1 = true, iommufd = true } = known;
  if (known.type1 === undefined) {
    const interrupts = { ...known, type1: false };
    yield {
      world: withInterrupts(world, false, iommufd),
      after: (after) => withFacts(after, { interrupts }),
    };
  }
  if (known.iommufd === undefined) {
    const interrupts = { ...known, iommufd: false };
    yield {
      world: withInterrupts(world, type1, false),
      after: (after) => withFacts(after, { interrupts }),
    };
  }
}

const groupsOf = (world: World): readonly number[] => [
  ...new Set(world.setting.platform.devices.map(({ group }) => group)),
];

function* byGroupsInUse(world: World): Generator<Candidate> {
  const known = world.setting.facts?.groupsInUse;
  if (known === undefined) return;
  const inUse = world.setting.platform.groupsInUse ?? [];
  for (const group of groupsOf(world)) {
    if (known.has(group)) continue;
    const groupsInUse = new Map(known).set(group, true);
    yield {
      world: withGroupsInUse(world, [...inUse, group]),
      after: (after) => withFacts(after, { groupsInUse }),
    };
  }
}

/** The most pages charged to a process where a limit is checked. */
const lockedIn = ({ memory, processes }: World): bigint => {
  let most = memory.userLocked;
  for (const { key } of nodesOf(processes)) most = Math.max(most, lockedOf(memory, key));
  return BigInt(most);
};

/** Calls whose replies show whether a group is in use. */
const SHOW_USE: readonly number[] = [VFIO_GROUP_GET_STATUS, VFIO_GROUP_SET_CONTAINER];

/** What an allowed reply shows about the facts, in the world after it. */
const learnt = (before: World, after: World, call: Call, judgeIn: JudgeIn): World => {
  let world = after;
  const { memlock, dmaEntryLimit, groupsInUse } = world.setting.facts ?? {};
  // Charges while there was no limit show nothing.
  const isCharged =
    world.memory.accounts !== before.memory.accounts ||
    world.memory.userLocked !== before.memory.userLocked;
  if (memlock !== undefined && isCharged && lockedIn(world) > lockedIn(before)) {
    const bounds = raised(memlock, lockedIn(world));
    if (bounds !== memlock) world = withFacts(world, { memlock: bounds });
  }
  const isMap = call.kind === 'ioctl' && call.command === VFIO_IOMMU_MAP_DMA;
  if (dmaEntryLimit !== undefined && isMap) {
    const bounds = raised(dmaEntryLimit, BigInt(Math.max(0, ...mapsOfContainers(world))));
    if (bounds !== dmaEntryLimit) world = withFacts(world, { dmaEntryLimit: bounds });
  }
  if (groupsInUse !== undefined && call.kind === 'ioctl' && SHOW_USE.includes(call.command)) {
    const found = new Map(groupsInUse);
    for (const group of groupsOf(before)) {
      if (found.has(group)) continue;
      const inUse = [...(before.setting.platform.groupsInUse ?? []), group];
      if (!isAllowed(judgeIn(withGroupsInUse(before, inUse)))) found.set(group, false);
    }
    if (found.size > groupsInUse.size) world = withFacts(world, { groupsInUse: found });
  }
  return world;
};

function* candidates(
  world: World,
  call: Call,
  observation: Observation,
  judgeIn: JudgeIn,
): Generator<Candidate> {
  yield* byMemlock(world, judgeIn);
  yield* byCapabilities(world, judgeIn);
  yield* byDmaEntryLimit(world, call, observation);
  yield* byInterrupts(world);
  yield* byGroupsInUse(world);
}

/** The verdict of `judgeIn` on one call, in `before` or in a world with other values of unstated facts. */
export const judgeUnstated = (
  before: World,
  call: Call,
  observation: Observation,
  judgeIn: JudgeIn,
): Verdict => {
  const verdict = judgeIn(before);
  if (before.setting.facts === undefined) return verdict;
  if (verdict.kind !== 'violation') {
    const world = learnt(before, verdict.world, call, judgeIn);
    return world === verdict.world ? verdict : { ...verdict, world };
  }
  const explaining = [...candidates(before, call, observation, judgeIn)].filter(({ world }) =>
    isAllowed(judgeIn(world)),
  );
  const [first, ...others] = explaining;
  if (first === undefined) return verdict;
  const explained = judgeIn(first.world);
  // If several facts may explain a refusal, none is known.
  if (others.length > 0 && observation.errno !== 0) return { ...explained, world: before };
  return { ...explained, world: first.after(explained.world) };
};
