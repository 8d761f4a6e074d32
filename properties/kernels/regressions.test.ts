// SPDX-License-Identifier: MIT
// Traces of kernels: the specification allows the kernel's replies, and the emulator gives the same.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startOfProgram } from '../../model/programs/builder.ts';
import { judgeProgram, judgeSteps } from '../../oracle/check/judge-program.ts';
import type { TracedStep } from '../../oracle/trace/step-json.ts';
import { programOf, type Trace } from '../../oracle/trace/trace-file.ts';
import { readRegressions } from '../harness/regressions.ts';

const FIRST_DESCRIPTOR = 3;

const stepsOf = ({ operations }: Trace) =>
  operations.map(({ operation, step }) => {
    if (step === undefined) throw new Error(`${operation.label} was not run.`);
    return { label: operation.label, ...step };
  });

const OPENS = new Set(['open', 'memfd']);

/** The answer in short; descriptors have other numbers wherever a program runs. */
const answer = ({ call, observation: { result, errno } }: TracedStep): string => {
  if (errno !== 0) return `errno ${errno}`;
  const isDescriptor =
    OPENS.has(call.kind) || (call.kind === 'ioctl' && result >= FIRST_DESCRIPTOR);
  return isDescriptor ? 'a descriptor' : `${result}`;
};

const digits = (memory: TracedStep['observation']['memory']): readonly string[] =>
  memory.map(({ bytes }) => Buffer.from(bytes).toString('hex'));

/** What was written, where the struct held no descriptor that the call was made with. */
const written = (one: TracedStep, other: TracedStep): readonly (readonly string[])[] => {
  if (one.call.kind !== 'ioctl' || other.call.kind !== 'ioctl') return [[], []];
  const before = [digits(one.call.memory), digits(other.call.memory)];
  return before[0]?.join() === before[1]?.join()
    ? [digits(one.observation.memory), digits(other.observation.memory)]
    : [[], []];
};

const regressions = suite('regressions on kernels');

for (const { name, trace } of await readRegressions()) {
  regressions(`${name}: what the kernel answered is allowed`, () => {
    const { steps, failure } = judgeSteps(startOfProgram(trace.header.setting), stepsOf(trace));
    assert.is(failure, undefined);
    const unsure = steps.filter(({ verdict }) => verdict.kind !== 'conforms');
    assert.equal(
      unsure.map(({ step, verdict }) => `${step.label}: ${verdict.kind}`),
      [],
    );
  });

  regressions(`${name}: the emulator answers the same`, () => {
    const { steps, failure } = judgeProgram(trace.header.setting, programOf(trace));
    assert.is(failure, undefined);
    const reported = stepsOf(trace);
    assert.is(steps.length, reported.length);
    for (const [index, { step }] of steps.entries()) {
      const recorded = reported[index];
      if (recorded === undefined) continue;
      assert.is(answer(step), answer(recorded), step.label);
      if (/access$/.test(step.label)) continue;
      const [emulated, kernels] = written(step, recorded);
      assert.equal(emulated, kernels, step.label);
    }
  });
}

regressions.run();
