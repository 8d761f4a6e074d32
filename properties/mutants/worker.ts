// SPDX-License-Identifier: MIT
// A process that tries mutants on the instrumented copy. Its arguments are the folder of the programs, and a mutant
// that is on from the first module on, if there is one. It answers each message with one.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { collectReached, countSwitches, switchOn } from './switches.ts';

export type Asked =
  /** Runs the programs from 0 on without a mutant, and writes the survey into a file. */
  | { readonly ask: 'survey'; readonly count: number; readonly most: number; readonly file: string }
  /** Tries a mutant on programs, until one shows it. */
  | { readonly ask: 'try'; readonly id: string; readonly numbers: readonly number[] };

export type Answer =
  | { readonly answer: 'surveyed' }
  | {
      readonly answer: 'tried';
      readonly id: string;
      readonly kind: 'reply' | 'hidden' | 'death' | 'thrown' | 'endless' | 'survived';
      /** The program that showed it, or how many did not. */
      readonly number: number;
    };

/** Mutants that no call of a program may end: loading modules passes that many switches at most. */
const LOADING = 10_000_000;

const [folder = '.', fromTheStart] = process.argv.slice(2);

const load = async () => {
  const reachedOnLoad = new Set<string>();
  collectReached(reachedOnLoad);
  switchOn(fromTheStart ?? '');
  countSwitches(LOADING);
  const [{ GeneratedPrograms }, { notices, usualOf }, { surveyOf }] = await Promise.all([
    import('./programs.ts'),
    import('./trial.ts'),
    import('./survey.ts'),
  ]);
  countSwitches();
  collectReached(undefined);
  return { programs: new GeneratedPrograms(folder), notices, usualOf, surveyOf, reachedOnLoad };
};

type Loaded = Awaited<ReturnType<typeof load>>;

const survey = (
  loaded: Loaded,
  { count, most, file }: Extract<Asked, { ask: 'survey' }>,
): Answer => {
  const { programs, usualOf, surveyOf, reachedOnLoad } = loaded;
  const run = (number: number) => {
    countSwitches();
    return usualOf(programs.at(number));
  };
  const found = surveyOf({ count, most, run, collect: collectReached, reachedOnLoad });
  writeFileSync(file, serialize(found));
  return { answer: 'surveyed' };
};

let usual: readonly { readonly digest: string; readonly switches: number }[] | undefined;

const attempt = (loaded: Loaded, id: string, numbers: readonly number[]): Answer => {
  usual ??= deserialize(readFileSync(join(folder, 'usual.bin'))) as NonNullable<typeof usual>;
  for (const number of numbers) {
    const its = usual[number];
    if (its === undefined) throw new Error(`Program ${number} was not surveyed.`);
    const kind = loaded.notices(id, loaded.programs.at(number), its);
    if (kind !== undefined) return { answer: 'tried', id, kind, number };
  }
  return { answer: 'tried', id, kind: 'survived', number: numbers.length };
};

const answerTo = (loaded: Loaded, asked: Asked): Answer =>
  asked.ask === 'survey' ? survey(loaded, asked) : attempt(loaded, asked.id, asked.numbers);

/** A mutant that keeps modules from being loaded is as dead as can be. */
const loaded = await load().catch(() => undefined);

process.on('message', (asked: Asked) => {
  if (loaded !== undefined) {
    process.send?.(answerTo(loaded, asked));
  } else if (asked.ask === 'try') {
    process.send?.({ answer: 'tried', id: asked.id, kind: 'thrown', number: 0 } satisfies Answer);
  }
});
process.on('disconnect', () => process.exit());
