// SPDX-License-Identifier: MIT
// Programs as syzkaller programs. The law: the text, read back, makes the same calls with the same
// bytes, and it has only what syzkaller's own reader accepts.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programs } from '../../../model/arbitrary.ts';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import { withoutDangling } from '../../../model/programs/dangling.ts';
import type { Operation, Program } from '../../../model/programs/program.ts';
import { runProgram, type Step } from '../../../model/programs/run.ts';
import { RefusedOperation, syzText } from '../../../oracle/syz/write-program.ts';
import type { Setting } from '../../../spec/terms/platform.ts';
import { readSyz } from '../../helpers/read-syz.ts';
import { SETTINGS } from '../../helpers/settings.ts';

const isFirst = ({ op }: Operation): boolean => op === 'mmap' || op === 'munmap';

/** The calls from the first on that changes no memory, without unreadable memory. */
const callsOf = (program: Program, setting: Setting): readonly unknown[] => {
  const steps: readonly Step[] = runProgram(program, new EmulatedMachine(setting));
  const begins = program.findIndex((operation) => !isFirst(operation));
  return steps.slice(begins < 0 ? steps.length : begins).map(({ call, observation }) => ({
    call: {
      ...call,
      ...(call.kind === 'ioctl'
        ? { memory: call.memory.filter(({ bytes }) => bytes.length > 0) }
        : {}),
    },
    result: observation.result,
    errno: observation.errno,
  }));
};

/** The program without the operations that are refused, and how many these are. */
const writable = (program: Program): { readonly program: Program; readonly refused: number } => {
  let rest = withoutDangling(program);
  for (let refused = 0; ; refused += 1) {
    try {
      syzText(rest, []);
      return { program: rest, refused };
    } catch (error) {
      if (!(error instanceof RefusedOperation)) throw error;
      const { operation } = error;
      rest = withoutDangling(rest.filter((one) => one !== operation));
    }
  }
};

const test = suite('a program as a syzkaller program');

test('is read as the same program: the same calls with the same bytes', () => {
  let kept = 0;
  let refused = 0;
  for (const setting of SETTINGS) {
    fc.assert(
      fc.property(programs(setting, 24), (generated) => {
        const written = writable(generated);
        if (written.program.length === 0) return;
        kept += written.program.length;
        refused += written.refused;
        const text = syzText(written.program, ['a comment']);
        const read = readSyz(text);
        assert.equal(read.notes, [], text);
        assert.equal(
          callsOf(read.program, setting),
          callsOf(written.program, setting),
          `${text}\nis read otherwise`,
        );
        assert.is(syzText(read.program, ['a comment']).length > 0, true);
      }),
      { numRuns: 60, seed: 11 },
    );
  }
  // Groups, devices and calls that syzkaller does not describe are refused.
  assert.ok(kept > refused, `${refused} operations of ${kept + refused} are refused`);
});

test.run();
