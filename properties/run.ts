// What `npm test` runs: every suite in one process under c8, then what is covered of spec/ and which rules no test
// reached. The last line that is printed counts the tests; coverage below the threshold counts as one that failed.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { RULE_REPORT, type RuleReport } from './helpers/rule-report.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const COVERAGE = join(ROOT, 'coverage');
const THRESHOLD = 95;

const c8 = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('c8/package.json')), 'bin', 'c8.js');

/** Parts of paths that select suites. A selection says nothing of the whole, and is run without coverage. */
const SELECTION = process.argv.slice(2);

/** Runs the suites and hands their output on; gives it back too, without colours. */
const runSuites = (): Promise<{ readonly status: number; readonly output: string }> =>
  new Promise((resolve, reject) => {
    const main = join(ROOT, 'dist', 'properties', 'main.js');
    const suites = ['--enable-source-maps', main, ...SELECTION];
    const child = spawn(
      process.execPath,
      SELECTION.length > 0 ? suites : [c8(), process.execPath, ...suites],
      { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      output += text;
      process.stdout.write(text);
    });
    child.on('error', reject);
    child.on('close', (status) =>
      resolve({ status: status ?? 1, output: stripVTControlCharacters(output) }),
    );
  });

const count = (output: string, what: string): number | undefined => {
  const found = new RegExp(`^ {2}${what}: +(\\d+)$`, 'm').exec(output)?.[1];
  return found === undefined ? undefined : Number(found);
};

type Percentages = Readonly<Record<'lines' | 'branches', { readonly pct: number }>>;

const coverageOfSpec = (): Percentages => {
  const summary: unknown = JSON.parse(
    readFileSync(join(COVERAGE, 'coverage-summary.json'), 'utf8'),
  );
  return (summary as { readonly total: Percentages }).total;
};

const printRules = (): void => {
  const { rules, reached, excused, unreached }: RuleReport = JSON.parse(
    readFileSync(RULE_REPORT, 'utf8'),
  );
  const whole = excused.length + unreached.length === 0 ? ', which is all' : '';
  process.stdout.write(`\nrules: ${reached} of ${rules} reached${whole}\n`);
  for (const { id, reason } of excused)
    process.stdout.write(`  not reached: ${id}, as ${reason}\n`);
  for (const id of unreached) process.stdout.write(`  NOT REACHED: ${id}\n`);
};

const main = async (): Promise<void> => {
  rmSync(COVERAGE, { recursive: true, force: true });
  mkdirSync(COVERAGE, { recursive: true });
  const { status, output } = await runSuites();
  const total = count(output, 'Total');
  const passed = count(output, 'Passed') ?? 0;
  let failed = total === undefined ? 1 : total - passed;
  if (total !== undefined && SELECTION.length === 0) {
    printRules();
    const { lines, branches } = coverageOfSpec();
    const enough = lines.pct >= THRESHOLD && branches.pct >= THRESHOLD;
    if (!enough) failed += 1;
    process.stdout.write(
      `coverage of spec/: ${lines.pct} % of lines, ${branches.pct} % of branches` +
        ` (at least ${THRESHOLD} % is asked for${enough ? '' : ': NOT ENOUGH'})\n`,
    );
  }
  if (status !== 0 && failed === 0) failed = 1;
  process.exitCode = failed === 0 ? 0 : 1;
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
};

await main();
