// SPDX-License-Identifier: MIT
// What `npm test` runs: every suite, in as many processes as there are cores, then what is covered of spec/ and which
// rules no test reached. The last line that is printed counts the tests; coverage below the threshold counts as one that
// failed, and so does a process that died.

import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { RULE_REPORT } from './helpers/rule-report.ts';
import { COVERAGE, RAW_COVERAGE, reportCoverage, THRESHOLD } from './runner/coverage.ts';
import { NO_TESTS, sumOf } from './runner/messages.ts';
import { orderedOutput } from './runner/ordered-output.ts';
import { runStages } from './runner/pool.ts';
import { ruleSummary } from './runner/rule-summary.ts';
import { planOf, unitsOf } from './runner/suites.ts';
import { timingsText } from './runner/timings.ts';
import { type Finished, killWorkers } from './runner/worker-process.ts';

type Options = { readonly jobs: number; readonly timings?: true };

const wholeNumber = (text: string): number => {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be 1 or more.');
  return Number(text);
};

const command = new Command('npm test --')
  .description('The tests, with the coverage of spec/ and the rules that no test reached.')
  .argument('[words...]', 'only suites with one of these in their path, without coverage')
  .option('--jobs <number>', 'processes at a time', wholeNumber, availableParallelism())
  .option('--timings', 'print how long each suite took, the longest first')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

const words = command.args;
const { jobs, timings } = command.opts<Options>();
const isSelection = words.length > 0;

process.chdir(join(import.meta.dirname, '..', '..'));

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    killWorkers();
    process.exit(130);
  });
}

const passedAsCoverage = (): boolean => {
  const { lines, branches } = reportCoverage();
  const enough = lines.pct >= THRESHOLD && branches.pct >= THRESHOLD;
  if (existsSync(RULE_REPORT)) process.stdout.write(`\n${ruleSummary()}`);
  process.stdout.write(
    `coverage of spec/: ${lines.pct} % of lines, ${branches.pct} % of branches` +
      ` (at least ${THRESHOLD} % is asked for${enough ? '' : ': NOT ENOUGH'})\n`,
  );
  return enough;
};

const main = async (): Promise<void> => {
  rmSync(COVERAGE, { recursive: true, force: true });
  mkdirSync(RAW_COVERAGE, { recursive: true });
  const start = performance.now();
  const { suites, last } = planOf(words);
  const all = last === undefined ? suites : [...suites, last];
  const print = orderedOutput(all);
  const reached = new Set<string>();
  const finished: Finished[] = [];
  let died = 0;
  let tally = NO_TESTS;
  const onFinished = (one: Finished): void => {
    print(one);
    finished.push(one);
    if (one.outcome === undefined) died += 1;
    tally = sumOf(tally, one.outcome?.tally ?? NO_TESTS);
    for (const rule of one.outcome?.reached ?? []) reached.add(rule);
  };
  const run = async (suites: typeof all): Promise<void> => {
    const { measured, others } = unitsOf(suites);
    const stages = [
      { units: measured, coverage: isSelection ? undefined : RAW_COVERAGE },
      { units: others, coverage: undefined },
    ];
    await runStages(stages, { jobs, reached: [...reached], onFinished });
  };
  await run(suites);
  if (last !== undefined) await run([last]);
  process.stdout.write(
    `  Total:     ${tally.total}\n  Passed:    ${tally.passed}\n  Skipped:   ${tally.skipped}\n` +
      `  Duration:  ${((performance.now() - start) / 1000).toFixed(1)} s in ${jobs} processes\n\n`,
  );
  let failed = tally.total - tally.passed + died;
  if (!isSelection && !passedAsCoverage()) failed += 1;
  if (timings) process.stdout.write(`\n${timingsText(finished)}`);
  process.exitCode = failed === 0 ? 0 : 1;
  process.stdout.write(`${tally.passed} passed, ${failed} failed\n`);
};

await main();
