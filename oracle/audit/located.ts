// Where a cause was found, and how a program begins there.

import { startOfProgram } from '../../model/programs/builder.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { ReleaseName } from '../../spec/terms/releases.ts';
import type { Found } from './differences.ts';
import type { Ground } from './platforms.ts';
import type { Bounds } from './search.ts';
import type { Side } from './side.ts';
import { startOfReleases, startOfTwin, type Twin } from './twin.ts';

/** A cause and where it was found. */
export type Located = Found & {
  readonly ground: Ground;
  /** The exhaustive search has not found it: a program drawn at random showed it. */
  readonly isDrawn?: true;
};

const MOST_STATES = 100_000;

export const settingOn = (release: ReleaseName, { platform, credentials }: Ground): Setting => ({
  release,
  platform,
  credentials,
});

/** Both sides, with what each program on the ground does first. */
export const startOn = (release: ReleaseName, ground: Ground): Twin => {
  const twin = startOfTwin(startOfProgram(settingOn(release, ground)));
  for (const operation of ground.prologue) twin.add(operation);
  return twin;
};

export const boundsOf = ({ moves }: Ground): Bounds => ({
  moves,
  states: MOST_STATES,
});

/** One container in two releases, with what each program on the ground does first. */
export const startBetween = (
  earlier: ReleaseName,
  later: ReleaseName,
  ground: Ground,
  side: Side,
): Twin => {
  const [one, other] = [earlier, later].map((name) => startOfProgram(settingOn(name, ground)));
  if (one === undefined || other === undefined) throw new Error('Two releases make two worlds.');
  const twin = startOfReleases(one, other, side);
  for (const operation of ground.prologue) twin.add(operation);
  return twin;
};
