// SPDX-License-Identifier: MIT
// A program means the same on the emulator and on a kernel: both preparations make the same calls,
// with the same bytes in memory.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programs } from '../../../model/arbitrary.ts';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import type { Program } from '../../../model/programs/program.ts';
import { runProgram } from '../../../model/programs/run.ts';
import type { Setting } from '../../../spec/terms/platform.ts';
import { nameOf, SETTINGS, settingOf } from '../../helpers/settings.ts';
import { executedOn } from './emulated-kernel.ts';
import { hostilePrograms } from './hostile.ts';

const sameOnBoth = (setting: Setting, program: Program): void => {
  const directly = runProgram(program, new EmulatedMachine(setting));
  const { steps, refused } = executedOn(new EmulatedMachine(setting), program);
  assert.is(refused, undefined);
  assert.equal(steps, directly);
};

const preparation = suite('preparation');

for (const setting of SETTINGS) {
  preparation(`compiled programs do what programs do (${nameOf(setting)})`, () => {
    const law = fc.property(programs(setting, 40), (program) => sameOnBoth(setting, program));
    fc.assert(law, { seed: 1, numRuns: 20 });
  });
}

/** Mapped memory within the arena only: on a kernel other addresses are refused. */
const keepsToArena = (program: Program): boolean =>
  program.every((operation) => operation.op === 'ioctl' || operation.op === 'memfd');

preparation('so do programs that the generator never makes', () => {
  const setting = settingOf('mock');
  const length = { minLength: 1, maxLength: 10 };
  const law = fc.property(hostilePrograms([], length), (program) => {
    fc.pre(keepsToArena(program));
    sameOnBoth(setting, program);
  });
  fc.assert(law, { seed: 1, numRuns: 200 });
});

preparation.run();
