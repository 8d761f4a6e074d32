// Runs a program on the emulator and judges what it replied, and afterwards what no reply shows.

import type { FaultName } from '../../model/emulator/faults.ts';
import { EmulatedMachine } from '../../model/emulator/machine.ts';
import { startOfProgram } from '../../model/programs/draft.ts';
import type { Program } from '../../model/programs/program.ts';
import { runProgram, type Step } from '../../model/programs/run.ts';
import { valuesOf } from '../../spec/collections/ordered-map.ts';
import type { Setting } from '../../spec/platform.ts';
import type { World } from '../../spec/world.ts';
import { judge } from '../judge/judge.ts';
import { hiddenDifferences } from './hidden.ts';
import type { Fault, JudgedStep } from './report.ts';

export type JudgedProgram = {
  readonly steps: readonly JudgedStep[];
  readonly fault: Fault | undefined;
  /** The world after the last call that was judged. */
  readonly world: World;
};

/** Every call's verdict, up to the first violation. */
export const judgeSteps = (start: World, steps: readonly Step[]): JudgedProgram => {
  let world = start;
  const judged: JudgedStep[] = [];
  for (const step of steps) {
    const verdict = judge(world, step.call, step.observation);
    judged.push({ step, verdict });
    if (verdict.kind === 'violation') {
      return { steps: judged, fault: { kind: 'reply', verdict }, world };
    }
    world = verdict.world;
  }
  return { steps: judged, fault: undefined, world };
};

/** Whether an unspecified call made the world forget something: then hidden state cannot be compared. */
export const hasForgotten = (world: World): boolean => {
  for (const file of valuesOf(world.files)) {
    if (file.kind === 'iommufd' && file.context.forgotten !== undefined) return true;
  }
  return false;
};

/** A program's run on a fresh emulator, judged. */
export const judgeProgram = (
  setting: Setting,
  program: Program,
  faults?: ReadonlySet<FaultName>,
  start: World = startOfProgram(setting),
): JudgedProgram => {
  const machine = new EmulatedMachine(setting, faults === undefined ? {} : { faults });
  const judged = judgeSteps(start, runProgram(program, machine));
  if (judged.fault !== undefined || hasForgotten(judged.world)) return judged;
  const differences = hiddenDifferences(judged.world, machine.hiddenState());
  return differences.length === 0 ? judged : { ...judged, fault: { kind: 'hidden', differences } };
};
