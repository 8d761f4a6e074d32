// Writes a counterexample to a trace file, so that it can be run again, shrunk and sent to somebody.

import { writeFileSync } from 'node:fs';
import type { FaultName } from '../../model/emulator/faults.ts';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import { type Counterexample, type Fault, upToFault } from '../check/report.ts';
import { type Trace, type TraceFault, traceLines } from '../trace/trace-file.ts';
import { EnvironmentError } from '../vm/environment-error.ts';

const faultOf = (fault: Fault): TraceFault =>
  fault.kind !== 'reply'
    ? fault
    : {
        kind: 'reply',
        allowed: fault.verdict.rejected.map(({ reply, differences }) => ({
          rule: reply.rule.id,
          differences,
        })),
      };

export const traceOf = (
  counterexample: Counterexample,
  seed: number | undefined,
  defects: readonly FaultName[],
  subject: 'emulator' | 'kernel' = 'emulator',
): Trace => ({
  header: {
    setting: counterexample.setting,
    arena: ARENA_BASE,
    seed,
    subject,
    defects,
  },
  // What stands behind a violation was not judged, and is of no use to anybody.
  operations: upToFault(counterexample.program, counterexample).map((operation, index) => ({
    operation,
    step: counterexample.steps[index]?.step,
  })),
  fault: faultOf(counterexample.fault),
});

export const saveTrace = (file: string, trace: Trace): void => {
  const text = [...traceLines(trace), ''].join('\n');
  try {
    writeFileSync(file, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(
      `The counterexample cannot be saved: ${why}. Name another file with --save.`,
    );
  }
};
