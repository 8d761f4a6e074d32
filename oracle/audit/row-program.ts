// SPDX-License-Identifier: MIT
// The program of a row: the one that shows the row in most releases.

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
  /** The cause that the program shows in each release that has the row, the earliest release first. */
  readonly shown: readonly [ShownIn, ...ShownIn[]];
};

export type ShownIn = { readonly release: AuditedRelease; readonly cause: ShownCause };

/** The same difference of the same row in a release; undefined if the release does not have it. */
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

/** In the order of the rows, the rows of the latest release first. */
export const rowPrograms = (rows: RowsByRelease): readonly RowProgram[] => {
  const candidates = new Map<string, { description: Description; found: Located[] }>();
  for (const release of AUDITED_RELEASES.toReversed()) {
    for (const { description, causes } of rows.get(release) ?? []) {
      const known = candidates.get(description.id);
      if (known === undefined) candidates.set(description.id, { description, found: [...causes] });
      else known.found.push(...causes);
    }
  }
  return [...candidates.values()].map(({ description, found }) => programOf(description, found));
};
