// SPDX-License-Identifier: MIT
// Runs a program on the emulator and judges its replies, then the hidden state.

import { isDeepStrictEqual } from 'node:util';
import { expectationsOf } from '../../model/arbitrary.ts';
import type { DefectName } from '../../model/emulator/defects.ts';
import { EmulatedMachine } from '../../model/emulator/machine.ts';
import { type Machine, MachineDied } from '../../model/machine/machine.ts';
import { type Expectation, startOfProgram } from '../../model/programs/builder.ts';
import type { Program } from '../../model/programs/program.ts';
import { type Step, stepsOfProgram } from '../../model/programs/run.ts';
import { sameBytes } from '../../spec/abi/bytes.ts';
import type { World } from '../../spec/state/world.ts';
import type { Call, Segment } from '../../spec/terms/call.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { judge } from '../judge/judge.ts';
import { hiddenDifferences } from './hidden.ts';
import type { Failure, JudgedStep } from './report.ts';

export type JudgedProgram = {
  readonly steps: readonly JudgedStep[];
  readonly failure: Failure | undefined;
  /** The world after the last call that was judged. */
  readonly world: World;
};

const sameMemory = (a: readonly Segment[], b: readonly Segment[]): boolean => {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) {
    const one = a[index] as Segment;
    const other = b[index] as Segment;
    if (one.address !== other.address || !sameBytes(one.bytes, other.bytes)) return false;
  }
  return true;
};

const sameCall = (a: Call, b: Call): boolean => {
  if (a.kind === 'ioctl') {
    return (
      b.kind === 'ioctl' &&
      a.process === b.process &&
      a.fd === b.fd &&
      a.command === b.command &&
      a.argument === b.argument &&
      sameMemory(a.memory, b.memory)
    );
  }
  if (a.kind === 'open') return b.kind === 'open' && a.process === b.process && a.path === b.path;
  if (a.kind === 'close') return b.kind === 'close' && a.process === b.process && a.fd === b.fd;
  return isDeepStrictEqual(a, b);
};

/**
 * Whether the reply is exactly the one expected when the program was generated. The specification was evaluated
 * then, in the same world, and need not be evaluated again.
 */
const isAsExpected = (expected: Expectation, { call, observation }: Step): boolean => {
  const result = observation.errno === 0 ? observation.result : -observation.errno;
  return (
    expected.rule !== undefined &&
    expected.result === result &&
    sameCall(expected.call, call) &&
    sameMemory(expected.after, observation.memory)
  );
};

/** Every call's verdict, up to the first violation. */
export const judgeSteps = (
  start: World,
  steps: readonly Step[],
  expectations?: readonly Expectation[],
): JudgedProgram => {
  let world = start;
  let expected = expectations;
  const judged: JudgedStep[] = [];
  for (const [index, step] of steps.entries()) {
    const expectation = expected?.[index];
    if (expectation?.rule !== undefined && isAsExpected(expectation, step)) {
      ({ world } = expectation);
      judged.push({ step, verdict: { kind: 'conforms', rule: expectation.rule, world } });
      continue;
    }
    expected = undefined;
    const verdict = judge(world, step.call, step.observation);
    judged.push({ step, verdict });
    if (verdict.kind === 'violation') {
      return { steps: judged, failure: { kind: 'reply', verdict }, world };
    }
    world = verdict.world;
  }
  return { steps: judged, failure: undefined, world };
};

/** The steps of the program, and the message if the machine died. */
const ran = (
  program: Program,
  machine: Machine,
): { readonly steps: readonly Step[]; readonly died: string | undefined } => {
  const steps: Step[] = [];
  try {
    for (const step of stepsOfProgram(program, machine)) steps.push(step);
  } catch (error) {
    if (!(error instanceof MachineDied)) throw error;
    return { steps, died: error.message };
  }
  return { steps, died: undefined };
};

/** A program's run on a fresh emulator, judged. */
export const judgeProgram = (
  setting: Setting,
  program: Program,
  defects?: ReadonlySet<DefectName>,
  start: World = startOfProgram(setting),
): JudgedProgram => {
  const machine = new EmulatedMachine(setting, defects === undefined ? {} : { defects: defects });
  const { steps, died } = ran(program, machine);
  const judged = judgeSteps(start, steps, expectationsOf(program));
  if (judged.failure === undefined && died !== undefined) {
    return { ...judged, failure: { kind: 'death', said: died } };
  }
  if (judged.failure !== undefined) return judged;
  const differences = hiddenDifferences(judged.world, machine.hiddenState());
  return differences.length === 0
    ? judged
    : { ...judged, failure: { kind: 'hidden', differences } };
};
