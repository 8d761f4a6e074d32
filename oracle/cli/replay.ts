// iommufd-spec replay: runs the program of a trace file again, on the emulator or on a kernel.

import { type Command, Option } from 'commander';
import { FAULT_NAMES, type FaultName } from '../../model/emulator/faults.ts';
import type { Program } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/platform.ts';
import { judgeProgram } from '../check/judge-program.ts';
import type { Counterexample } from '../check/report.ts';
import {
  counterexampleReport,
  counterexampleText,
  resultsOf,
  runText,
} from '../report/counterexample.ts';
import { count } from '../report/quantities.ts';
import type { Verbosity } from '../report/verbosity.ts';
import { BadInput } from '../trace/bad-input.ts';
import { jsonLine } from '../trace/json-line.ts';
import { programOf, readTrace, type Trace } from '../trace/trace-file.ts';
import { FINE, VIOLATION } from './exit-status.ts';
import {
  addSubjectOptions,
  isOnKernel,
  requireWhole,
  type SubjectOptions,
  subjectText,
  withKernelFor,
} from './kernel.ts';
import { type Output, openOutput } from './output.ts';
import { isDefect, oneMore } from './settings.ts';

type Options = SubjectOptions & {
  readonly defect?: readonly (FaultName | 'none')[];
  readonly json?: true;
  readonly verbose?: true;
};

const EXAMPLES = `
Examples:
  $ iommufd-spec replay counterexample.jsonl
  $ iommufd-spec replay --defect none counterexample.jsonl
  $ iommufd-spec replay --subject kernel --vm bzImage counterexample.jsonl

On the emulator the program runs with the defects that the trace was found with, unless --defect names others.
Exit status: 0 every reply is allowed and so is the hidden state, 1 a violation, 2 the file is no trace.`;

/** The defects that the options name, or else those of the trace. */
export const defectsOf = (
  file: string,
  trace: Trace,
  named: readonly (FaultName | 'none')[] | undefined,
): ReadonlySet<FaultName> => {
  if (named !== undefined) return new Set(named.filter((name) => name !== 'none'));
  const unknown = trace.header.defects.find((name) => !isDefect(name));
  if (unknown !== undefined) {
    throw new BadInput(
      file,
      1,
      `the emulator has no defect called ${unknown}; --defect none leaves it out`,
    );
  }
  return new Set(trace.header.defects.filter(isDefect));
};

const withDefects = (defects: ReadonlySet<FaultName>): string =>
  defects.size === 0 ? '' : ` with the defect ${[...defects].join(', ')}`;

const agreement = (trace: Trace, counterexample: Counterexample | undefined): string => {
  const expected = trace.fault?.kind;
  const found = counterexample?.fault.kind;
  if (expected === found) {
    return expected === undefined
      ? 'as the trace says'
      : 'the violation that the trace tells of is there again';
  }
  return expected === undefined
    ? 'the trace tells of no violation'
    : 'the violation that the trace tells of is not there any more';
};

const replayOnKernel = async (options: Options, traced: Setting, program: Program) => {
  const { judgeOnKernel } = await import('../check/kernel-campaign.ts');
  return withKernelFor(options, traced, async ({ subject, setting }) => {
    const judged = await judgeOnKernel(setting, subject, program);
    requireWhole(judged);
    return { setting, ...judged };
  });
};

const replay = async (file: string, options: Options): Promise<number> => {
  const output = openOutput();
  const verbosity: Verbosity = options.verbose === true ? 'full' : 'brief';
  const trace = await readTrace(file);
  const defects = defectsOf(file, trace, options.defect);
  const program = programOf(trace);
  const onKernel = isOnKernel(options);
  const { setting, steps, fault } = onKernel
    ? await replayOnKernel(options, trace.header.setting, program)
    : {
        setting: trace.header.setting,
        ...judgeProgram(trace.header.setting, program, defects),
      };
  const ran = { setting, program, steps };
  const counterexample = fault === undefined ? undefined : { ...ran, fault };
  if (options.json === true) {
    const found =
      counterexample === undefined
        ? { setting, program, results: resultsOf(ran) }
        : counterexampleReport(counterexample, verbosity);
    output.line(jsonLine({ file, agreement: agreement(trace, counterexample), ...found }));
  } else if (counterexample === undefined) {
    output.lines([...runText(ran, output.palette), '', output.palette.good('no violation')]);
  } else {
    output.lines(counterexampleText(counterexample, verbosity, output.palette));
  }
  const subject = onKernel ? subjectText(options).subject : `the emulator${withDefects(defects)}`;
  if (options.json !== true) say(output, trace, counterexample, subject);
  return counterexample === undefined ? FINE : VIOLATION;
};

const say = (
  output: Output,
  trace: Trace,
  counterexample: Counterexample | undefined,
  subject: string,
): void => {
  const operations = count(trace.operations.length, 'operation');
  output.line(`\nRan ${operations} on ${subject}: ${agreement(trace, counterexample)}.`);
};

/** As for `check`, and `none` for the emulator as it is. */
export const addDefectChoice = (command: Command): Command =>
  command.addOption(
    new Option(
      '--defect <name>',
      'a defect of the emulator, more than once for several; none for the emulator as it is',
    ).argParser(oneMore(['none', ...FAULT_NAMES])),
  );

export const addReplay = (program: Command): void => {
  const command = program
    .command('replay')
    .description('run the program of a trace again, on the emulator or on a kernel')
    .argument('<file>', 'a trace, as check and shrink save it');
  addSubjectOptions(addDefectChoice(command))
    .option('--json', 'print one line of JSON')
    .option('-v, --verbose', 'show more of the state')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: Options) => {
      process.exitCode = await replay(file, options);
    });
};
