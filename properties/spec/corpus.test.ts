// SPDX-License-Identifier: MIT
// The examples hold on the emulator: each call is decided by the rule of the example, and hidden state
// agrees at the end.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeProgram } from '../../oracle/check/judge-program.ts';
import type { JudgedStep } from '../../oracle/check/report.ts';
import { CORPUS } from '../corpus/corpus.ts';
import { describeFound } from '../harness/describe.ts';

const answer = ({ verdict }: JudgedStep): string =>
  verdict.kind === 'conforms' || verdict.kind === 'deviation' ? verdict.rule.id : verdict.kind;

for (const [part, examples] of Object.entries(CORPUS)) {
  const tests = suite(`examples: ${part}`);
  for (const { says, setting, steps } of examples) {
    tests(says, () => {
      const program = steps.map(([operation]) => operation);
      const judged = judgeProgram(setting, program);
      const { failure } = judged;
      assert.is(
        failure,
        undefined,
        failure && describeFound({ setting, program, steps: judged.steps, failure }),
      );
      assert.equal(
        judged.steps.map((step, index) => `${program[index]?.label}: ${answer(step)}`),
        steps.map(([{ label }, rule]) => `${label}: ${rule}`),
      );
    });
  }
  tests.run();
}
