// SPDX-License-Identifier: MIT
// iommufd-spec replay: runs the programs of trace files again, on the emulator or on a kernel.

import { type Command, Option } from 'commander';
import { DEFECT_NAMES, type DefectName, isDefectName } from '../../model/emulator/defects.ts';
import type { Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Counterexample, Failure, JudgedStep } from '../check/report.ts';
import { counterexampleText, resultsOf, runText, settingText } from '../report/counterexample.ts';
import { type KtapTest, ktapLines } from '../report/ktap.ts';
import { PLAIN } from '../text/palette.ts';
import { count } from '../text/quantities.ts';
import type { Verbosity } from '../text/verbosity.ts';
import { visible } from '../text/visible.ts';
import { BadInput } from '../trace/bad-input.ts';
import { jsonLine } from '../trace/json-line.ts';
import { programOf, type Trace } from '../trace/trace-file.ts';
import { counterexampleJson, programJson } from './counterexample-json.ts';
import { didYouMean, oneMore } from './did-you-mean.ts';
import { FINE, VIOLATION } from './exit-status.ts';
import {
  addSubjectOptions,
  isOnKernel,
  requireWhole,
  type SubjectOptions,
  sameMachine,
  startKernelFor,
  subjectText,
} from './kernel.ts';
import { requireOneFormat } from './one-format.ts';
import { type Output, openOutput } from './output.ts';
import { type ProgramFile, readProgramFile } from './program-file.ts';
import { addSettingOptions, type SettingOptions } from './settings.ts';

type Options = SubjectOptions &
  SettingOptions & {
    readonly defect?: readonly (DefectName | 'none')[];
    readonly json?: true;
    readonly ktap?: true;
    readonly verbose?: true;
  };

const EXAMPLES = `
Examples:
  $ iommufd-spec replay counterexample.jsonl
  $ iommufd-spec replay --defect none counterexample.jsonl
  $ iommufd-spec replay --subject kernel --vm bzImage counterexample.jsonl
  $ iommufd-spec replay --vm bzImage regressions/*.jsonl
  $ iommufd-spec replay --release 6.12.95 repro.syz

A syzkaller program has neither its setting nor its results: --release, --platform, --unprivileged and --memlock give the
setting (docs/from-a-fuzzer.md). With several traces, each without a violation is one line, and a kernel is started once for
those that need the same machine. On the emulator the program runs with the defects that the trace was found with, unless
--defect names others.
Exit status: 0 every reply is allowed and so is the hidden state, 1 a violation, 2 the file is neither.`;

/** The defects that the options name, or those of the trace. */
export const defectsOf = (
  file: string,
  trace: Trace,
  named: readonly (DefectName | 'none')[] | undefined,
): ReadonlySet<DefectName> => {
  if (named !== undefined) return new Set(named.filter((name) => name !== 'none'));
  const unknown = trace.header.defects.find((name) => !isDefectName(name));
  if (unknown !== undefined) {
    throw new BadInput(
      file,
      1,
      `the emulator has no defect called ${unknown}; --defect none leaves it out.${didYouMean(unknown, DEFECT_NAMES)}`,
    );
  }
  return new Set(trace.header.defects.filter(isDefectName));
};

const withDefects = (defects: ReadonlySet<DefectName>): string =>
  defects.size === 0 ? '' : ` with the defect ${[...defects].join(', ')}`;

/** Whether this is the operation that the trace ends in. */
const isSamePlace = (trace: Trace, { failure, steps }: Counterexample): boolean =>
  failure.kind !== 'reply' ||
  steps.length === trace.operations.filter(({ step }) => step !== undefined).length;

const agreement = (
  { trace, isSyz }: Pick<Replayed, 'trace' | 'isSyz'>,
  counterexample: Counterexample | undefined,
): string => {
  if (isSyz) return 'the file is a program, which does not say what came of it';
  const expected = trace.failure?.kind;
  if (counterexample === undefined) {
    return expected === undefined
      ? 'as the trace says'
      : 'the violation that the trace records no longer occurs';
  }
  if (expected === undefined) return 'the trace records no violation';
  return expected === counterexample.failure.kind && isSamePlace(trace, counterexample)
    ? 'the violation that the trace records occurs again'
    : 'a violation occurs, but not the one that the trace records';
};

/** A trace that is to be run again. */
type Replayed = ProgramFile & {
  readonly file: string;
  readonly program: Program;
  readonly defects: ReadonlySet<DefectName>;
};

/** The result. */
type Outcome = {
  readonly setting: Setting;
  readonly steps: readonly JudgedStep[];
  readonly failure: Failure | undefined;
};

const readReplayed = async (file: string, options: Options): Promise<Replayed> => {
  const read = await readProgramFile(file, options);
  const { trace } = read;
  return {
    ...read,
    file,
    program: programOf(trace),
    defects: defectsOf(file, trace, options.defect),
  };
};

/** All traces, in an order that starts one kernel for those that need the same machine. */
async function* onKernels(
  replayed: readonly Replayed[],
  options: Options,
): AsyncGenerator<readonly [Replayed, Outcome]> {
  const { judgeOnKernel } = await import('../check/kernel-campaign.ts');
  for (const together of sameMachine(replayed, ({ trace }) => trace.header.setting)) {
    const [first] = together;
    if (first === undefined) continue;
    const { subject, setting } = await startKernelFor(options, first.trace.header.setting);
    try {
      for (const each of together) {
        const judged = await judgeOnKernel(setting, subject, each.program);
        requireWhole(judged, each.file);
        yield [each, { setting, ...judged }];
      }
    } finally {
      await subject.close();
    }
  }
}

