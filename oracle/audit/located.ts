// SPDX-License-Identifier: MIT
// The scenario in which a cause was found, and the start of its programs.

import { startOfProgram } from '../../model/programs/builder.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { AuditedRelease } from '../emit/audited-releases.ts';
import type { FoundDifference } from './differences.ts';
import { type Pair, startOfPair, startOfReleases } from './pair.ts';
import type { Scenario } from './platforms.ts';
import type { Bounds } from './search.ts';
import type { Side } from './side.ts';

/** A cause and its scenario. */
export type Located = FoundDifference & {
  readonly scenario: Scenario;
  /** Only a program generated at random showed it, not the exhaustive search. */
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

/** Both sides after the scenario's prologue. */
export const startOn = (release: AuditedRelease, scenario: Scenario): Pair => {
  const pair = startOfPair(startOfProgram(settingOn(release, scenario)));
  for (const operation of scenario.prologue) pair.add(operation);
  return pair;
};

export const boundsOf = ({ actions }: Scenario): Bounds => ({
  actions,
  states: MOST_STATES,
});

/** One container in two releases, after the scenario's prologue. */
export const startBetween = (
  earlier: AuditedRelease,
  later: AuditedRelease,
  scenario: Scenario,
  side: Side,
): Pair => {
  const [one, other] = [earlier, later].map((name) => startOfProgram(settingOn(name, scenario)));
  if (one === undefined || other === undefined) throw new Error('Two releases have two worlds.');
  const pair = startOfReleases(one, other, side);
  for (const operation of scenario.prologue) pair.add(operation);
  return pair;
};
