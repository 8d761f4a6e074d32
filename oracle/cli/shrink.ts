// iommufd-spec shrink: the shortest program that still shows what a trace or a recording shows, on the emulator
// or on a kernel.

import type { Command } from 'commander';
import type { FaultName } from '../../model/emulator/faults.ts';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import type { Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Counterexample } from '../check/report.ts';
import { counterexampleReport, counterexampleText } from '../report/counterexample.ts';
import { count } from '../text/quantities.ts';
import type { Verbosity } from '../text/verbosity.ts';
import { visible } from '../text/visible.ts';
import { jsonLine } from '../trace/json-line.ts';
import type { Trace } from '../trace/trace-file.ts';
import { FINE, VIOLATION } from './exit-status.ts';
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
import { type ShrinkSource, sourceOf } from './shrink-source.ts';
import { writeAll } from './write-result.ts';

type Options = SubjectOptions & {
  readonly save: string;
  readonly defect?: readonly (FaultName | 'none')[];
  readonly json?: true;
  readonly verbose?: true;
};

const EXAMPLES = `
Examples:
  $ iommufd-spec shrink counterexample.jsonl
  $ iommufd-spec shrink --save shorter.jsonl recording.jsonl.gz
  $ iommufd-spec shrink --subject kernel --vm bzImage counterexample.jsonl

A recording is taken up to its first violation, with handles for its numbers and its memory moved into the
program's own; calls of a second process cannot be carried over. Exit status: 0 the program ends in no violation
(and is saved as it is), 1 it does, and the shortest one is printed and saved, 2 the file cannot be read.`;

const printFound = (
  output: Output,
  options: Options,
  before: number,
  counterexample: Counterexample,
  saved: string | undefined,
): void => {
  const verbosity: Verbosity = options.verbose === true ? 'full' : 'brief';
  if (options.json === true) {
    const found = counterexampleReport(counterexample, verbosity);
    output.line(jsonLine({ before, saved, ...found }));
    return;
  }
  output.lines(counterexampleText(counterexample, verbosity, output.palette));
};

const shrinkOnKernel = async (options: Options, told: Setting, program: Program) => {
  const { judgeOnKernel, shrinkOnKernel: shrunkOn } = await import('../check/kernel-campaign.ts');
  return withKernelFor(options, told, async ({ subject, setting }) => {
    const counterexample = await shrunkOn(setting, subject, program);
    if (counterexample !== undefined) return { setting, counterexample, run: () => [] };
    const judged = await judgeOnKernel(setting, subject, program);
    requireWhole(judged);
    return { setting, counterexample, run: () => judged.steps };
  });
};

const shrinkOnEmulator = async ({ setting, program, defects }: ShrinkSource) => {
  const { shrinkProgram } = await import('../check/shrink-program.ts');
  const { judgeProgram } = await import('../check/judge-program.ts');
  return {
    setting,
    counterexample: shrinkProgram(setting, program, defects),
    run: () => judgeProgram(setting, program, defects).steps,
  };
};

const shrink = async (file: string, options: Options): Promise<number> => {
  const output = openOutput();
  const source = await sourceOf(file, options.defect);
  const { setting, program, defects, notes } = source;
  for (const note of notes) output.error(`${visible(file)}: ${note}`);
  const onKernel = isOnKernel(options);
  const shrunk = onKernel
    ? await shrinkOnKernel(options, setting, program)
    : await shrinkOnEmulator(source);
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
    return VIOLATION;
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
    fault: undefined,
  };
  const { isWritten, failIfUnwritten } = await writeAll({
    program: () => saveTrace(options.save, trace),
  });
  const saved = isWritten('program') ? options.save : undefined;
  const said = `${count(program.length, 'operation')} on the ${subject}, and no violation: there is nothing to shrink`;
  if (options.json === true) output.line(jsonLine({ before: program.length, saved }));
  else output.line(saved === undefined ? `${said}.` : `${said}. Saved to ${saved}.`);
  failIfUnwritten();
  return FINE;
};

export const addShrink = (program: Command): void => {
  const command = program
    .command('shrink')
    .description('find the shortest program that still shows what a trace or a recording shows')
    .argument('<file>', 'a trace or a recording')
    .option('--save <file>', 'where the program is saved', 'shrunk.jsonl');
  addSubjectOptions(addDefectChoice(command))
    .option('--json', 'print one line of JSON')
    .option('-v, --verbose', 'show more of the state')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: Options) => {
      process.exitCode = await shrink(file, options);
    });
};
