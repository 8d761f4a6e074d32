// SPDX-License-Identifier: MIT
// iommufd-spec judge: judges recordings and traces.

import type { Command } from 'commander';
import { addedVerdicts, NO_VERDICTS } from '../judge/verdict.ts';
import { type KtapTest, ktapLines } from '../report/ktap.ts';
import {
  conclusion,
  type FileResult,
  factLines,
  reasonLines,
  recordedFailureLines,
  skippedLines,
  summaryHead,
  summaryRow,
} from '../report/summary.ts';
import { violationText } from '../report/violation-text.ts';
import { assumedRelease } from '../text/assumed-release.ts';
import { wrapped } from '../text/lines.ts';
import { PLAIN } from '../text/palette.ts';
import { grouped } from '../text/quantities.ts';
import type { Verbosity } from '../text/verbosity.ts';
import { jsonLine } from '../trace/json-line.ts';
import { BAD_INPUT, FINE, INTERRUPTED, VIOLATION } from './exit-status.ts';
import { interruption } from './interruption.ts';
import { judgeFile } from './judge-file.ts';
import { requireOneFormat } from './one-format.ts';
import { type Output, openOutput } from './output.ts';
import { NO_PROGRESS, startProgress } from './progress.ts';
import { addStatedOptions, type StatedOptions, statedFacts } from './stated-options.ts';

type Options = StatedOptions & {
  readonly json?: true;
  readonly ktap?: true;
  readonly verbose?: true;
};

const EXAMPLES = `
Examples:
  $ iommufd-spec judge recording.jsonl.gz
  $ iommufd-spec judge --verbose recordings/*.jsonl.gz
  $ iommufd-spec judge --verbose strace.log
  $ iommufd-spec judge --json counterexample.jsonl | jq .violation.call

Each file is judged up to its first violation. A trace may record a violation of hidden state, which replies alone do not
show: then judge says so, and replay shows it. Exit status: 0 no violation, 1 a violation,
2 a file that cannot be read to its end (what was judged before is still reported).`;

const statusOf = (results: readonly FileResult[]): number => {
  if (results.some(({ badInput }) => badInput !== undefined)) return BAD_INPUT;
  if (results.some(({ violation }) => violation !== undefined)) return VIOLATION;
  return results.some(({ interrupted }) => interrupted) ? INTERRUPTED : FINE;
};

const printText = (output: Output, result: FileResult, verbosity: Verbosity): void => {
  const { palette } = output;
  output.line(summaryRow(result.file, result.counts, result.notJudged, palette));
  for (const line of reasonLines(result, verbosity)) output.line(line);
  for (const line of factLines(result)) output.line(line);
  if (result.release !== undefined && result.violation === undefined) {
    const assumed = assumedRelease(result.release);
    if (assumed !== undefined) output.lines(wrapped(assumed, '  '));
  }
  for (const line of skippedLines(result)) output.line(palette.doubtful(line));
  for (const line of recordedFailureLines(result)) output.line(palette.doubtful(line));
  if (result.badInput !== undefined) output.error(output.errorPalette.bad(result.badInput));
  if (result.violation !== undefined) {
    output.lines(['', ...violationText(result.violation, verbosity, palette), '']);
  }
};

/** A file is a test. It fails with a violation, and if it cannot be read to its end. */
const ktapOf = (result: FileResult): KtapTest => {
  const { file, counts, notJudged, badInput, violation, interrupted } = result;
  const row = summaryRow(file, counts, notJudged, PLAIN);
  const lines = [
    summaryHead(PLAIN),
    row,
    ...factLines(result),
    ...(badInput === undefined ? [] : [badInput]),
    ...(violation === undefined ? [] : violationText(violation, 'brief', PLAIN)),
  ];
  if (violation !== undefined || badInput !== undefined)
    return { name: file, result: 'not ok', lines };
  return { name: file, result: interrupted ? { skip: 'interrupted' } : 'ok', lines };
};

const printTotal = (output: Output, results: readonly FileResult[]): void => {
  const { palette } = output;
  if (results.length > 1) {
    const counts = results.map((result) => result.counts).reduce(addedVerdicts, NO_VERDICTS);
    const notJudged = results.reduce((sum, result) => sum + result.notJudged, 0);
    output.line(summaryRow(palette.title('together'), counts, notJudged, palette));
  }
  output.line(conclusion(results, palette));
};

const judgeFiles = async (files: readonly string[], options: Options): Promise<number> => {
  const output = openOutput();
  const verbosity: Verbosity = options.verbose === true ? 'full' : 'brief';
  const { signal, release } = interruption();
  const results: FileResult[] = [];
  const progress =
    options.json === true || options.ktap === true
      ? NO_PROGRESS
      : startProgress(output, files.length, files.length === 1 ? 'file' : 'files');
  requireOneFormat(options);
  const isText = options.json !== true && options.ktap !== true;
  if (isText) output.line(summaryHead(output.palette));
  for (const file of files) {
    if (signal.aborted) break;
    const stated = statedFacts(options);
    const onProgress = (calls: number): void =>
      progress.at(results.length, `${grouped(calls)} calls of ${file}`);
    const result = await judgeFile(file, { verbosity, stated, signal, onProgress });
    results.push(result);
    progress.hide();
    if (options.json === true) output.line(jsonLine(result));
    else if (isText) printText(output, result, verbosity);
  }
  progress.hide();
  if (isText) printTotal(output, results);
  if (options.ktap === true) output.lines(ktapLines(results.map(ktapOf)));
  release();
  return statusOf(results);
};

export const addJudge = (program: Command): void => {
  const command = program
    .command('judge')
    .description('judge recordings of real kernels, traces, and logs of strace')
    .argument('<files...>', 'recordings, traces or logs of strace, plain or compressed with gzip');
  addStatedOptions(command)
    .option('--json', 'print a line of JSON for each file')
    .option('--ktap', 'print KTAP: a file is a test')
    .option('-v, --verbose', 'say why calls were not judged, and show more of the state')
    .addHelpText('after', EXAMPLES)
    .action(async (files: readonly string[], options: Options) => {
      process.exitCode = await judgeFiles(files, options);
    });
};
