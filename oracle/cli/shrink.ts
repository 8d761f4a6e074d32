// iommufd-spec shrink: the shortest program that still shows what a trace or a recording shows, on the emulator
// or on a kernel.

import type { Command } from 'commander';
import type { FaultName } from '../../model/emulator/faults.ts';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import type { Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Counterexample } from '../check/report.ts';
import { withEvent } from '../judge/recorded-events.ts';
import { judgeRecorded, startOf } from '../judge/session.ts';
import { counterexampleReport, counterexampleText } from '../report/counterexample.ts';
import { count } from '../text/quantities.ts';
import type { Verbosity } from '../text/verbosity.ts';
import { BadInput } from '../trace/bad-input.ts';
import { parseObject } from '../trace/fields.ts';
import { jsonLine } from '../trace/json-line.ts';
import { linesOf } from '../trace/lines.ts';
import { programOfRecording } from '../trace/program-of-recording.ts';
import { readTrace } from '../trace/read-trace.ts';
import { parseEvent } from '../trace/recorded-event.ts';
import { parseCall, parseHeader, type RecordedCall } from '../trace/recording.ts';
import { programOf, TRACE_FORMAT } from '../trace/trace-file.ts';
import { FINE, VIOLATION } from './exit-status.ts';
import {
  addSubjectOptions,
  isOnKernel,
  requireWhole,
  type SubjectOptions,
  withKernelFor,
} from './kernel.ts';
import { type Output, openOutput } from './output.ts';
import { addDefectChoice, defectsOf } from './replay.ts';
import { saveTrace, traceOf } from './save-trace.ts';
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

/** Longer recordings would take longer to shrink than anyone waits. */
const CALLS_MAX = 100_000;

type Source = {
  readonly setting: Setting;
  readonly program: Program;
  readonly defects: ReadonlySet<FaultName>;
  /** What was lost on the way; empty where nothing was. */
  readonly notes: readonly string[];
};

const ofTrace = async (file: string, options: Options): Promise<Source> => {
  const trace = await readTrace(file);
  return {
    setting: trace.header.setting,
    program: programOf(trace),
    defects: defectsOf(file, trace, options.defect),
    notes: [],
  };
};

/** The calls up to the first violation, or all. */
const ofRecording = async (file: string, options: Options): Promise<Source> => {
  const calls: RecordedCall[] = [];
  let world: ReturnType<typeof startOf> | undefined;
  let isFollowed = false;
  let isOver = false;
  let line = 0;
  for await (const texts of linesOf(file)) {
    if (isOver) break;
    for (const text of texts) {
      line += 1;
      if (isOver) break;
      if (world === undefined) {
        const header = parseHeader(file, text);
        isFollowed = header.version === 2;
        world = startOf(file, header);
        continue;
      }
      const event = isFollowed ? parseEvent(file, line, text) : undefined;
      if (event !== undefined) {
        world = withEvent(world, event);
        continue;
      }
      const recorded = parseCall(file, line, text);
      if (calls.push(recorded) > CALLS_MAX) {
        throw new BadInput(file, line, `there are more than ${CALLS_MAX} calls before a violation`);
      }
      const verdict = judgeRecorded(file, world, recorded);
      isOver = verdict.kind === 'violation';
      world = verdict.world;
    }
  }
  if (world === undefined) throw new BadInput(file, 0, 'the file is empty');
  const { setting } = world;
  const { program, leftOut } = programOfRecording(file, setting.platform, calls);
  return {
    setting,
    program,
    defects: new Set((options.defect ?? []).filter((name) => name !== 'none')),
    notes: [
      isOver
        ? `the recording has a violation in line ${calls.at(-1)?.line}`
        : 'the recording has no violation',
      ...(leftOut === 0
        ? []
        : [`${count(leftOut, 'call')} on files that are not specified were left out`]),
    ],
  };
};

const sourceOf = async (file: string, options: Options): Promise<Source> => {
  for await (const [first] of linesOf(file)) {
    if (first === undefined) continue;
    return parseObject(file, 1, first).format === TRACE_FORMAT
      ? ofTrace(file, options)
      : ofRecording(file, options);
  }
  throw new BadInput(file, 0, 'the file is empty');
};

const printFound = (
  output: Output,
  options: Options,
  before: number,
  counterexample: Counterexample,
): void => {
  const verbosity: Verbosity = options.verbose === true ? 'full' : 'brief';
  if (options.json === true) {
    const found = counterexampleReport(counterexample, verbosity);
    output.line(jsonLine({ before, saved: options.save, ...found }));
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

const shrinkOnEmulator = async ({ setting, program, defects }: Source) => {
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
  const source = await sourceOf(file, options);
  const { setting, program, defects, notes } = source;
  for (const note of notes) output.error(`${file}: ${note}`);
  const onKernel = isOnKernel(options);
  const shrunk = onKernel
    ? await shrinkOnKernel(options, setting, program)
    : await shrinkOnEmulator(source);
  const { counterexample } = shrunk;
  const subject = onKernel ? 'kernel' : 'emulator';
  if (counterexample !== undefined) {
    const failIfUnwritten = writeAll([
      () => saveTrace(options.save, traceOf(counterexample, undefined, [...defects], subject)),
    ]);
    printFound(output, options, program.length, counterexample);
    failIfUnwritten();
    if (options.json !== true) {
      const operations = count(counterexample.program.length, 'operation');
      output.line(`\nShrunk from ${program.length} to ${operations}; saved to ${options.save}.`);
    }
    return VIOLATION;
  }
  const steps = shrunk.run();
  saveTrace(options.save, {
    header: {
      setting: shrunk.setting,
      arena: ARENA_BASE,
      seed: undefined,
      subject,
      defects: [...defects],
    },
    operations: program.map((operation, index) => ({ operation, step: steps[index]?.step })),
    fault: undefined,
  });
  const said = `${count(program.length, 'operation')} on the ${subject}, and no violation: there is nothing to shrink`;
  if (options.json === true) output.line(jsonLine({ before: program.length, saved: options.save }));
  else output.line(`${said}. Saved to ${options.save}.`);
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
