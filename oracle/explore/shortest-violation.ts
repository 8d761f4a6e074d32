// The shortest program of an alphabet that shows a defect of the emulator, or the proof that none of so many calls does:
// every program is run, shortest first. What a defect does is not seen in the specification's worlds, so that programs which
// lead to one world are all run: two of them may leave a faulty emulator in different states.

import type { FaultName } from '../../model/emulator/faults.ts';
import type { Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/platform.ts';
import { judgeProgram } from '../check/judge-program.ts';
import type { Letter } from './letters.ts';
import { programOf } from './program-of.ts';
import { type State, WorldModel } from './world-model.ts';

export type ShortestViolation =
  /** No program of the alphabet with fewer calls shows it. */
  | { readonly kind: 'shown'; readonly program: Program; readonly programs: number }
  /** No program of the alphabet with at most so many calls shows it. */
  | { readonly kind: 'not shown'; readonly calls: number; readonly programs: number };

export type Question = {
  readonly setting: Setting;
  readonly letters: readonly Letter[];
  readonly faults: ReadonlySet<FaultName>;
  /** Calls in a program, at most: with each more there are some twenty times as many programs. */
  readonly calls: number;
};

/**
 * Every program of exactly so many calls, each with the states on its way: things are named as the specification has them,
 * which is as the emulator has them as long as nothing is wrong.
 */
function* programsOf(
  model: WorldModel,
  calls: number,
  letters: readonly Letter[],
  states: readonly State[],
): Generator<Program> {
  if (letters.length === calls) {
    yield programOf(model, letters, states);
    return;
  }
  const state = states.at(-1) as State;
  for (const letter of model.enabled(state)) {
    const next = model.step(state, letter);
    if (next !== undefined) {
      yield* programsOf(model, calls, [...letters, letter], [...states, next]);
    }
  }
}

export const shortestViolation = ({
  setting,
  letters,
  faults,
  calls: most,
}: Question): ShortestViolation => {
  const model = new WorldModel({ setting, letters });
  let programs = 0;
  for (let calls = 1; calls <= most; calls += 1) {
    for (const program of programsOf(model, calls, [], model.start())) {
      programs += 1;
      if (judgeProgram(setting, program, faults).fault !== undefined) {
        return { kind: 'shown', program, programs };
      }
    }
  }
  return { kind: 'not shown', calls: most, programs };
};
