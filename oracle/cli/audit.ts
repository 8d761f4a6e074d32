// iommufd-spec audit: what a program can notice that moves from the legacy container to iommufd.

import { setImmediate } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { RELEASE_NAMES, type ReleaseName } from '../../spec/terms/releases.ts';
import type { Located } from '../audit/located.ts';
import type { Ground } from '../audit/platforms.ts';
import type { CFile } from '../audit/reproduce.ts';
import type { Audit } from '../audit/run-audit.ts';
import { grouped } from '../text/quantities.ts';
import { jsonLine } from '../trace/json-line.ts';
import { requireImage } from '../vm/vm.ts';
import { auditBetween } from './audit-between.ts';
import { audited, INTERRUPTED_SAYS, requireFolder, write, writeC } from './audit-output.ts';
import { BadUse } from './bad-use.ts';
import { FINE, INTERRUPTED, VIOLATION } from './exit-status.ts';
import { interruption } from './interruption.ts';
import { startKernel } from './kernel.ts';
import { type Output, openOutput } from './output.ts';
import { NO_PROGRESS, startProgress } from './progress.ts';
import { wholeNumber } from './settings.ts';

type Options = {
  readonly release: ReleaseName;
  readonly output: string;
  readonly confirm?: true;
  readonly vm?: readonly string[];
  readonly random?: number;
  readonly seed: number;
  readonly between?: readonly string[];
  readonly json?: true;
};

const EXAMPLES = `
Examples:
  $ iommufd-spec audit --release 7.3.4
  $ iommufd-spec audit --release 7.3.4 --confirm --vm bzImage-7.3.4 --vm bzImage-6.12.95
  $ iommufd-spec audit --release 7.3.4 --random 20000 --seed 7
  $ iommufd-spec audit --between 6.12.95 7.3.4
  $ iommufd-spec audit --release 6.12.95 --json | jq '.rows[] | select(.severity == "breaks") | .title'

Writes RELEASE.md, RELEASE.json, RELEASE.html and a C file a row (RELEASE/ROW.c) into the folder. --confirm runs these,
too, where there is a compiler. --between writes EARLIER-LATER.md and EARLIER-LATER.json. Exit status: 0 done, 1 a kernel does not show what the
specification says, 3 there is no kernel to start, 130 interrupted.`;

/** What kernels said: of causes by their key, of C files by their row's id. */
type Confirmations = {
  readonly confirmed: Map<string, ReleaseName[]>;
  readonly reproduced: Map<string, ReleaseName[]>;
  readonly refuted: string[];
};

const sameMachine = (a: Ground, b: Ground): boolean =>
  a.machine === b.machine &&
  a.credentials === b.credentials &&
  a.kernelArguments.join() === b.kernelArguments.join();

/** What was found, by the machine that shows it. */
const byMachine = (all: readonly Located[]): readonly (readonly [Located, ...Located[]])[] => {
  const groups: [Located, ...Located[]][] = [];
  for (const found of all) {
    const group = groups.find(([first]) => sameMachine(first.ground, found.ground));
    if (group === undefined) groups.push([found]);
    else group.push(found);
  }
  return groups;
};

const noteRelease = (all: Map<string, ReleaseName[]>, key: string, release: ReleaseName): void => {
  all.set(key, [...(all.get(key) ?? []), release]);
};

const cFilesOf = async ({ release, rows }: Audit): Promise<readonly CFile[]> => {
  const { reproducerOf } = await import('../audit/reproducer.ts');
  return rows.map((row) => ({
    id: row.description.id,
    ...reproducerOf(release, row),
    ground: row.seen[0].ground,
  }));
};

/** Runs the rows' C files on the kernel, which is of that release. */
const reproduce = async (
  image: string,
  release: ReleaseName,
  files: readonly CFile[],
  wanted: ReleaseName,
  said: Confirmations,
  output: Output,
): Promise<void> => {
  const { canCompile, reproducedOn } = await import('../audit/reproduce.ts');
  if (!(await canCompile())) {
    output.error('There is no cc here: the C files were not run.');
    return;
  }
  const shown = await reproducedOn(image, files);
  for (const { id } of files) {
    if (shown.has(id)) noteRelease(said.reproduced, id, release);
    else if (release === wanted) said.refuted.push(`${id}: its C file does not show it`);
  }
  output.error(`${image}: ${shown.size} of ${files.length} C files end with 0`);
};

