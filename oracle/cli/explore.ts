// iommufd-spec explore: every program up to a bound over a few calls, and the laws of the specification in every state.

import { type Command, InvalidArgumentError } from 'commander';
import { BadSaved, type Shard } from '../../model/explorer/explore.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { ALPHABETS } from '../explore/alphabets/all.ts';
import type { Alphabet } from '../explore/letters.ts';
import type { Earlier, Explored, ExploreReport } from '../explore/run-explore.ts';
import type { SavedExploration } from '../explore/saved-file.ts';
import { grouped } from '../text/quantities.ts';
import { BadInput } from '../trace/bad-input.ts';
import { jsonLine } from '../trace/json-line.ts';
import { EnvironmentError } from '../vm/environment-error.ts';
import { BadUse } from './bad-use.ts';
import { FINE, INTERRUPTED, VIOLATION } from './exit-status.ts';
import { interruption } from './interruption.ts';
import { openOutput } from './output.ts';
import { startStages } from './progress.ts';
import { saveTrace } from './save-trace.ts';
import {
  addSettingOptions,
  type SettingOptions,
  secondsNumber,
  settingsFor,
  wholeNumber,
} from './settings.ts';
import { shardOption } from './shard-option.ts';
import { writeAll } from './write-result.ts';

type Options = SettingOptions & {
  readonly alphabet?: readonly string[];
  readonly depth?: number;
  readonly states: number;
  readonly seconds?: number;
  readonly save?: string;
  readonly resume?: string;
  readonly shard?: Shard;
  readonly program: string;
  readonly json?: true;
  readonly verbose?: true;
};

const EXAMPLES = `
Examples:
  $ iommufd-spec explore
  $ iommufd-spec explore --release 7.3.4 --alphabet compat --depth 9
  $ iommufd-spec explore --alphabet native --release 6.12.95 --seconds 600 --save native.bin
  $ iommufd-spec explore --resume native.bin --seconds 600 --save native.bin
  $ iommufd-spec explore --alphabet type1 --release 7.3.4 --shard 1/4 --save 1.bin
  $ iommufd-spec merge 1.bin 2.bin 3.bin 4.bin
  $ iommufd-spec explore --json --alphabet type1 | jq '.explorations[].counts'

Every program up to a number of calls is looked at, breadth first: worlds that differ in numbers of descriptors and
objects only are one state, and no state is looked at twice. The first program that leads to a broken law is a shortest
one; it is saved as a trace. Without --release each release is explored, on the platform that an alphabet is written for.
Exit status: 0 no law is broken, 1 a law is broken, 2 bad use or a file that is no saved exploration, 130 interrupted.`;

const alphabetsText = (): string =>
  `\nAlphabets:\n${ALPHABETS.map(
    ({ name, says, letters, depth }) =>
      `  ${name}\n      ${says}\n      ${letters.length} calls; to a depth of ${depth} without --depth`,
  ).join('\n')}`;

const DEFAULT_STATES = 1_000_000;

/** What is explored, one after the other. */
type Task = {
  readonly alphabet: Alphabet;
  readonly setting: Setting;
  readonly depth: number;
  readonly shard?: Shard;
  readonly earlier?: Earlier;
  readonly close?: () => void;
};

const oneMoreAlphabet = (
  name: string,
  others: readonly string[] | undefined,
): readonly string[] => {
  if (!ALPHABETS.some((alphabet) => alphabet.name === name)) {
    const names = ALPHABETS.map((alphabet) => alphabet.name).join(', ');
    throw new InvalidArgumentError(`There is none of that name; these are: ${names}.`);
  }
  return [...(others ?? []), name];
};

const fresh = (options: Options): readonly Task[] => {
  const { alphabet: names, unprivileged, memlock } = options;
  const isPrivileged = unprivileged !== true && memlock === undefined;
  return ALPHABETS.filter(({ name }) => names?.includes(name) ?? true).flatMap((alphabet) =>
    settingsFor({ ...options, platform: options.platform ?? alphabet.platform })
      .filter(({ credentials }) => credentials.privileged === isPrivileged)
      .map((setting) => ({
        alphabet,
        setting,
        depth: options.depth ?? alphabet.depth,
        ...(options.shard === undefined ? {} : { shard: options.shard }),
      })),
  );
};

const resumed = async (path: string, options: Options): Promise<readonly Task[]> => {
  const { alphabet, release, platform, unprivileged, memlock, shard } = options;
  const told = [alphabet, release, platform, unprivileged, memlock, shard];
  if (told.some((given) => given !== undefined)) {
    throw new BadUse('--resume goes on with what was saved: it is not told what to explore.');
  }
  const saved = await savedIn(path);
  const { depth = saved.depth } = options;
  if (saved.broken !== undefined) {
    saved.close();
    throw new BadUse(`A law is broken in what was saved: ${saved.broken.law}.`);
  }
  if (saved.shard !== undefined && depth !== saved.depth) {
    saved.close();
    throw new BadUse(`Part of an exploration keeps its depth, ${saved.depth} calls.`);
  }
  return [{ ...saved, depth }];
};

/** The states are read when it is gone on with, or with others. */
export const savedIn = async (path: string): Promise<SavedExploration> => {
  const { openExploration } = await import('../explore/saved-file.ts');
  try {
    return openExploration(path, ALPHABETS);
  } catch (error) {
    if (error instanceof BadInput) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new BadInput(path, 0, `the file cannot be read: ${why}`);
  }
};

