// SPDX-License-Identifier: MIT
// Mutants that no program distinguishes from the emulator, each with the reason. They are named by what they change, so that
// an entry is reported if it was killed after all, or if its code is gone.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from './mutant.ts';

/** Mutator, original and replacement; and which of those that agree in all this, from 1, where it is not the first. */
export type Change = readonly [
  mutator: string,
  original: string,
  replacement: string,
  occurrence?: number,
];

export type Equivalent = {
  /** Under model/emulator. */
  readonly file: string;
  /** One sentence. */
  readonly why: string;
  readonly changes: readonly Change[];
};

const FOLDER = join('properties', 'mutants', 'equivalents');

/** The table of the checkout at `root`: every file of the folder. */
export const equivalentsOf = (root: string): readonly Equivalent[] =>
  readdirSync(join(root, FOLDER))
    .sort()
    .flatMap((name) => JSON.parse(readFileSync(join(root, FOLDER, name), 'utf8')));

export const keysOfEquivalents = (equivalents: readonly Equivalent[]): ReadonlySet<string> =>
  new Set(
    equivalents.flatMap(({ file, changes }) =>
      changes.map(([mutator, original, replacement, occurrence = 1]) =>
        keyOf({ file: `model/emulator/${file}`, mutator, original, replacement, occurrence }),
      ),
    ),
  );