/** The kernel's release; undefined where nothing was found to confirm. */
const confirm = async (
  image: string,
  audit: Audit,
  said: Confirmations,
  output: Output,
): Promise<ReleaseName | undefined> => {
  let release: ReleaseName | undefined;
  const { confirmOn } = await import('../audit/confirm.ts');
  const all = audit.rows.flatMap(({ seen }) => seen);
  for (const there of byMachine(all)) {
    const { machine, credentials, kernelArguments } = there[0].ground;
    const { subject, setting } = await startKernel(
      { vm: image },
      machine,
      credentials,
      {},
      kernelArguments,
    );
    release = setting.release;
    try {
      const confirmations = await confirmOn(subject, audit.release, there);
      for (const [index, found] of there.entries()) {
        const confirmation = confirmations[index];
        if (confirmation?.kind === 'confirmed') {
          noteRelease(said.confirmed, found.key, setting.release);
        } else if (confirmation?.kind === 'refuted' && setting.release === audit.release) {
          said.refuted.push(`${found.key}: ${setting.release} showed ${confirmation.seen}`);
        }
      }
    } finally {
      await subject.close();
    }
  }
  output.error(`${image}: ${said.confirmed.size} of ${all.length} causes seen so far`);
  return release;
};

const runAudit = async (options: Options): Promise<number> => {
  if ((options.confirm === true) !== (options.vm !== undefined)) {
    throw new BadUse('--confirm runs what was found on a kernel: name one with --vm, and both.');
  }
  for (const image of options.vm ?? []) requireImage(image);
  if (options.json !== true) requireFolder(options.output);
  const output = openOutput();
  const { signal, release } = interruption();
  const { runAudit: run } = await import('../audit/run-audit.ts');
  const { GROUNDS } = await import('../audit/platforms.ts');
  const progress =
    options.json === true ? NO_PROGRESS : startProgress(output, GROUNDS.length, 'platforms');
  const audit = await run({
    release: options.release,
    ...(options.random === undefined
      ? {}
      : { random: { runs: options.random, seed: options.seed } }),
    watch: async (ground, done) => {
      if (ground === undefined) {
        progress.at(GROUNDS.length, `${grouped(done)} programs drawn at random`);
      } else {
        progress.at(GROUNDS.indexOf(ground), `${grouped(done)} requests on ${ground.name}`);
      }
      await setImmediate();
      return !signal.aborted;
    },
  });
  progress.hide();
  release();
  const said: Confirmations = { confirmed: new Map(), reproduced: new Map(), refuted: [] };
  const files = await cFilesOf(audit);
  for (const image of signal.aborted ? [] : (options.vm ?? [])) {
    const release = await confirm(image, audit, said, output);
    if (release !== undefined) await reproduce(image, release, files, audit.release, said, output);
  }
  const { documentOf } = await import('../report/audit/audit-document.ts');
  const document = documentOf(audit, said);
  if (options.json === true) output.line(jsonLine(audited(document, signal)));
  else {
    const { auditSummary } = await import('../report/audit/markdown.ts');
    output.lines(auditSummary(document));
  }
  if (signal.aborted) {
    output.error(output.errorPalette.doubtful(INTERRUPTED_SAYS));
    return INTERRUPTED;
  }
  if (options.json !== true) {
    writeC(options.output, audit.release, files);
    output.lines(['', ...(await write(options.output, document)).map((path) => `wrote ${path}`)]);
  }
  if (said.refuted.length > 0) {
    output.error(
      `${said.refuted.length} causes were not seen as found:\n${said.refuted.join('\n')}`,
    );
    return VIOLATION;
  }
  return FINE;
};

export const addAudit = (program: Command): void => {
  program
    .command('audit')
    .description('find every difference between the legacy container and iommufd in its place')
    .addOption(
      new Option('--release <release>', 'the kernel release')
        .choices(RELEASE_NAMES)
        .default('7.3.4'),
    )
    .option('--output <folder>', 'where the audit is written', 'docs/audit')
    .option(
      '--random <runs>',
      'so many programs drawn at random, beside the search',
      wholeNumber(1),
    )
    .option('--seed <number>', 'where the drawing begins', wholeNumber(0), 1)
    .option(
      '--between <releases...>',
      'what changed for programs from one release to another, on each container',
    )
    .option('--confirm', 'run each difference on both sides of a kernel')
    .option('--vm <image...>', 'the kernel, a bzImage; another one confirms for another release')
    .option('--json', 'print one line of JSON instead of writing files')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options) => {
      process.exitCode =
        options.between === undefined
          ? await runAudit(options)
          : await auditBetween({ ...options, between: options.between });
    });
};
