// SPDX-License-Identifier: MIT
// iommufd-spec merge: merges the reports of a campaign's shards, or the parts of an exploration.

import type { Command } from 'commander';
import {
  type CampaignFile,
  mergedFiles,
  missingShards,
  type SavedCampaign,
  whyNotOneRun,
} from '../check/campaign-file.ts';
import { campaignFileText, readCampaignFile } from '../check/campaign-json.ts';
import { coverOf } from '../check/cover.ts';
import { isExploration } from '../explore/saved-file.ts';
import { campaignsText, summaryOf } from '../report/campaign-text.ts';
import { settingText } from '../report/counterexample.ts';
import { coverText } from '../report/cover/cover-text.ts';
import { count, listed, ranges } from '../text/quantities.ts';
import { jsonLine } from '../trace/json-line.ts';
import { traceOfLines } from '../trace/trace-file.ts';
import { BadUse } from './bad-use.ts';
import { COVER_HELP, checkCoverFile, saveCover } from './cover-file.ts';
import { BAD_INPUT, FINE, VIOLATION } from './exit-status.ts';
import { mergeExplorations } from './merge-explorations.ts';
import { type Output, openOutput } from './output.ts';
import { writeTrace } from './save-trace.ts';
import { writeAll, writeResult } from './write-result.ts';

type Options = {
  readonly cover?: true | string;
  readonly report?: string;
  readonly save: string;
  readonly json?: true;
  readonly verbose?: true;
};

const EXAMPLES = `
Examples:
  $ iommufd-spec check --runs 100000 --seed 7 --shard 1/2 --report 1.json
  $ iommufd-spec check --runs 100000 --seed 7 --shard 2/2 --report 2.json
  $ iommufd-spec merge 1.json 2.json
  $ iommufd-spec merge --cover rules.html --report whole.json shards/*.json
  $ iommufd-spec explore --actions native --release 7.3.4 --depth 9 --shard 1/2 --save 1.bin
  $ iommufd-spec merge 1.bin 2.bin

The counts, the rules and the violation are those of one run of all programs. Exit status: 0 no violation, 1 a violation or
a broken law, 2 a file is no report or of another run, or shards are missing or not at their end (what there is is
reported all the same), 3 a file cannot be written (the report is printed all the same).`;

/** The first violation, in the order in which a single run goes through the settings. */
const firstFailing = ({ campaigns }: CampaignFile): SavedCampaign | undefined =>
  campaigns.find(({ trace }) => trace !== undefined);

const printText = async (
  output: Output,
  file: CampaignFile,
  { cover, verbose }: Options,
  saved: string | undefined,
): Promise<void> => {
  const { palette } = output;
  const { campaigns, asked, milliseconds } = file;
  const summary = summaryOf(campaigns, asked.seed, milliseconds / 1000, asked.subject);
  output.lines(campaignsText(summary, verbose === true ? 'full' : 'brief', palette));
  if (cover === true) output.lines(['', ...coverText(coverOf(campaigns), palette)]);
  output.line('');
  const failing = campaigns.filter(({ trace }) => trace !== undefined);
  const trace = failing[0]?.trace;
  if (trace === undefined) {
    output.line(palette.good('no violation'));
    return;
  }
  for (const { setting, failing: programs } of failing) {
    const words = `${count(programs, 'program')} with a violation`;
    output.line(`${palette.bad(words)}, ${settingText(setting)}`);
  }
  const { emissionOf } = await import('../emit/emission.ts');
  const { emissionText } = await import('../emit/text.ts');
  output.lines(['', emissionText(emissionOf(traceOfLines('the report', trace))).trimEnd()]);
  if (saved !== undefined) {
    output.lines(['', `Saved to ${saved}; to run it again: iommufd-spec replay ${saved}`]);
  }
};

const printJson = (
  output: Output,
  file: CampaignFile,
  { cover }: Options,
  saved: string | undefined,
): void => {
  const { campaigns, asked, milliseconds, shards } = file;
  const seconds = milliseconds / 1000;
  output.line(
    jsonLine({
      ...summaryOf(campaigns, asked.seed, seconds, asked.subject),
      seconds,
      ...(shards === undefined ? {} : { shards, missing: missingShards(file) }),
      ...(cover === undefined ? {} : { cover: coverOf(campaigns) }),
      saved,
    }),
  );
};

const merge = async (names: readonly string[], options: Options): Promise<number> => {
  if (names.some(isExploration)) {
    if ((options.cover ?? options.report) !== undefined) {
      throw new BadUse(
        'Explorations have no --cover and no --report: use --verbose, which lists the rules.',
      );
    }
    return await mergeExplorations(names, options);
  }
  if (typeof options.cover === 'string') checkCoverFile(options.cover);
  const output = openOutput();
  const files: { readonly name: string; readonly file: CampaignFile }[] = [];
  for (const name of names) files.push({ name, file: await readCampaignFile(name) });
  const why = whyNotOneRun(files);
  if (why !== undefined) throw new BadUse(`${why}.`);
  const [first, ...others] = files.map(({ file }) => file);
  if (first === undefined) throw new BadUse('No report is named.');
  const whole = mergedFiles([first, ...others]);
  const trace = firstFailing(whole)?.trace;
  const { save, report, cover } = options;
  const { isWritten, failIfUnwritten } = await writeAll({
    counterexample: trace && (() => writeTrace(save, trace)),
    report:
      report === undefined
        ? undefined
        : () => writeResult(report, campaignFileText(whole), '--report'),
    cover: typeof cover === 'string' ? () => saveCover(cover, coverOf(whole.campaigns)) : undefined,
  });
  const saved = isWritten('counterexample') ? save : undefined;
  if (options.json === true) printJson(output, whole, options, saved);
  else await printText(output, whole, options, saved);
  const missing = missingShards(whole);
  if (missing.length > 0) {
    const shards = missing.length === 1 ? 'shard' : 'shards';
    output.error(
      output.errorPalette.doubtful(
        `no report of ${shards} ${listed(ranges(missing))} of ${whole.shards?.of}`,
      ),
    );
  }
  failIfUnwritten();
  if (trace !== undefined) return VIOLATION;
  return missing.length > 0 ? BAD_INPUT : FINE;
};

export const addMerge = (program: Command): void => {
  program
    .command('merge')
    .description('merge the reports of the shards of a check or an exploration')
    .argument('<reports...>', 'what check --report or explore --save wrote')
    .option('--cover [file]', COVER_HELP)
    .option('--report <file>', 'write the report to a file')
    .option('--save <file>', 'the file that a counterexample is saved to', 'counterexample.jsonl')
    .option('--json', 'print one line of JSON')
    .option('-v, --verbose', 'list the rules that were not reached')
    .addHelpText('after', EXAMPLES)
    .action(async (reports: readonly string[], options: Options) => {
      process.exitCode = await merge(reports, options);
    });
};
