// SPDX-License-Identifier: MIT
// Differences grouped by cause: the request, the rule that answers it on each side, and the kind of difference. Each cause
// keeps the shortest program that showed it.

import type { Operation, Program } from '../../model/programs/program.ts';
import { PROCESS } from '../../model/programs/run.ts';
import type { Fd } from '../../spec/abi/units.ts';
import {
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
} from '../../spec/abi/vfio.ts';
import { partIdOf, ruleIdOf } from '../../spec/rules.ts';
import { fileAt, type World } from '../../spec/state/world.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import type { DifferenceKind } from './answer-difference.ts';
import { chargeDifferences } from './charge.ts';
import { differenceKindsOf } from './difference-kinds.ts';
import type { Answers, Pair } from './pair.ts';
import { reachDifferences } from './reach.ts';
import { requestName } from './request-name.ts';

export type Cause = {
  readonly request: string;
  readonly what: string;
  readonly situation: Situation | undefined;
  readonly legacyRule: Rule;
  readonly compatRule: Rule;
};

/**
 * The part of the state that the answers depend on, besides the rules. An iommufd has domains only while devices are open;
 * a legacy container has them from SET_IOMMU on.
 */
export type Situation =
  | 'no device is open'
  | 'a device is open'
  | 'what was mapped is gone from memory'
  | 'the kernel uses a device';

export type FoundDifference = Cause & {
  readonly key: string;
  readonly kind: DifferenceKind;
  /** As on the legacy side; the last operation shows the difference. */
  readonly program: Program;
  /** How many programs showed it. */
  readonly count: number;
};

export type Differences = Map<string, FoundDifference>;

const keyOf = ({ request, what, situation, legacyRule, compatRule }: Cause): string =>
  `${request} | ${what} | ${situation ?? ''} | ${legacyRule.id} | ${compatRule.id}`;

const note = (
  differences: Differences,
  cause: Cause,
  kind: DifferenceKind,
  program: Program,
): void => {
  const key = keyOf(cause);
  const known = differences.get(key);
  if (known === undefined) {
    differences.set(key, { ...cause, key, kind, program: [...program], count: 1 });
  } else {
    const isShorter = program.length < known.program.length;
    const best = isShorter ? { ...known, kind, program: [...program] } : known;
    differences.set(key, { ...best, count: known.count + 1 });
  }
};

/** Whether the program unmapped memory: this matters if the memory is pinned only now. */
const memoryIn = (program: Program): Situation | undefined =>
  program.some(({ op }) => op === 'munmap') ? 'what was mapped is gone from memory' : undefined;

/** An mdev needs no domain, and a device without an IOMMU has none. */
const isTranslated = ({ setting }: World, name: string): boolean =>
  setting.platform.devices.some(
    (device) => device.name === name && typeof device.iommu === 'number',
  );

const isDeviceOpen = (world: World, fd: Fd): boolean => {
  const file = fileAt(world, PROCESS, fd);
  return [...world.devices].some(
    ([name, device]) =>
      device.kind === 'bound' && device.iommufd === file && isTranslated(world, name),
  );
};

/** `before` is the iommufd's world before the call. */
const situationOf = (
  { legacy, compat }: Answers,
  { what }: DifferenceKind,
  program: Program,
  before: World,
): Situation | undefined => {
  const { call } = compat;
  if (call.kind !== 'ioctl') return undefined;
  if (call.command === VFIO_IOMMU_GET_INFO && what !== 'result') {
    return isDeviceOpen(before, call.fd) ? 'a device is open' : 'no device is open';
  }
  if (call.command === VFIO_GROUP_GET_STATUS && before.setting.platform.groupsInUse !== undefined) {
    return 'the kernel uses a device';
  }
  if (
    legacy.rule !== undefined &&
    ruleIdOf(legacy.rule) === 'type1-locked-memory/process-limit' &&
    call.command === VFIO_IOMMU_MAP_DMA
  ) {
    return isDeviceOpen(before, call.fd) ? 'a device is open' : 'no device is open';
  }
  const showsMemory =
    call.command === VFIO_GROUP_GET_DEVICE_FD &&
    legacy.result >= 0 &&
    compat.rule !== undefined &&
    partIdOf(compat.rule) === 'pinning';
  return showsMemory ? memoryIn(program) : undefined;
};

/** The outcome of an operation on both sides. */
export type Outcome = 'both-succeeded' | 'both-failed' | 'diverged' | 'undecided';

const isResult = ({ what }: DifferenceKind): boolean => what === 'result';

/** An operation on both sides, and the differences between the answers, what devices reach and what is charged. */
export type Compared = {
  readonly answers: Answers;
  readonly kinds: readonly DifferenceKind[];
  readonly outcome: Outcome;
};

/** Adds the operation to the pair. Compares nothing if a side does not specify it. */
export const compared = (pair: Pair, operation: Operation): Compared => {
  const before = { legacy: pair.legacy.world, compat: pair.compat.world };
  const answers = pair.add(operation);
  const { legacy, compat } = answers;
  if (legacy.rule === undefined || compat.rule === undefined) {
    return { answers, kinds: [], outcome: 'undecided' };
  }
  const kinds = [...differenceKindsOf(operation, legacy, compat)];
  if (legacy.result >= 0 !== compat.result >= 0) {
    // If only one side grants it, the fields that the other one did not write are no further difference.
    return { answers, kinds: kinds.filter(isResult), outcome: 'diverged' };
  }
  const reached = [...reachDifferences(legacy.world, compat.world)];
  const charged = chargeDifferences(before, legacy.world, compat.world);
  return {
    answers,
    kinds: [...kinds, ...reached, ...charged],
    outcome:
      reached.length > 0 ? 'diverged' : legacy.result >= 0 ? 'both-succeeded' : 'both-failed',
  };
};

type Noted = { readonly cause: Cause; readonly kind: DifferenceKind };

/** Adds the operation to the pair. Returns its outcome and the causes that it shows. */
const notedIn = (
  pair: Pair,
  operation: Operation,
): { readonly outcome: Outcome; readonly noted: readonly Noted[] } => {
  const before = pair.compat.world;
  const { answers, kinds, outcome } = compared(pair, operation);
  const { rule: legacyRule } = answers.legacy;
  const { rule: compatRule } = answers.compat;
  if (legacyRule === undefined || compatRule === undefined) return { outcome, noted: [] };
  const noted = kinds.map((kind) => {
    const situation = situationOf(answers, kind, pair.program, before);
    const request = requestName(operation, pair.isOfReleases);
    return { kind, cause: { request, what: kind.what, situation, legacyRule, compatRule } };
  });
  return { outcome, noted };
};

/** A cause as one operation shows it. */
export type ShownCause = Cause & Pick<FoundDifference, 'key' | 'kind'>;

/** Adds the operation to the pair. Returns the causes that it shows. */
export const causesOf = (pair: Pair, operation: Operation): readonly ShownCause[] =>
  notedIn(pair, operation).noted.map(({ cause, kind }) => ({
    ...cause,
    kind,
    key: keyOf(cause),
  }));

/** Adds the operation to the pair, and its causes to the differences. */
export const noteDifferences = (
  pair: Pair,
  operation: Operation,
  differences: Differences,
): Outcome => {
  const { outcome, noted } = notedIn(pair, operation);
  for (const { cause, kind } of noted) note(differences, cause, kind, pair.program);
  return outcome;
};
