// SPDX-License-Identifier: MIT
// iommufd-spec audit: the differences that a program can see when it moves from the legacy container to iommufd.

import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Audits } from '../audit/pages/rendered.ts';
import type { RecordedAudit } from '../audit/recorded.ts';
import { AUDITED_RELEASES, type AuditedRelease } from '../emit/audited-releases.ts';
import { grouped } from '../text/quantities.ts';
import { jsonLine } from '../trace/json-line.ts';
import { requireImage } from '../vm/vm.ts';
import { auditBetween } from './audit-between.ts';
import { confirmations, refutedText } from './audit-confirm.ts';
import { audited, INTERRUPTED_SAYS, requireFolder } from './audit-output.ts';
import { renderAudits } from './audit-render.ts';
import { BadUse } from './bad-use.ts';
import { optionOf } from './did-you-mean.ts';
import { FINE, INTERRUPTED, VIOLATION } from './exit-status.ts';
import { interruption } from './interruption.ts';
import { type Output, openOutput } from './output.ts';
import { NO_PROGRESS, startProgress } from './progress.ts';
import { wholeNumber } from './settings.ts';

type Options = {
  readonly release: AuditedRelease;
  readonly output: string;
  readonly confirm?: true;
  readonly vm?: readonly string[];
  readonly random?: number;
  readonly seed: number;
  readonly between?: readonly string[];
  readonly render?: true;
  readonly json?: true;
};

const EXAMPLES = `
Examples:
  $ iommufd-spec audit --release 7.3.4
  $ iommufd-spec audit --release 7.3.4 --confirm --vm bzImage-7.3.4 --vm bzImage-6.12.95
  $ iommufd-spec audit --release 7.3.4 --random 20000 --seed 7
  $ iommufd-spec audit --between 6.12.95 7.3.4
  $ iommufd-spec audit --render
  $ iommufd-spec audit --release 6.12.95 --json | jq '.rows[] | select(.severity == "breaks") | .title'

Writes the record RELEASE.jsonl into the folder, and renders that folder: RELEASE.md, RELEASE.html and a C file a row,
rows/ROW.c. --confirm runs these, too, where there is a compiler. --between writes EARLIER-LATER.jsonl and
EARLIER-LATER.md. --render makes all pages and C files from the records, which takes seconds. Exit status: 0 done, 1 a
kernel does not show what the specification says, 2 a record is none, or not what the specification answers now, or the
folder holds what an audit must not replace: files of others, and rows that kernels confirmed, 3 there is no kernel to
start or a file cannot be written, 130 interrupted.`;

const NO_AUDITS: Audits = { audits: [], changes: [], reproduced: new Map() };

type Known = {
  /** The folder's audits, without that of the release that is searched. */
  readonly others: Audits;
  /** Whether these are all its audits. */
  readonly isWhole: boolean;
};

const known = async (
  { output: folder, release, json }: Options,
  output: Output,
): Promise<Known> => {
  if (json === true) return { others: NO_AUDITS, isWhole: true };
  const { readAudits, recordPath } = await import('./audit-folder.ts');
  const replaced = recordPath(folder, release);
  let isWhole = true;
  const all = readAudits(folder, (error) => {
    if (error.file === replaced) return;
    isWhole = false;
    output.error(`${error.message}. Its generated files are left as they are.`);
  });
  const audits = all.audits.filter((audit) => audit.release !== release);
  return { others: { ...all, audits }, isWhole };
};

const searched = async (
  options: Options,
  output: Output,
): Promise<{ readonly audit: RecordedAudit; readonly signal: AbortSignal }> => {
  const { signal, release } = interruption();
  const { runAudit: run } = await import('../audit/run-audit.ts');
  const { recordedAudit } = await import('../audit/recorded.ts');
  const { SCENARIOS } = await import('../audit/platforms.ts');
  const progress =
    options.json === true ? NO_PROGRESS : startProgress(output, SCENARIOS.length, 'platforms');
  const audit = await run({
    release: options.release,
    ...(options.random === undefined
      ? {}
      : { random: { runs: options.random, seed: options.seed } }),
    watch: async (scenario, done) => {
      if (scenario === undefined) {
        progress.at(SCENARIOS.length, `${grouped(done)} programs generated at random`);
      } else {
        progress.at(SCENARIOS.indexOf(scenario), `${grouped(done)} requests on ${scenario.name}`);
      }
      await setImmediate();
      return !signal.aborted;
    },
  });
  progress.hide();
  release();
  return { audit: recordedAudit(audit), signal };
};

