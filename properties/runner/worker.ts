// SPDX-License-Identifier: MIT
// Runs suites with uvu in a process of its own, one after the other, as the parent process orders them.

import { pathToFileURL } from 'node:url';
import { reachedRules, recordEach } from '../helpers/reached-rules.ts';
import {
  END_OF_OUTPUT,
  NO_MORE,
  NO_TESTS,
  type Order,
  type Outcome,
  sumOf,
  type Tally,
} from './messages.ts';

/** What uvu puts in the queue for each `suite.run()`: the errors as text, or true where there is none, and counts. */
type Run = () => Promise<
  readonly [errors: string | true, passed: number, skipped: number, total: number]
>;

declare global {
  var UVU_DEFER: number;
  var UVU_INDEX: number;
  var UVU_QUEUE: Run[][];
}

globalThis.UVU_DEFER = 1;
globalThis.UVU_INDEX = 0;
await import('uvu');

const runSuite = async ({ name, file }: Order['suite']): Promise<Tally> => {
  process.stdout.write(`${name}\n`);
  const runs: Run[] = [];
  globalThis.UVU_QUEUE[0] = runs;
  await import(pathToFileURL(file).href);
  let tally = NO_TESTS;
  for (const run of runs) {
    const [errors, passed, skipped, total] = await run();
    tally = sumOf(tally, { total, passed, skipped });
    if (errors !== true) process.stdout.write(`\n${errors}\n`);
  }
  process.stdout.write('\n');
  return tally;
};

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const obey = async ({ suite, reached }: Order): Promise<void> => {
  recordEach(reached);
  const start = { clock: performance.now(), cpu: cpuSeconds() };
  const tally = await runSuite(suite);
  const outcome: Outcome = {
    tally,
    reached: reachedRules(),
    seconds: (performance.now() - start.clock) / 1000,
    cpuSeconds: cpuSeconds() - start.cpu,
  };
  process.stdout.write(END_OF_OUTPUT);
  process.send?.(outcome);
};

process.on('message', (message) => {
  if (message === NO_MORE) process.exit();
  void obey(message as Order);
});

// The parent is gone.
process.on('disconnect', () => process.exit(1));

// The coverage is of the tests: programs that they start are measured neither here nor there.
delete process.env.NODE_V8_COVERAGE;
