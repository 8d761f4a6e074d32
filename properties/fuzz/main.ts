// SPDX-License-Identifier: MIT
// `npm run fuzz -- --runs 50000 --seed 1`: damaged files through every verb that reads them.

import { Command } from 'commander';
import { grouped } from '../../oracle/text/quantities.ts';
import { fuzz } from './campaign.ts';
import { seedFiles } from './seed-files.ts';

const wholeNumber = (text: string): number => {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`${text} is no whole number`);
  return number;
};

const program = new Command('fuzz')
  .description(
    'Damages traces, recordings, syzkaller programs, reports and explorations, and has every verb read them',
  )
  .option('--runs <count>', 'damaged files', wholeNumber, 50_000)
  .option('--seed <seed>', 'what they are generated from (default: a new one)', wholeNumber)
  .parse();

const { runs, seed = Date.now() % 2 ** 31 } = program.opts<{ runs: number; seed?: number }>();

process.stdout.write(`seed ${seed}\n`);
const quiet = process.stdout.write;
process.stdout.write = () => true;
const files = await seedFiles();
process.stdout.write = quiet;

const STEP = 1000;

const report = await fuzz(files, {
  seed,
  runs,
  isTimed: true,
  onProgress: (done, wrong) => {
    if (done % STEP === 0 && process.stderr.isTTY) {
      process.stderr.write(`\r${grouped(done)} files, ${wrong} wrong`);
    }
  },
});

const statuses = [...report.statuses].sort(([a], [b]) => a - b);
process.stdout.write(
  `${grouped(report.files)} damaged files, ${grouped(report.verbs)} runs of verbs; by exit status: ` +
    `${statuses.map(([status, times]) => `${status}: ${grouped(times)}`).join(', ')}\n`,
);
for (const { file, verb, why } of report.wrong)
  process.stdout.write(`WRONG ${verb}: ${why}: ${file}\n`);
process.stdout.write(
  `${report.wrong.length === 0 ? 'nothing is wrong' : `${report.wrong.length} are wrong`}\n`,
);
process.exitCode = report.wrong.length === 0 ? 0 : 1;
