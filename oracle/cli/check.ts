// SPDX-License-Identifier: MIT
// iommufd-spec check: programs generated at random, run on the emulator and judged.

import { type Command, InvalidArgumentError } from 'commander';
import { PATHS } from '../../model/generate/paths.ts';
import { campaignFileText } from '../check/campaign-json.ts';
import { coverOf } from '../check/cover.ts';
import { ktapLines } from '../report/ktap.ts';
import type { Verbosity } from '../text/verbosity.ts';
import { BadUse } from './bad-use.ts';
import { runAll } from './check-campaigns.ts';
import { type CheckOptions, subjectOf } from './check-options.ts';
import { fileOf, ktapOf, printJson, printText } from './check-output.ts';
import { COVER_HELP, checkCoverFile, saveCover } from './cover-file.ts';
import { optionOf } from './did-you-mean.ts';
import { FINE, INTERRUPTED, VIOLATION } from './exit-status.ts';
import { interruption } from './interruption.ts';
import { addSubjectOptions, isOnKernel, subjectText } from './kernel.ts';
import { requireOneFormat } from './one-format.ts';
import { openOutput } from './output.ts';
import { NO_PROGRESS, startProgress } from './progress.ts';
import { saveTrace, traceOf } from './save-trace.ts';
import {
  addDefectOption,
  addSettingOptions,
  defectsText,
  secondsNumber,
  wholeNumber,
} from './settings.ts';
import { shardOption } from './shard-option.ts';
import { writeAll, writeResult } from './write-result.ts';

const EXAMPLES = `
Examples:
  $ iommufd-spec check
  $ iommufd-spec check --runs 1000 --seed 7
  $ iommufd-spec check --release 6.12.95 --platform mixed --seconds 60
  $ iommufd-spec check --unprivileged --memlock 8
  $ iommufd-spec check --paths legacy --platform vtd
  $ iommufd-spec check --defect cut-off-by-one
  $ iommufd-spec check --cover
  $ iommufd-spec check --seconds 60 --cover rules.html
  $ iommufd-spec check --runs 100000 --seed 7 --shard 2/8 --report 2.json
  $ iommufd-spec check --subject kernel --vm bzImage --platform vtd --runs 2000
  $ iommufd-spec check --subject kernel --vm bzImage --platform vtd --runs 200 --dma 1

Without --release, --platform and --unprivileged, each release is checked on each platform, with and without
privilege. The first violation ends the check: its program is shrunk, printed and saved. A shard continues, because the others do not
know of it, and shrinks the first; on a kernel it continues with the next platform. Exit status: 0 no violation,
1 a violation, 3 a file cannot be written (what was found is printed all the same), 130 interrupted.`;

const SEED_MAX = 0x7fff_ffff;

const seedNumber = (text: string): number => {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || Math.abs(value) > SEED_MAX) {
    throw new InvalidArgumentError('It must be a whole number of 31 bits.');
  }
  return value;
};

const ON_EMULATOR = { subject: 'the emulator', replay: 'iommufd-spec replay' };

const check = async (options: CheckOptions): Promise<number> => {
  if (options.shard !== undefined && options.seed === undefined) {
    throw new BadUse('Shards of one run have one seed: name it with --seed.');
  }
  if (options.shard !== undefined && options.guided === true) {
    throw new BadUse(
      'With --guided a program depends on all programs before it, which a shard does not generate.',
    );
  }
  requireOneFormat(options);
  if (typeof options.cover === 'string') checkCoverFile(options.cover);
  const output = openOutput();
  const verbosity: Verbosity = options.verbose === true ? 'full' : 'brief';
  const seed = options.seed ?? Math.floor(Math.random() * SEED_MAX);
  const { signal, release } = interruption(() => {
    if (isOnKernel(options)) output.error('ending; interrupt once more to end at once');
  });
  const progress =
    options.json === true || options.ktap === true
      ? NO_PROGRESS
      : options.runs === undefined
        ? startProgress(output, options.seconds, 'seconds')
        : startProgress(output, options.runs, 'programs');
  const campaigns = {
    ...(await runAll(seed, options, signal, progress)),
    ...(isOnKernel(options) ? subjectText(options) : ON_EMULATOR),
  };
  progress.hide();
  release();
  const { counterexample } = campaigns;
  const { report, cover, save } = options;
  const trace =
    counterexample && traceOf(counterexample, seed, options.defect ?? [], subjectOf(options));
  const { isWritten, failIfUnwritten } = await writeAll({
    counterexample: trace && (() => saveTrace(save, trace)),
    report:
      report === undefined
        ? undefined
        : () => writeResult(report, campaignFileText(fileOf(campaigns, seed, options)), '--report'),
    cover:
      typeof cover === 'string' ? () => saveCover(cover, coverOf(campaigns.reports)) : undefined,
  });
  const saved = isWritten('counterexample') ? save : undefined;
  if (options.json === true) printJson(output, campaigns, seed, options, saved);
  else if (options.ktap === true) output.lines(ktapLines(campaigns.reports.map(ktapOf)));
  else printText(output, campaigns, seed, verbosity, options);
  failIfUnwritten();
  if (signal.aborted) {
    const shortest = counterexample === undefined ? '' : ': there may be a shorter program';
    output.error(output.errorPalette.doubtful(`interrupted${shortest}`));
  }
  if (counterexample !== undefined) {
    if (options.json !== true && options.ktap !== true) {
      output.lines(['', `Saved to ${save}; to run it again: ${campaigns.replay} ${save}`]);
    }
    return VIOLATION;
  }
  return signal.aborted ? INTERRUPTED : FINE;
};

export const addCheck = (program: Command): void => {
  const command = program
    .command('check')
    .description(
      'run random programs, on the emulator or on a kernel, and judge every reply and the hidden state',
    )
    .option('--runs <programs>', 'how many programs to run in total', wholeNumber(1))
    .option('--seconds <seconds>', 'how long to run, without --runs', secondsNumber, 10)
    .option('--seed <seed>', 'seed of the programs (default: a new one)', seedNumber)
    .option(
      '--length <operations>',
      'the maximum number of operations of a program',
      wholeNumber(1),
      40,
    )
    .option(
      '--dma <programs>',
      'in one of N programs a device transfers memory, which shows what its IOMMU translates; 0 for none (default: 4 on the emulator, 16 on a kernel)',
      wholeNumber(0),
    )
    .addOption(
      optionOf('--paths <paths>', 'the files through which programs call VFIO', [
        ...PATHS,
        'any',
      ]).default('any'),
    );
  addSubjectOptions(addSettingOptions(command))
    .option('--guided', 'replace refused calls that were already common (the default on a kernel)')
    .option('--no-guided', 'generate each program independently')
    .option('--shard <k/n>', 'run the k-th of n parts of the programs', shardOption)
    .option('--cover [file]', COVER_HELP)
    .option('--report <file>', 'write the report to a file, which merge reads')
    .option('--save <file>', 'the file that a counterexample is saved to', 'counterexample.jsonl')
    .option('--json', 'print one line of JSON')
    .option('--ktap', 'print KTAP: the programs of a setting are a test')
    .option('-v, --verbose', 'list the rules that were not reached, and show more of the state');
  addDefectOption(command)
    .addHelpText('after', EXAMPLES)
    .addHelpText('after', defectsText)
    .action(async (options: CheckOptions) => {
      process.exitCode = await check(options);
    });
};
