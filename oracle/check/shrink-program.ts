// SPDX-License-Identifier: MIT
// The shortest program that still ends in the same violation on the emulator: by the same rule, in the same way.

import { setImmediate } from 'node:timers/promises';
import type { DefectName } from '../../model/emulator/defects.ts';
import { startOfProgram } from '../../model/programs/builder.ts';
import { withoutDangling } from '../../model/programs/dangling.ts';
import type { Program } from '../../model/programs/program.ts';
import { smallerPrograms, startOfShrinking } from '../../model/shrink/smaller-programs.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { judgeProgram } from './judge-program.ts';
import type { Counterexample } from './report.ts';
import { type Symptom, shows, symptomOf } from './symptom.ts';

/** A shrunk program, and the number of steps. */
export type Shrunk = { readonly counterexample: Counterexample; readonly shrinks: number };

const counterexampleOf = (
  setting: Setting,
  program: Program,
  defects: ReadonlySet<DefectName> | undefined,
): Counterexample | undefined => {
  const { steps, failure } = judgeProgram(setting, program, defects);
  return failure === undefined ? undefined : { setting, program, steps, failure };
};

/** The shortest program so far, and the number of steps; yielded after each candidate. */
type Best = { readonly program: Program; readonly shrinks: number };

/**
 * Shrinks step by step, so that the caller can do other work, or stop, after each candidate. Yields nothing
 * if the program does not show the symptom.
 */
function* shrinking(
  setting: Setting,
  program: Program,
  defects: ReadonlySet<DefectName> | undefined,
  symptom: Symptom | undefined,
): Generator<Best> {
  const start = startOfProgram(setting);
  const { failure } = judgeProgram(setting, program, defects, start);
  if (failure === undefined) return;
  const wanted = symptom ?? symptomOf(failure);
  if (!shows(failure, wanted)) return;
  let best = { program, shrinks: 0 };
  let progress = startOfShrinking(program.length);
  for (let found = true; found; ) {
    found = false;
    for (const candidate of smallerPrograms(best.program, progress)) {
      if (shows(judgeProgram(setting, candidate.program, defects, start).failure, wanted)) {
        best = { program: candidate.program, shrinks: best.shrinks + 1 };
        ({ progress } = candidate);
        found = true;
        break;
      }
      yield best;
    }
    yield best;
  }
}

const shrunkTo = (
  setting: Setting,
  best: Best | undefined,
  defects: ReadonlySet<DefectName> | undefined,
): Shrunk | undefined => {
  if (best === undefined) return undefined;
  const counterexample = counterexampleOf(setting, withoutDangling(best.program), defects);
  return counterexample === undefined ? undefined : { counterexample, shrinks: best.shrinks };
};

/** Milliseconds of work before other tasks get a turn, such as signals. */
const PAUSE_EVERY = 50;

/** Lets other tasks run at intervals. */
export class Pauses {
  #last = performance.now();

  /** Await it often: it costs nothing until the interval is over. */
  async now(): Promise<void> {
    if (performance.now() - this.#last < PAUSE_EVERY) return;
    await setImmediate();
    this.#last = performance.now();
  }
}

/**
 * The shortest program found that still shows the symptom, by default the program's own. Undefined if the program does
 * not show it. It has no handle of a removed operation. If `signal` ends it early, the shortest so far.
 */
export const shrunkProgram = async (
  setting: Setting,
  program: Program,
  defects?: ReadonlySet<DefectName>,
  symptom?: Symptom,
  signal?: AbortSignal,
): Promise<Shrunk | undefined> => {
  const pauses = new Pauses();
  let best: Best | undefined;
  for (best of shrinking(setting, program, defects, symptom)) {
    await pauses.now();
    if (signal?.aborted === true) break;
  }
  return shrunkTo(setting, best, defects);
};

/** The same without a pause. */
export const shrinkProgram = (
  setting: Setting,
  program: Program,
  defects?: ReadonlySet<DefectName>,
  symptom?: Symptom,
): Counterexample | undefined => {
  let best: Best | undefined;
  for (best of shrinking(setting, program, defects, symptom));
  return shrunkTo(setting, best, defects)?.counterexample;
};
