// C files of the examples and of the shown faults, as `emit` makes them from traces.

import type { FaultName } from '../../model/emulator/faults.ts';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import type { Program } from '../../model/programs/program.ts';
import { judgeProgram } from '../../oracle/check/judge-program.ts';
import { traceOf } from '../../oracle/cli/save-trace.ts';
import type { Trace } from '../../oracle/trace/trace-file.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { CORPUS } from '../corpus/corpus.ts';
import { SHOWN_FAULTS } from '../defects/shown-defects.ts';

export type NamedTrace = { readonly name: string; readonly trace: Trace };

/** The trace of a program's run on the emulator. */
export const traceOn = (
  setting: Setting,
  program: Program,
  defects: readonly FaultName[] = [],
): Trace => {
  const { steps, fault } = judgeProgram(setting, program, new Set(defects));
  if (fault !== undefined) return traceOf({ setting, program, steps, fault }, undefined, defects);
  const operations = program.map((operation, index) => ({ operation, step: steps[index]?.step }));
  return {
    header: { setting, arena: ARENA_BASE, seed: undefined, subject: 'emulator', defects: [] },
    operations,
    fault: undefined,
  };
};

const examples = (): readonly NamedTrace[] =>
  Object.values(CORPUS).flatMap((group) =>
    group.map(({ says, setting, steps }) => ({
      name: says,
      trace: traceOn(
        setting,
        steps.map(([operation]) => operation),
      ),
    })),
  );

const faults = (): readonly NamedTrace[] =>
  SHOWN_FAULTS.map(({ fault, setting, program }) => ({
    name: fault,
    trace: traceOn(setting, program, [fault]),
  }));

let made: readonly NamedTrace[] | undefined;

/** Every example and every shown fault, run on the emulator once. */
export const namedTraces = (): readonly NamedTrace[] => {
  made ??= [...examples(), ...faults()];
  return made;
};