async function* onEmulator(
  replayed: readonly Replayed[],
): AsyncGenerator<readonly [Replayed, Outcome]> {
  const { judgeProgram } = await import('../check/judge-program.ts');
  for (const each of replayed) {
    const { setting } = each.trace.header;
    yield [each, { setting, ...judgeProgram(setting, each.program, each.defects) }];
  }
}

const counterexampleOf = (
  { program }: Replayed,
  { setting, steps, failure }: Outcome,
): Counterexample | undefined =>
  failure === undefined ? undefined : { setting, program, steps, failure };

const printJson = (
  output: Output,
  replayed: Replayed,
  outcome: Outcome,
  options: Options,
): void => {
  const { file, program } = replayed;
  const counterexample = counterexampleOf(replayed, outcome);
  const found =
    counterexample === undefined
      ? {
          setting: outcome.setting,
          program: programJson(program),
          results: resultsOf({ ...outcome, program }),
        }
      : counterexampleJson(counterexample, verbosityOf(options));
  output.line(jsonLine({ file, agreement: agreement(replayed, counterexample), ...found }));
};

const printText = (
  output: Output,
  replayed: Replayed,
  outcome: Outcome,
  options: Options,
): void => {
  const { trace, program, defects } = replayed;
  const counterexample = counterexampleOf(replayed, outcome);
  if (counterexample === undefined) {
    const text = runText({ ...outcome, program }, output.palette);
    output.lines([...text, '', output.palette.good('no violation')]);
  } else {
    output.lines(counterexampleText(counterexample, verbosityOf(options), output.palette));
  }
  const subject = isOnKernel(options)
    ? subjectText(options).subject
    : `the emulator${withDefects(defects)}`;
  const operations = count(trace.operations.length, 'operation');
  output.line(`\nRan ${operations} on ${subject}: ${agreement(replayed, counterexample)}.`);
};

/** With many traces: one line for each without a violation, the whole text for others. */
const printBriefly = (
  output: Output,
  replayed: Replayed,
  outcome: Outcome,
  options: Options,
): void => {
  const { file } = replayed;
  if (outcome.failure !== undefined) {
    output.line(`${visible(file)}:`);
    printText(output, replayed, outcome, options);
    return;
  }
  const on = settingText(outcome.setting);
  output.line(`${visible(file)}: no violation (${on}), ${agreement(replayed, undefined)}`);
};

/** A trace is a test, whatever it records. */
const ktapOf = (replayed: Replayed, outcome: Outcome): KtapTest => {
  const counterexample = counterexampleOf(replayed, outcome);
  const on = `${settingText(outcome.setting)}: ${agreement(replayed, counterexample)}`;
  return counterexample === undefined
    ? { name: replayed.file, result: 'ok', lines: [on] }
    : {
        name: replayed.file,
        result: 'not ok',
        lines: [on, ...counterexampleText(counterexample, 'brief', PLAIN)],
      };
};

const verbosityOf = ({ verbose }: Options): Verbosity => (verbose === true ? 'full' : 'brief');

const replay = async (files: readonly string[], options: Options): Promise<number> => {
  const output = openOutput();
  requireOneFormat(options);
  const replayed: Replayed[] = [];
  for (const file of files) replayed.push(await readReplayed(file, options));
  for (const { notes } of replayed) for (const note of notes) output.error(note);
  const print =
    options.json === true ? printJson : replayed.length === 1 ? printText : printBriefly;
  const outcomes = isOnKernel(options) ? onKernels(replayed, options) : onEmulator(replayed);
  let violations = 0;
  const tests: KtapTest[] = [];
  for await (const [each, outcome] of outcomes) {
    if (options.ktap === true) tests.push(ktapOf(each, outcome));
    else print(output, each, outcome, options);
    if (outcome.failure !== undefined) violations += 1;
  }
  if (options.ktap === true) output.lines(ktapLines(tests));
  else if (options.json !== true && replayed.length > 1) {
    const found = violations === 0 ? 'no violation' : count(violations, 'violation');
    output.line(`${count(replayed.length, 'trace')}, ${found}`);
  }
  return violations === 0 ? FINE : VIOLATION;
};

/** As for `check`, and `none` for the emulator without defects. */
export const addDefectChoice = (command: Command): Command =>
  command.addOption(
    new Option(
      '--defect <name>',
      'a defect of the emulator, repeat for several; none for the emulator without defects',
    ).argParser(oneMore(['none', ...DEFECT_NAMES])),
  );

export const addReplay = (program: Command): void => {
  const command = program
    .command('replay')
    .description(
      'run the programs of traces again, or those of syzkaller, on the emulator or on a kernel',
    )
    .argument('<files...>', 'traces, as check and shrink save them, or syzkaller programs');
  addSettingOptions(addSubjectOptions(addDefectChoice(command)))
    .option('--json', 'print one line of JSON')
    .option('--ktap', 'print KTAP: a file is a test')
    .option('-v, --verbose', 'show more of the state')
    .addHelpText('after', EXAMPLES)
    .action(async (files: readonly string[], options: Options) => {
      process.exitCode = await replay(files, options);
    });
};
