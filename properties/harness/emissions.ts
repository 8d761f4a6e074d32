// SPDX-License-Identifier: MIT
// C files of the examples and of the shown defects, as `emit` makes them from traces.

import type { DefectName } from '../../model/emulator/defects.ts';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import type { Program } from '../../model/programs/program.ts';
import { judgeProgram } from '../../oracle/check/judge-program.ts';
import { traceOf } from '../../oracle/cli/save-trace.ts';
import type { Trace } from '../../oracle/trace/trace-file.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { CORPUS } from '../corpus/corpus.ts';
import { SHOWN_DEFECTS } from '../defects/shown-defects.ts';

export type NamedTrace = { readonly name: string; readonly trace: Trace };

/** The trace of a program's run on the emulator. */
export const traceOn = (
  setting: Setting,
  program: Program,
  defects: readonly DefectName[] = [],
): Trace => {
  const { steps, failure } = judgeProgram(setting, program, new Set(defects));
  if (failure !== undefined)
    return traceOf({ setting, program, steps, failure }, undefined, defects);
  const operations = program.map((operation, index) => ({ operation, step: steps[index]?.step }));
  return {
    header: { setting, arena: ARENA_BASE, seed: undefined, subject: 'emulator', defects: [] },
    operations,
    failure: undefined,
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

const ofDefects = (): readonly NamedTrace[] =>
  SHOWN_DEFECTS.map(({ defect, setting, program }) => ({
    name: defect,
    trace: traceOn(setting, program, [defect]),
  }));

let made: readonly NamedTrace[] | undefined;

/** Every example and every shown defect, run on the emulator once. */
export const namedTraces = (): readonly NamedTrace[] => {
  made ??= [...examples(), ...ofDefects()];
  return made;
};
