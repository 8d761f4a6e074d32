// SPDX-License-Identifier: MIT
// Suites in processes: a suite that dies or fails is one that failed, the others run all the same, and what is printed does
// not depend on how many processes there are.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Suite } from './messages.ts';
import { runStages } from './pool.ts';
import { planOf } from './suites.ts';
import type { Finished } from './worker-process.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-'));

const UVU = import.meta.resolve('uvu');
const REACHED = new URL('../helpers/reached-rules.js', import.meta.url).href;

const suiteOf = (name: string, body: string): Suite => {
  const file = join(FOLDER, `${name}.mjs`);
  writeFileSync(
    file,
    `import { suite } from '${UVU}';
import { isReached, record } from '${REACHED}';
const test = suite('${name}');
${body}
test.run();
`,
  );
  return { name, file };
};

const SUITES: readonly Suite[] = [
  suiteOf('good', "test('is', () => record('a rule')); test.skip('left out', () => {});"),
  suiteOf(
    'bad',
    "test('is', () => {}); test('is not', () => { throw new Error('no such thing'); });",
  ),
  suiteOf('dies', "test('ends', () => process.exit(7));"),
  suiteOf('throws', "throw new Error('cannot be loaded');"),
  suiteOf('knows', "test('is', () => { if (!isReached('given')) throw new Error('unknown'); });"),
];

const runIn = async (jobs: number): Promise<ReadonlyMap<string, Finished>> => {
  const finished = new Map<string, Finished>();
  await runStages([{ units: SUITES.map((one) => [one]), coverage: undefined }], {
    jobs,
    reached: ['given'],
    onFinished: (one) => finished.set(one.suite.name, one),
  });
  return finished;
};

const pool = suite('suites in processes');

pool.after(() => rmSync(FOLDER, { recursive: true }));

pool('each suite runs once and is counted, whatever becomes of the others', async () => {
  const finished = await runIn(2);
  const tallyOf = (name: string) => finished.get(name)?.outcome?.tally;
  assert.is(finished.size, SUITES.length);
  assert.equal(tallyOf('good'), { total: 1, passed: 1, skipped: 1 });
  assert.equal(tallyOf('bad'), { total: 2, passed: 1, skipped: 0 });
  assert.equal(tallyOf('knows'), { total: 1, passed: 1, skipped: 0 });
  assert.ok(finished.get('good')?.outcome?.reached.includes('a rule'));
  for (const [name, output] of [
    ['good', /^good\n good {2}• {3}\(1 \/ 1\)\n\n$/],
    ['bad', /FAIL.* "is not"\n {4}no such thing/],
    ['dies', /the process of this suite ended with status 7\n$/],
    ['throws', /Error: cannot be loaded(.|\n)*ended with status 1\n$/],
  ] as const) {
    assert.match(finished.get(name)?.output ?? '', output);
  }
  assert.equal([tallyOf('dies'), tallyOf('throws')], [undefined, undefined]);
});

pool('a word selects suites by a part of their path, in the order of paths', () => {
  const { suites, last } = planOf(['spec/iopt', 'mutants.test']);
  assert.equal(last, undefined);
  const names = suites.map(({ name }) => name);
  assert.ok(
    names.includes('mutants/mutants') && names.some((name) => name.startsWith('spec/iopt/')),
  );
  assert.equal(names, [...names].sort());
  assert.is(planOf(['spec/rules']).last?.name, 'spec/rules');
});

pool.run();