/** With the earlier confirmations of programs that were found again. */
const withBefore = async (audit: RecordedAudit, folder: string): Promise<RecordedAudit> => {
  const { recordBefore } = await import('./audit-folder.ts');
  const { keepingConfirmed } = await import('../audit/recorded.ts');
  const before = recordBefore(folder, audit.release);
  return before === undefined ? audit : keepingConfirmed(audit, before);
};

const inOrder = (audits: readonly RecordedAudit[]): readonly RecordedAudit[] =>
  AUDITED_RELEASES.flatMap((name) => audits.filter(({ release }) => release === name));

const runAudit = async (options: Options): Promise<number> => {
  if ((options.confirm === true) !== (options.vm !== undefined)) {
    throw new BadUse('--confirm runs the causes on a kernel: name it with --vm.');
  }
  for (const image of options.vm ?? []) requireImage(image);
  const isWritten = options.json !== true;
  if (isWritten) {
    requireFolder(options.output);
    const { requireRelease } = await import('./audit-folder.ts');
    requireRelease(options.output, options.release);
  }
  const output = openOutput();
  const { others, isWhole } = await known(options, output);
  const { audit: found, signal } = await searched(options, output);
  const audit = isWritten ? await withBefore(found, options.output) : found;
  const {
    audits: [confirmed = audit],
    reproduced,
    refuted,
  } = await confirmations({
    images: signal.aborted ? [] : (options.vm ?? []),
    audits: [audit],
    all: inOrder([...others.audits, audit]),
    reproduced: others.reproduced,
    output,
  });
  const { documentOf } = await import('../audit/pages/audit-document.ts');
  const document = documentOf(confirmed, reproduced);
  if (isWritten) {
    const { auditSummary } = await import('../audit/pages/markdown.ts');
    output.lines(auditSummary(document));
  } else output.line(jsonLine(audited(document, signal)));
  if (signal.aborted) {
    output.error(output.errorPalette.doubtful(INTERRUPTED_SAYS));
    return INTERRUPTED;
  }
  if (isWritten) {
    const { writeAudits } = await import('./audit-folder.ts');
    const audits = inOrder([...others.audits, confirmed]);
    const all = { ...others, audits, reproduced };
    const paths = await writeAudits(options.output, all, isWhole);
    output.lines(['', ...paths.map((path) => `wrote ${path}`)]);
  }
  if (refuted.length === 0) return FINE;
  output.error(refutedText(refuted));
  return VIOLATION;
};

export const addAudit = (program: Command): void => {
  program
    .command('audit')
    .description('find every difference between the legacy container and an iommufd in its place')
    .addOption(
      optionOf('--release <release>', 'the kernel release', AUDITED_RELEASES).default('7.3.4'),
    )
    .option('--output <folder>', 'the folder that the audit is written to', 'docs/audit')
    .option(
      '--random <runs>',
      'how many programs are generated at random, in addition to the search',
      wholeNumber(1),
    )
    .option('--seed <number>', 'seed of the generated programs', wholeNumber(0), 1)
    .option(
      '--between <releases...>',
      'what changed for programs from one release to another, on each container',
    )
    .option('--render', 'generate the pages and the C files from the records, without a search')
    .option('--confirm', 'run each difference on both sides of a kernel')
    .option('--vm <image...>', 'the kernel, a bzImage; once for each release')
    .option('--json', 'print one line of JSON instead of writing files')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options) => {
      if (options.render === true) process.exitCode = await renderAudits(options);
      else if (options.between === undefined) process.exitCode = await runAudit(options);
      else process.exitCode = await auditBetween({ ...options, between: options.between });
    });
};
