// SPDX-License-Identifier: MIT
// iommufd-spec shrink: finds the shortest program that still shows the violation of a trace or a recording, on
// the emulator or on a kernel.

import type { Command } from 'commander';
import type { DefectName } from '../../model/emulator/defects.ts';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import type { Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Counterexample } from '../check/report.ts';
import { counterexampleText } from '../report/counterexample.ts';
import { wrapped } from '../text/lines.ts';
import { count } from '../text/quantities.ts';
import type { Verbosity } from '../text/verbosity.ts';
import { visible } from '../text/visible.ts';
import { jsonLine } from '../trace/json-line.ts';
import type { Trace } from '../trace/trace-file.ts';
import { counterexampleJson } from './counterexample-json.ts';
import { FINE, INTERRUPTED, VIOLATION } from './exit-status.ts';
import { interruption } from './interruption.ts';
import {
  addSubjectOptions,
  isOnKernel,
  requireWhole,
  type SubjectOptions,
  withKernelFor,
} from './kernel.ts';
import { type Output, openOutput } from './output.ts';
import { addDefectChoice } from './replay.ts';
import { saveTrace, traceOf } from './save-trace.ts';
import { addSettingOptions, type SettingOptions } from './settings.ts';
import { type ShrinkSource, sourceOf } from './shrink-source.ts';
import { writeAll } from './write-result.ts';

type Options = SubjectOptions &
  SettingOptions & {
    readonly save: string;
    readonly defect?: readonly (DefectName | 'none')[];
    readonly json?: true;
    readonly verbose?: true;
  };

const EXAMPLES = `
Examples:
  $ iommufd-spec shrink counterexample.jsonl
  $ iommufd-spec shrink --save shorter.jsonl recording.jsonl.gz
  $ iommufd-spec shrink --subject kernel --vm bzImage counterexample.jsonl
  $ iommufd-spec shrink --vm bzImage repro.syz

A recording is taken up to its first violation, with handles for its numbers and its memory moved into the
program's own; calls of a second process cannot be carried over. Exit status: 0 the program ends in no violation here
(and is saved as it is; the recording may have one that the emulator, which has no such defect, does not show), 1 it does, and the shortest one is printed and saved, 2 the file cannot be read.`;

const printFound = (
  output: Output,
  options: Options,
  before: number,
  counterexample: Counterexample,
  saved: string | undefined,
): void => {
  const verbosity: Verbosity = options.verbose === true ? 'full' : 'brief';
  if (options.json === true) {
    const found = counterexampleJson(counterexample, verbosity);
    output.line(jsonLine({ before, saved, ...found }));
    return;
  }
  output.lines(counterexampleText(counterexample, verbosity, output.palette));
};

const shrinkOnKernel = async (
  options: Options,
  reported: Setting,
  program: Program,
  signal: AbortSignal,
) => {
  const { judgeOnKernel, shrinkOnKernel: shrunkOn } = await import('../check/kernel-campaign.ts');
  return withKernelFor(options, reported, async ({ subject, setting }) => {
    const counterexample = await shrunkOn(setting, subject, program, signal);
    if (counterexample !== undefined || signal.aborted)
      return { setting, counterexample, run: () => [] };
    const judged = await judgeOnKernel(setting, subject, program);
    requireWhole(judged);
    return { setting, counterexample, run: () => judged.steps };
  });
};

const shrinkOnEmulator = async (
  { setting, program, defects }: ShrinkSource,
  signal: AbortSignal,
) => {
  const { shrunkProgram } = await import('../check/shrink-program.ts');
  const { judgeProgram } = await import('../check/judge-program.ts');
  const shrunk = await shrunkProgram(setting, program, defects, undefined, signal);
  return {
    setting,
    counterexample: shrunk?.counterexample,
    run: () => judgeProgram(setting, program, defects).steps,
  };
};

/** Why nothing was shrunk, and what to do if the file's violation does not occur here. */
const withoutViolation = (
  file: string,
  { program, violation }: ShrinkSource,
  onKernel: boolean,
  save: string | undefined,
): readonly string[] => {
  const ran = `${count(program.length, 'operation')} on the ${onKernel ? 'kernel' : 'emulator'}, and no violation`;
  const saved = save === undefined ? [] : [`The program is saved to ${save}.`];
  if (violation === undefined) return [`${ran}: there is nothing to shrink.`, ...saved];
  const advice = onKernel
    ? 'It may need another kernel or machine, or occur only sometimes.'
    : 'The emulator answers correctly, except for the defects of --defect. On the kernel that has the ' +
      `violation: iommufd-spec shrink --subject kernel --vm IMAGE ${visible(file)}`;
  return wrapped(`${ran}: ${violation} does not occur there. ${advice}`, '').concat(saved);
};

const shrink = async (file: string, options: Options): Promise<number> => {
  const output = openOutput();
  const source = await sourceOf(file, options.defect, options);
  const { setting, program, defects, notes } = source;
  for (const note of notes) output.error(note);
  const onKernel = isOnKernel(options);
  const { signal, release } = interruption(() => {
    if (onKernel) output.error('ending; interrupt once more to end at once');
  });
  const shrunk = onKernel
    ? await shrinkOnKernel(options, setting, program, signal)
    : await shrinkOnEmulator(source, signal);
  release();
  const { counterexample } = shrunk;
  const subject = onKernel ? 'kernel' : 'emulator';
  if (counterexample !== undefined) {
    const trace = traceOf(counterexample, undefined, [...defects], subject);
    const { isWritten, failIfUnwritten } = await writeAll({
      program: () => saveTrace(options.save, trace),
    });
    const saved = isWritten('program') ? options.save : undefined;
    printFound(output, options, program.length, counterexample, saved);
    failIfUnwritten();
    if (options.json !== true) {
      const operations = count(counterexample.program.length, 'operation');
      output.line(`\nShrunk from ${program.length} to ${operations}; saved to ${options.save}.`);
    }
    if (signal.aborted) {
      output.error(output.errorPalette.doubtful('interrupted: there may be a shorter program'));
    }
    return VIOLATION;
  }
  if (signal.aborted) {
    output.error(output.errorPalette.doubtful('interrupted before the program was run'));
    return INTERRUPTED;
  }
  const steps = shrunk.run();
  const trace: Trace = {
    header: {
      setting: shrunk.setting,
      arena: ARENA_BASE,
      seed: undefined,
      subject,
      defects: [...defects],
    },
    operations: program.map((operation, index) => ({ operation, step: steps[index]?.step })),
    failure: undefined,
  };
  const { isWritten, failIfUnwritten } = await writeAll({
    program: () => saveTrace(options.save, trace),
  });
  const saved = isWritten('program') ? options.save : undefined;
  if (options.json === true) {
    const recorded = source.violation === undefined ? {} : { notShown: source.violation };
    output.line(jsonLine({ before: program.length, saved, ...recorded }));
  } else {
    output.lines(withoutViolation(file, source, onKernel, saved));
  }
  failIfUnwritten();
  return FINE;
};

export const addShrink = (program: Command): void => {
  const command = program
    .command('shrink')
    .description(
      'find the shortest program that still shows the violation of a trace or a recording',
    )
    .argument('<file>', 'a trace, a recording or a syzkaller program')
    .option('--save <file>', 'the file that the program is saved to', 'shrunk.jsonl');
  addSettingOptions(addSubjectOptions(addDefectChoice(command)))
    .option('--json', 'print one line of JSON')
    .option('-v, --verbose', 'show more of the state')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: Options) => {
      process.exitCode = await shrink(file, options);
    });
};
