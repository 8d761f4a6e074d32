// SPDX-License-Identifier: MIT
// Mutation testing of the emulator: whether campaigns of generated programs, judged by the specification, notice each
// small change of it. `npm run mutants -- --help` lists the options.

import { readFileSync, writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { equivalentsOf, keysOfEquivalents } from './equivalent.ts';
import { isKilled, type Judged, keyOf } from './mutant.ts';
import { mergedRuns, reportOf, reportText } from './report.ts';
import { type Asked, mutantsOf, runHunt } from './run.ts';

type Options = Asked & {
  readonly json?: string;
  readonly from?: readonly string[];
  readonly again?: string;
};

const EXAMPLES = `
Examples:
  $ npm run mutants -- --sample 300
  $ npm run mutants -- --only iopt/ --json iopt.json
  $ npm run mutants -- --shard 1/4 --json 1.json
  $ npm run mutants -- --from 1.json 2.json 3.json 4.json
  $ npm run mutants -- --again 1.json --seed 2 --programs 500 --tries 500 --json more.json

Exit status: 0 done, whatever the score; 1 the table of equivalent mutants is wrong; 2 bad use; 130 interrupted.`;

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < 1) throw new InvalidArgumentError('It must be 1 or more.');
  return value;
};

const shardNumber = (text: string): NonNullable<Options['shard']> => {
  const [, number, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  if (!(Number(number) >= 1 && Number(number) <= Number(of))) {
    throw new InvalidArgumentError('It must be K/N, with K from 1 to N.');
  }
  return { index: Number(number) - 1, of: Number(of) };
};

const optionsOf = (words: readonly string[]): Options =>
  new Command('npm run mutants --')
    .description(
      'Mutants of the emulator, and which of them campaigns of generated programs notice.',
    )
    .option('--programs <number>', 'programs of each setting', wholeNumber, 400)
    .option('--tries <number>', 'programs on which a mutant is tried, at most', wholeNumber, 120)
    .option('--only <part>', 'only mutants of files with this in their path')
    .option(
      '--again <file>',
      'only mutants that survived in the run that wrote this file, and are not equivalent',
    )
    .option('--sample <number>', 'only so many mutants, selected by the seed', wholeNumber)
    .option('--shard <K/N>', 'only the K-th of N parts of them', shardNumber)
    .option('--seed <number>', 'seed of the programs and of the sample', wholeNumber, 1)
    .option('--jobs <number>', 'processes at a time', wholeNumber, 1)
    .option('--json <file>', 'write what became of each mutant into a file')
    .option('--from <files...>', 'run nothing: report what files of --json hold, together')
    .addHelpText('after', EXAMPLES)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse([...words], { from: 'user' })
    .opts();

const savedIn = (file: string): readonly Judged[] => JSON.parse(readFileSync(file, 'utf8')).mutants;

const say = (words: string): void => {
  process.stderr.write(`${words}\n`);
};

const survivorsIn = (file: string, unreachable: ReadonlySet<string>): ReadonlySet<string> =>
  new Set(
    savedIn(file)
      .filter(({ outcome }) => !isKilled(outcome))
      .map(keyOf)
      .filter((key) => !unreachable.has(key)),
  );

const main = async (): Promise<void> => {
  const { from, json, again, ...asked } = optionsOf(process.argv.slice(2));
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
  const equivalents = equivalentsOf(process.cwd());
  const among =
    again === undefined ? {} : { among: survivorsIn(again, keysOfEquivalents(equivalents)) };
  const judged =
    from === undefined
      ? await runHunt(process.cwd(), { ...asked, ...among }, stop.signal, say)
      : mergedRuns(from.map(savedIn));
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify({ asked, mutants: judged }, undefined, 1)}\n`);
  }
  const known = new Set((await mutantsOf(process.cwd())).mutants.map(keyOf));
  const report = reportOf(judged, known, equivalents);
  process.stdout.write(`${reportText(report)}\n`);
  if (stop.signal.aborted) process.exitCode = 130;
  else if (report.wrong.length > 0) process.exitCode = 1;
};

await main();