type SaveExploration = typeof import('../explore/saved-file.ts')['saveExploration'];

const save = (
  saveExploration: SaveExploration,
  path: string,
  alphabet: Alphabet,
  explored: Explored,
): void => {
  try {
    saveExploration(path, alphabet, explored);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(
      `The exploration cannot be saved: ${why}. Name another file with --save.`,
    );
  }
};

export const reportJson = ({ setting, rules, shard, ...report }: ExploreReport) => ({
  ...report,
  ...(shard === undefined ? {} : { shard: `${shard.index + 1}/${shard.of}` }),
  release: setting.release,
  platform: setting.platform.name,
  privileged: setting.credentials.privileged,
  rules: [...rules].sort(),
});

const explore = async (options: Options): Promise<number> => {
  const { save: savePath, resume } = options;
  const tasks = resume === undefined ? fresh(options) : await resumed(resume, options);
  if (savePath !== undefined && tasks.length > 1) {
    throw new BadUse('--save is of one exploration: name one --alphabet and one --release.');
  }
  const { runExplore, traceOfBroken } = await import('../explore/run-explore.ts');
  const { exploreText } = await import('../report/explore-text.ts');
  const { saveExploration } = await import('../explore/saved-file.ts');
  const output = openOutput();
  const { signal, release } = interruption();
  const stages = output.isWatched && options.json !== true ? startStages(output) : undefined;
  const reports: ExploreReport[] = [];
  let failIfUnsaved = (): void => {};
  const start = performance.now();
  const left = (): number =>
    options.seconds === undefined
      ? Number.POSITIVE_INFINITY
      : options.seconds * 1000 - (performance.now() - start);
  for (const [index, { alphabet, setting, depth, shard, earlier, close }] of tasks.entries()) {
    if (signal.aborted) break;
    stages?.tell(`${alphabet.name}, ${setting.release}, ${setting.platform.name}`);
    const explored = await runExplore({
      alphabet,
      setting,
      depth,
      states: options.states,
      // Each gets its share of what is left.
      time: left() / (tasks.length - index),
      signal,
      ...(earlier === undefined ? {} : { earlier }),
      ...(shard === undefined ? {} : { shard }),
      onProgress: ({ distinct, statesPerSecond, frontier, depth: deep, rules }) =>
        stages?.at(
          `${grouped(distinct)} states, ${grouped(statesPerSecond)} a second, ${grouped(frontier)} to look at, ` +
            `${deep} calls deep, ${rules} rules`,
        ),
    }).catch((error: unknown) => {
      if (error instanceof BadSaved) throw new BadInput(resume ?? '', 0, error.message);
      throw error;
    });
    close?.();
    reports.push(explored.report);
    if (savePath !== undefined) {
      failIfUnsaved = writeAll([() => save(saveExploration, savePath, alphabet, explored)]);
    }
    if (explored.report.broken !== undefined) break;
  }
  stages?.hide();
  release();
  const broken = reports.find((report) => report.broken !== undefined);
  const trace = broken === undefined ? undefined : traceOfBroken(broken);
  const failIfUnwritten = writeAll([
    () => {
      if (trace !== undefined) saveTrace(options.program, trace);
    },
    failIfUnsaved,
  ]);
  if (options.json === true) {
    output.line(
      jsonLine({
        explorations: reports.map(reportJson),
        ...(broken === undefined ? {} : { saved: options.program }),
      }),
    );
  } else {
    output.lines(exploreText(reports, options.verbose === true, output.palette));
  }
  failIfUnwritten();
  if (options.json !== true && broken !== undefined) {
    const { program } = options;
    output.lines(['', `Saved to ${program}; to run it: iommufd-spec replay ${program}`]);
  }
  if (options.json !== true && savePath !== undefined) {
    output.lines(['', `To go on: iommufd-spec explore --resume ${savePath}`]);
  }
  if (broken !== undefined) return VIOLATION;
  if (signal.aborted) output.error(output.errorPalette.doubtful('interrupted'));
  return signal.aborted ? INTERRUPTED : FINE;
};

export const addExplore = (program: Command): void => {
  const command = program
    .command('explore')
    .description(
      'look at every program up to a bound, and at the laws of the specification in every state',
    )
    .option(
      '--alphabet <name>',
      'the calls that programs are made of, more than once for several (default: every one)',
      oneMoreAlphabet,
    );
  addSettingOptions(command)
    .option('--depth <calls>', 'how many calls a program has at most', wholeNumber(1))
    .option('--states <states>', 'how many states there may be', wholeNumber(1), DEFAULT_STATES)
    .option('--seconds <seconds>', 'how long to explore, in all', secondsNumber)
    .option('--save <file>', 'where the exploration is saved, to go on with')
    .option('--resume <file>', 'go on with what was saved')
    .option('--shard <k/n>', 'look at part K of N, so that N runs do the work of one', shardOption)
    .option(
      '--program <file>',
      'where the program that breaks a law is saved',
      'counterexample.jsonl',
    )
    .option('--json', 'print one line of JSON')
    .option('-v, --verbose', 'name the rules that answered, and those that did not')
    .addHelpText('after', EXAMPLES)
    .addHelpText('after', alphabetsText)
    .action(async (options: Options) => {
      process.exitCode = await explore(options);
    });
};
