// SPDX-License-Identifier: MIT
// Where a cause was found, and how a program begins there.

import { startOfProgram } from '../../model/programs/builder.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { AuditedRelease } from '../emit/audited-releases.ts';
import type { FoundDifference } from './differences.ts';
import { type Pair, startOfPair, startOfReleases } from './pair.ts';
import type { Scenario } from './platforms.ts';
import type { Bounds } from './search.ts';
import type { Side } from './side.ts';

/** A cause and where it was found. */
export type Located = FoundDifference & {
  readonly scenario: Scenario;
  /** The exhaustive search has not found it: a program generated at random showed it. */
  readonly isGenerated?: true;
};

const MOST_STATES = 100_000;

export const settingOn = (
  release: AuditedRelease,
  { platform, credentials }: Scenario,
): Setting => ({
  release,
  platform,
  credentials,
});

/** Both sides, with what each program on the scenario does first. */
export const startOn = (release: AuditedRelease, scenario: Scenario): Pair => {
  const pair = startOfPair(startOfProgram(settingOn(release, scenario)));
  for (const operation of scenario.prologue) pair.add(operation);
  return pair;
};

export const boundsOf = ({ actions }: Scenario): Bounds => ({
  actions,
  states: MOST_STATES,
});

/** One container in two releases, with what each program on the scenario does first. */
export const startBetween = (
  earlier: AuditedRelease,
  later: AuditedRelease,
  scenario: Scenario,
  side: Side,
): Pair => {
  const [one, other] = [earlier, later].map((name) => startOfProgram(settingOn(name, scenario)));
  if (one === undefined || other === undefined) throw new Error('Two releases make two worlds.');
  const pair = startOfReleases(one, other, side);
  for (const operation of scenario.prologue) pair.add(operation);
  return pair;
};
