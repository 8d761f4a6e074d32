// SPDX-License-Identifier: MIT
// A program run on the instrumented emulator with a mutant switched on, and whether a campaign would notice.

import { EmulatedMachine } from '../../model/emulator/machine.ts';
import { MachineDied } from '../../model/machine/machine.ts';
import { startOfProgram } from '../../model/programs/builder.ts';
import { stepsOfProgram } from '../../model/programs/run.ts';
import { judgeProgram } from '../../oracle/check/judge-program.ts';
import type { World } from '../../spec/state/world.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { addHiddenState, addStep, Digest } from './digest.ts';
import type { Numbered } from './programs.ts';
import { countSwitches, Endless, switchesPassed, switchOn } from './switches.ts';

/** What a program shows without a mutant, and how many switches it passes. */
export type Usual = { readonly digest: string; readonly switches: number };

/** A run that passes so many times as many switches as without the mutant, and so many more, does not end. */
const PATIENCE = 20;
const LEAST_PATIENCE = 200_000;

const starts = new Map<Setting, World>();

const startIn = (setting: Setting): World => {
  const start = starts.get(setting) ?? startOfProgram(setting);
  starts.set(setting, start);
  return start;
};

/** What the program shows with the mutant that is switched on. */
export const usualOf = ({ setting, program }: Numbered): Usual => {
  const digest = new Digest();
  const machine = new EmulatedMachine(setting);
  try {
    for (const step of stepsOfProgram(program, machine)) addStep(digest, step);
  } catch (error) {
    if (!(error instanceof MachineDied)) throw error;
    digest.text(error.message);
  }
  addHiddenState(digest, machine.hiddenState());
  return { digest: digest.toString(), switches: switchesPassed() };
};

type Noticed = 'reply' | 'hidden' | 'death' | 'thrown' | 'endless';

const judged = ({ setting, program }: Numbered, usual: Usual): Noticed | undefined => {
  const start = startIn(setting);
  const limit = usual.switches * PATIENCE + LEAST_PATIENCE;
  try {
    countSwitches(limit);
    if (usualOf({ setting, program }).digest === usual.digest) return undefined;
    countSwitches(limit);
    const { failure } = judgeProgram(setting, program, undefined, start);
    return failure?.kind === 'complaint' ? undefined : failure?.kind;
  } catch (error) {
    return error instanceof Endless ? 'endless' : 'thrown';
  }
};

/** How a campaign of this one program notices the mutant; undefined where it does not. */
export const notices = (id: string, numbered: Numbered, usual: Usual): Noticed | undefined => {
  switchOn(id);
  const noticed = judged(numbered, usual);
  switchOn('');
  countSwitches();
  return noticed;
};
