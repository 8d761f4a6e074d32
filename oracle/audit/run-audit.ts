// The audit: searches every ground, and sorts what was found into rows.

import { startOfProgram } from '../../model/programs/draft.ts';
import type { Setting } from '../../spec/platform.ts';
import type { ReleaseName } from '../../spec/releases.ts';
import type { Differences, Found } from './differences.ts';
import { GROUNDS, type Ground } from './platforms.ts';
import { requestsOn } from './requests/all.ts';
import type { Row } from './row.ts';
import { rowsOf } from './rows.ts';
import { type Bounds, type Searched, search } from './search.ts';
import { movesOn } from './structure.ts';
import { startOfTwin, type Twin } from './twin.ts';

/** A cause and where it was found. */
export type Located = Found & { readonly ground: Ground };

export type Audit = {
  readonly release: ReleaseName;
  readonly searched: readonly (Searched & { readonly ground: Ground })[];
  readonly rows: readonly Row[];
};

export type AuditOptions = {
  readonly release: ReleaseName;
  /** Answers false where the search is to end; what was found so far is kept. */
  readonly watch?: (ground: Ground, asked: number) => Promise<boolean>;
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

const merged = (known: Located | undefined, found: Found, ground: Ground): Located => {
  if (known === undefined) return { ...found, ground };
  const count = known.count + found.count;
  return found.program.length < known.program.length
    ? { ...found, ground, count }
    : { ...known, count };
};

/** Deterministic: the same release has the same rows each time. */
export const runAudit = async ({ release, watch }: AuditOptions): Promise<Audit> => {
  const all = new Map<string, Located>();
  const searched: Audit['searched'][number][] = [];
  for (const ground of GROUNDS) {
    const differences: Differences = new Map();
    const result = await search(
      startOn(release, ground),
      movesOn(ground),
      requestsOn(ground),
      boundsOf(ground),
      differences,
      async (asked) => (await watch?.(ground, asked)) ?? true,
    );
    searched.push({ ...result, ground });
    for (const found of differences.values()) {
      all.set(found.key, merged(all.get(found.key), found, ground));
    }
  }
  return { release, searched, rows: rowsOf([...all.values()]) };
};
