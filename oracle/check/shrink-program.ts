// The shortest program that still ends in a violation on the emulator.

import type { FaultName } from '../../model/emulator/faults.ts';
import { startOfProgram } from '../../model/programs/builder.ts';
import type { Program } from '../../model/programs/program.ts';
import { smallerPrograms, startOfShrinking } from '../../model/shrink/smaller-programs.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { judgeProgram } from './judge-program.ts';
import type { Counterexample } from './report.ts';

/** A program that was made shorter, and in how many steps. */
export type Shrunk = { readonly counterexample: Counterexample; readonly shrinks: number };

const counterexampleOf = (
  setting: Setting,
  program: Program,
  faults: ReadonlySet<FaultName> | undefined,
): Counterexample | undefined => {
  const { steps, fault } = judgeProgram(setting, program, faults);
  return fault === undefined ? undefined : { setting, program, steps, fault };
};

/**
 * The shortest program that still ends in a violation, as far as taking away and simplifying finds one. Undefined where
 * this one ends in none.
 */
export const shrunkProgram = (
  setting: Setting,
  program: Program,
  faults?: ReadonlySet<FaultName>,
): Shrunk | undefined => {
  const start = startOfProgram(setting);
  const fails = (candidate: Program): boolean =>
    judgeProgram(setting, candidate, faults, start).fault !== undefined;
  if (!fails(program)) return undefined;
  let best = program;
  let progress = startOfShrinking(program.length);
  for (let shrinks = 0; ; shrinks += 1) {
    let smaller: { readonly program: Program; readonly progress: typeof progress } | undefined;
    for (const candidate of smallerPrograms(best, progress)) {
      if (fails(candidate.program)) {
        smaller = candidate;
        break;
      }
    }
    if (smaller === undefined) {
      const counterexample = counterexampleOf(setting, best, faults);
      return counterexample === undefined ? undefined : { counterexample, shrinks };
    }
    best = smaller.program;
    progress = smaller.progress;
  }
};

export const shrinkProgram = (
  setting: Setting,
  program: Program,
  faults?: ReadonlySet<FaultName>,
): Counterexample | undefined => shrunkProgram(setting, program, faults)?.counterexample;
