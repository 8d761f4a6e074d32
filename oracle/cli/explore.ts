// SPDX-License-Identifier: MIT
// iommufd-spec explore: runs every program of a few calls up to a bound, and checks the laws of the specification in
// every state.

import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import { BadSaved } from '../../model/explorer/explore.ts';
import { ACTION_SETS } from '../explore/action-sets/all.ts';
import type { ActionSet } from '../explore/actions.ts';
import type { Explored, ExploreReport } from '../explore/run-explore.ts';
import { isReplaced } from '../files/save-file.ts';
import { grouped, listed } from '../text/quantities.ts';
import { BadInput } from '../trace/bad-input.ts';
import { jsonLine } from '../trace/json-line.ts';
import { EnvironmentError } from '../vm/environment-error.ts';
import { oneMore } from './did-you-mean.ts';
import { FINE, INTERRUPTED, VIOLATION } from './exit-status.ts';
import { type ExploreOptions, tasksOf } from './explore-tasks.ts';
import { interruption } from './interruption.ts';
import { type Output, openOutput } from './output.ts';
import { startStages } from './progress.ts';
import { saveTrace } from './save-trace.ts';
import { addSettingOptions, secondsNumber, wholeNumber } from './settings.ts';
import { shardOption } from './shard-option.ts';
import { writeAll, writeResult } from './write-result.ts';

const EXAMPLES = `
Examples:
  $ iommufd-spec explore
  $ iommufd-spec explore --release 7.3.4 --actions compat --depth 9
  $ iommufd-spec explore --actions native --release 6.12.95 --seconds 600 --save native.bin
  $ iommufd-spec explore --resume native.bin --seconds 600 --save native.bin
  $ iommufd-spec explore --actions type1 --release 7.3.4 --shard 1/4 --save 1.bin
  $ iommufd-spec merge 1.bin 2.bin 3.bin 4.bin
  $ iommufd-spec explore --json --actions type1 | jq '.explorations[].counts'

Every program up to a number of calls is explored, breadth first: worlds that differ in numbers of descriptors and
objects only are one state, and no state is expanded twice. The first program that leads to a broken law is a shortest
one; it is saved as a trace. Without --release each release is explored, on the platform that an action set is written for.
Exit status: 0 no law is broken, 1 a law is broken, 2 bad use, or a file that is no saved
exploration or is damaged, 3 a file cannot be written (what was found is printed all the same), 130 interrupted.`;

const actionSetsText = (): string =>
  `\nActionSets:\n${ACTION_SETS.map(
    ({ name, says, actions, depth }) =>
      `  ${name}\n      ${says}\n      ${actions.length} calls; to a depth of ${depth} without --depth`,
  ).join('\n')}`;

const DEFAULT_STATES = 1_000_000;
/** Seconds. */
const SAVE_EVERY = 60;

type BytesOf = typeof import('../explore/saved-file.ts')['explorationBytes'];

export const reportJson = ({ setting, rules, shard, ...report }: ExploreReport) => ({
  ...report,
  ...(shard === undefined ? {} : { shard: `${shard.index + 1}/${shard.of}` }),
  release: setting.release,
  platform: setting.platform.name,
  privileged: setting.credentials.privileged,
  rules: [...rules].sort(),
});

/** Saves to the file of --save, at intervals and at the end. */
const savingTo = (options: ExploreOptions, output: Output, bytesOf: BytesOf) => {
  const { save, saveEvery = SAVE_EVERY } = options;
  if (save === undefined) return undefined;
  const write = (actionSet: ActionSet, explored: Explored): Promise<void> =>
    writeResult(save, bytesOf(actionSet, explored), '--save', 'exploration');
  let hasFailed = false;
  const early = (actionSet: ActionSet) => ({
    every: saveEvery * 1000,
    save: (explored: Explored): Promise<void> =>
      write(actionSet, explored).catch((error: unknown) => {
        if (!(error instanceof EnvironmentError)) throw error;
        if (!hasFailed) output.error(`${error.message} The exploration continues.`);
        hasFailed = true;
      }),
  });
  // A pipe or a device gets only the last save.
  return { write, early: isReplaced(save) ? early : () => undefined };
};

