// Mutants that no program can tell from the emulator, each with the reason. They are named by what they change, so that
// an entry is noticed that was killed after all, or whose code has gone.

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

export const keysOfEquivalents = (equivalents: readonly Equivalent[]): ReadonlySet<string> =>
  new Set(
    equivalents.flatMap(({ file, changes }) =>
      changes.map(([mutator, original, replacement, occurrence = 1]) =>
        keyOf({ file: `model/emulator/${file}`, mutator, original, replacement, occurrence }),
      ),
    ),
  );
