// SPDX-License-Identifier: MIT
// One program for a row of several releases: the one that shows it in most of them.

import { startOfProgram } from '../../model/programs/builder.ts';
import { AUDITED_RELEASES, type AuditedRelease } from '../emit/audited-releases.ts';
import { causesOf, type ShownCause } from './differences.ts';
import { type Located, settingOn } from './located.ts';
import { startOfPair } from './pair.ts';
import type { Description, Row } from './row.ts';
import { rowIdOf } from './rows.ts';

/** The rows of each release that was audited. */
export type RowsByRelease = ReadonlyMap<AuditedRelease, readonly Row[]>;

export type RowProgram = {
  readonly description: Description;
  readonly found: Located;
  /** What the program shows of the row in each release that has it, the earliest release first. */
  readonly shown: readonly [ShownIn, ...ShownIn[]];
};

export type ShownIn = { readonly release: AuditedRelease; readonly cause: ShownCause };

/** The same difference of the same row; undefined where the release's answers are no case of that. */
const causeIn = (
  release: AuditedRelease,
  { id }: Description,
  { program, scenario, what }: Located,
): ShownCause | undefined => {
  const pair = startOfPair(startOfProgram(settingOn(release, scenario)));
  for (const operation of program.slice(0, -1)) pair.add(operation);
  const last = program.at(-1);
  return last === undefined
    ? undefined
    : causesOf(pair, last).find((cause) => cause.what === what && rowIdOf(cause) === id);
};

const shownBy = (description: Description, found: Located): readonly ShownIn[] =>
  AUDITED_RELEASES.flatMap((release) => {
    const cause = causeIn(release, description, found);
    return cause === undefined ? [] : [{ release, cause }];
  });

const programOf = (description: Description, candidates: readonly Located[]): RowProgram => {
  let best: RowProgram | undefined;
  for (const found of candidates) {
    const [first, ...others] = shownBy(description, found);
    if (first === undefined || others.length < (best?.shown.length ?? 0)) continue;
    best = { description, found, shown: [first, ...others] };
    if (best.shown.length === AUDITED_RELEASES.length) break;
  }
  if (best === undefined) throw new Error(`No program shows ${description.id}.`);
  return best;
};

/** In the order of the rows, those of the latest release first. */
export const rowPrograms = (rows: RowsByRelease): readonly RowProgram[] => {
  const candidates = new Map<string, { description: Description; found: Located[] }>();
  for (const release of AUDITED_RELEASES.toReversed()) {
    for (const { description, seen } of rows.get(release) ?? []) {
      const known = candidates.get(description.id);
      if (known === undefined) candidates.set(description.id, { description, found: [...seen] });
      else known.found.push(...seen);
    }
  }
  return [...candidates.values()].map(({ description, found }) => programOf(description, found));
};