const explore = async (options: ExploreOptions): Promise<number> => {
  const { save: savePath, resume } = options;
  const tasks = await tasksOf(options);
  const { runExplore, traceOfBroken } = await import('../explore/run-explore.ts');
  const { exploreText } = await import('../report/explore-text.ts');
  const { explorationBytes } = await import('../explore/saved-file.ts');
  const output = openOutput();
  const { signal, release } = interruption();
  const stages = output.isWatched && options.json !== true ? startStages(output) : undefined;
  const saving = savingTo(options, output, explorationBytes);
  const reports: ExploreReport[] = [];
  let saveStates: (() => Promise<void>) | undefined;
  const start = performance.now();
  const left = (): number =>
    options.seconds === undefined
      ? Number.POSITIVE_INFINITY
      : options.seconds * 1000 - (performance.now() - start);
  for (const [index, { actionSet, setting, depth, shard, earlier, close }] of tasks.entries()) {
    // A short exploration never waits, so it would not notice a signal.
    await setImmediate();
    if (signal.aborted) break;
    stages?.report(`${actionSet.name}, ${setting.release}, ${setting.platform.name}`);
    const early = saving?.early(actionSet);
    const explored = await runExplore({
      actionSet,
      setting,
      depth,
      states: options.states,
      // Each gets its share of the remaining time.
      time: left() / (tasks.length - index),
      signal,
      ...(earlier === undefined ? {} : { earlier }),
      ...(shard === undefined ? {} : { shard }),
      ...(early === undefined ? {} : { saving: early }),
      onProgress: ({ distinct, statesPerSecond, frontier, depth: deep, rules }) =>
        stages?.at(
          `${grouped(distinct)} states, ${grouped(statesPerSecond)} a second, ${grouped(frontier)} to expand, ` +
            `${deep} calls deep, ${rules} rules`,
        ),
    }).catch((error: unknown) => {
      if (error instanceof BadSaved) throw new BadInput(resume ?? '', 0, error.message);
      throw error;
    });
    close?.();
    reports.push(explored.report);
    if (saving !== undefined) saveStates = () => saving.write(actionSet, explored);
    if (explored.report.broken !== undefined) break;
  }
  stages?.hide();
  release();
  const broken = reports.find((report) => report.broken !== undefined);
  const trace = broken === undefined ? undefined : traceOfBroken(broken);
  const { isWritten, failIfUnwritten } = await writeAll({
    program: trace && (() => saveTrace(options.program, trace, '--program')),
    states: saveStates,
  });
  // The exploration ended at the broken law.
  const notBegun = (broken === undefined ? tasks.slice(reports.length) : []).map(
    ({ actionSet, setting }) => ({
      actionSet: actionSet.name,
      release: setting.release,
      platform: setting.platform.name,
    }),
  );
  const saved = isWritten('program') ? options.program : undefined;
  if (options.json === true) {
    output.line(
      jsonLine({
        explorations: reports.map(reportJson),
        ...(notBegun.length === 0 ? {} : { notBegun }),
        saved,
      }),
    );
  } else {
    output.lines(exploreText(reports, options.verbose === true, output.palette));
  }
  if (options.json !== true && saved !== undefined) {
    output.lines(['', `Saved to ${saved}; to run it: iommufd-spec replay ${saved}`]);
  }
  if (options.json !== true && isWritten('states')) {
    output.lines(['', `To continue: iommufd-spec explore --resume ${savePath}`]);
  }
  failIfUnwritten();
  if (broken !== undefined) return VIOLATION;
  const isCut = notBegun.length > 0 || reports.some(({ ended }) => ended === 'interrupted');
  if (!isCut) return FINE;
  const rest = notBegun.map(({ actionSet, release: on }) => `${actionSet} on ${on}`);
  const notExplored = rest.length === 0 ? '' : `; not explored at all: ${listed(rest)}`;
  output.error(output.errorPalette.doubtful(`interrupted${notExplored}`));
  return INTERRUPTED;
};

export const addExplore = (program: Command): void => {
  const command = program
    .command('explore')
    .description(
      'explore every program up to a bound, and check the laws of the specification in every state',
    )
    .option(
      '--actions <name>',
      'the action set that programs are made of; repeat for several (default: all)',
      oneMore(ACTION_SETS.map(({ name }) => name)),
    );
  addSettingOptions(command)
    .option('--depth <calls>', 'the maximum number of calls of a program', wholeNumber(1))
    .option('--states <states>', 'the maximum number of states', wholeNumber(1), DEFAULT_STATES)
    .option('--seconds <seconds>', 'how long to explore in total', secondsNumber)
    .option('--save <file>', 'the file that the exploration is saved to, for --resume')
    .option(
      '--save-every <seconds>',
      `how often to save during the exploration, in addition to the end (default: ${SAVE_EVERY})`,
      secondsNumber,
    )
    .option('--resume <file>', 'resume a saved exploration')
    .option('--shard <k/n>', 'explore part K of N, so that N runs do the work of one', shardOption)
    .option(
      '--program <file>',
      'the file for the program that breaks a law',
      'counterexample.jsonl',
    )
    .option('--json', 'print one line of JSON')
    .option('-v, --verbose', 'list the rules that were reached, and those that were not')
    .addHelpText('after', EXAMPLES)
    .addHelpText('after', actionSetsText)
    .action(async (options: ExploreOptions) => {
      process.exitCode = await explore(options);
    });
};
