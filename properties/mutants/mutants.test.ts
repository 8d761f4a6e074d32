// SPDX-License-Identifier: MIT
// Mutation testing itself: what is left out, what is killed, and that the table of equivalent mutants is up to date.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Equivalent, equivalentsOf } from './equivalent.ts';
import { instrument } from './instrument.ts';
import { type Judged, keyOf } from './mutant.ts';
import { mergedRuns, percentOf, reportOf } from './report.ts';
import { mutantsOf, runHunt } from './run.ts';

const mutants = suite('mutants');

const FILE = 'calls/map-flags.ts';

const hunt = (): Promise<readonly Judged[]> => {
  const asked = { programs: 6, tries: 40, only: FILE, seed: 1, jobs: 1 };
  return runHunt(process.cwd(), asked, new AbortController().signal, () => {});
};

const outcomeOf = (judged: readonly Judged[], original: string, replacement: string): string => {
  const found = judged.find((one) => one.original === original && one.replacement === replacement);
  return found === undefined ? 'no such mutant' : found.outcome.kind;
};

mutants('generated programs kill what they can notice, and nothing else', async () => {
  const judged = await hunt();
  assert.is(outcomeOf(judged, 'flags & ~KNOWN', 'flags | ~KNOWN'), 'no such mutant');
  assert.is(outcomeOf(judged, '(flags & MAP_READABLE) !== 0', 'true'), 'hidden');
  assert.is(outcomeOf(judged, '-ERRNO.EOPNOTSUPP', '+ERRNO.EOPNOTSUPP'), 'reply');
  assert.is(outcomeOf(judged, "{ kind: 'chosen' }", '{}'), 'survived');
});

const SOURCE = `
export const answer = (kernel: Kernel, count: number): number => {
  if (kernel.defects.has('some-defect') && count > 7) return count - 1;
  if (count > 3 && !kernel.defects.has('some-defect')) throw new Error('too many');
  return kernel.defects.has('other-defect') ? 1 : 2;
};
`;

mutants('deliberate defects and the words of errors are left out', async () => {
  const { mutants: found, ignored } = await instrument([{ name: 'answer.ts', content: SOURCE }]);
  const originals = new Set(found.map(({ original }) => original));
  assert.ok(originals.has('count > 3'));
  for (const left of ['count > 7', 'count - 1', "'too many'", "'some-defect'"]) {
    assert.not.ok(originals.has(left), left);
  }
  assert.is(ignored.size, 3);
});

const JUDGED: Judged = {
  id: '1',
  file: 'model/emulator/u64.ts',
  line: 1,
  mutator: 'EqualityOperator',
  original: 'a > b',
  replacement: 'a >= b',
  occurrence: 1,
  outcome: { kind: 'survived', programs: 5 },
};

const equivalent = (original: string): Equivalent => ({
  file: 'u64.ts',
  why: 'as an example',
  changes: [['EqualityOperator', original, 'a >= b']],
});

mutants('an equivalent mutant neither counts nor may be killed or gone', () => {
  const killed: Judged = { ...JUDGED, outcome: { kind: 'death', by: { setting: '', program: 0 } } };
  const known = new Set([keyOf(JUDGED)]);
  const other = { ...killed, id: '2', original: 'b > a' };
  const { total, survivors, wrong } = reportOf([JUDGED, other], known, [equivalent('a > b')]);
  assert.equal(total, { mutants: 2, killed: 1, equivalent: 1 });
  assert.is(percentOf(total), 100);
  assert.equal([survivors.length, wrong.length], [0, 0]);
  assert.is(reportOf([JUDGED], known, []).survivors.length, 1);
  assert.equal(mergedRuns([[JUDGED], [killed]]), [killed]);
  assert.equal(mergedRuns([[killed], [JUDGED, other]]), [killed, other]);
  assert.is(reportOf([killed], known, [equivalent('a > b')]).wrong.length, 1);
  assert.is(reportOf([JUDGED], known, [equivalent('a > c')]).wrong.length, 1);
});

mutants('every entry of the table is a mutant', async () => {
  const known = new Set((await mutantsOf(process.cwd())).mutants.map(keyOf));
  const equivalents = equivalentsOf(process.cwd());
  assert.equal(reportOf([], known, equivalents).wrong, []);
  for (const { why, file } of equivalents) assert.match(why, /^[A-Z].*\.$/, `${file}: ${why}`);
});

mutants.run();
