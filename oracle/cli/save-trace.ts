// SPDX-License-Identifier: MIT
// Writes a counterexample to a trace file, which can be replayed, shrunk and sent to others.

import type { DefectName } from '../../model/emulator/defects.ts';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import { type Counterexample, type Failure, upToFailure } from '../check/report.ts';
import { type Trace, type TraceFailure, traceLines } from '../trace/trace-file.ts';
import { writeResult } from './write-result.ts';

const failureOf = (failure: Failure): TraceFailure =>
  failure.kind !== 'reply'
    ? failure
    : {
        kind: 'reply',
        allowed: failure.verdict.rejected.map(({ reply, differences }) => ({
          rule: reply.rule.id,
          differences,
        })),
      };

export const traceOf = (
  counterexample: Counterexample,
  seed: number | undefined,
  defects: readonly DefectName[],
  subject: 'emulator' | 'kernel' = 'emulator',
): Trace => ({
  header: {
    setting: counterexample.setting,
    arena: ARENA_BASE,
    seed,
    subject,
    defects,
  },
  // The calls after a violation were not judged; they are left out.
  operations: upToFailure(counterexample.program, counterexample).map((operation, index) => ({
    operation,
    step: counterexample.steps[index]?.step,
  })),
  failure: failureOf(counterexample.failure),
});

/** Lines of a trace, each without its end; `option` names the file on the command line. */
export const writeTrace = (
  file: string,
  lines: Iterable<string>,
  option = '--save',
): Promise<void> => writeResult(file, [...lines, ''].join('\n'), option, 'counterexample');

export const saveTrace = (file: string, trace: Trace, option?: string): Promise<void> =>
  writeTrace(file, traceLines(trace), option);
