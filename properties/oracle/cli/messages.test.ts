// SPDX-License-Identifier: MIT
// Messages beyond the verdict: a violation that judge cannot detect, one that the emulator does not
// show, a misspelt value.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFECT_NAMES } from '../../../model/emulator/defects.ts';
import { judgeProgram } from '../../../oracle/check/judge-program.ts';
import { didYouMean, oneMore, oneOf } from '../../../oracle/cli/did-you-mean.ts';
import { saveTrace, traceOf } from '../../../oracle/cli/save-trace.ts';
import { RELEASE_NAMES } from '../../../spec/terms/releases.ts';
import { SHOWN_DEFECTS } from '../../defects/shown-defects.ts';
import { type Finished, runHere } from '../../harness/command-line.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-'));

const run = async (...args: readonly string[]): Promise<Finished> => {
  const finished = await runHere(FOLDER, ...args);
  return { ...finished, out: finished.out.replaceAll(/\s+/g, ' ') };
};

const messages = suite('messages');

messages.after(() => rmSync(FOLDER, { recursive: true }));

/** The trace of the defect's own program, as a subject of that name would write it. */
const traceOfShown = async (
  name: (typeof DEFECT_NAMES)[number],
  subject: 'emulator' | 'kernel',
): Promise<string> => {
  const shown = SHOWN_DEFECTS.find(({ defect }) => defect === name);
  if (shown === undefined) throw new Error(`No program shows ${name}.`);
  const { setting, program } = shown;
  const { steps, failure } = judgeProgram(setting, program, new Set([name]));
  if (failure === undefined) throw new Error(`${name} is not shown.`);
  const file = join(FOLDER, `${name}-${subject}.jsonl`);
  const defects = subject === 'emulator' ? [name] : [];
  await saveTrace(file, traceOf({ setting, program, steps, failure }, undefined, defects, subject));
  return file;
};

messages(
  'judge reports a recorded violation of hidden state, with the command that shows it',
  async () => {
    const file = await traceOfShown('second-domain-not-unmapped', 'emulator');
    const { status, out } = await run('judge', file);
    assert.is(status, 0);
    assert.not.match(out, /no violation/);
    assert.match(
      out,
      /every reply is allowed\. The violation that the trace records is of hidden state/,
    );
    assert.ok(out.includes(`iommufd-spec replay ${file}`), out);
    assert.match(out, /1 file: 1 trace of a violation that no reply shows/);
  },
);

messages("for a kernel's trace, judge prints the command for a kernel", async () => {
  const file = await traceOfShown('charge-not-returned', 'kernel');
  const { out } = await run('judge', file);
  assert.ok(out.includes(`iommufd-spec replay --subject kernel --vm IMAGE ${file}`), out);
});

messages('shrink reports that the emulator does not show a recorded violation', async () => {
  const file = resolve('properties', 'fixtures', 'violations', 'unmap-cuts-area.jsonl');
  const { status, out, error } = await run('shrink', file);
  assert.is(status, 0);
  assert.match(
    error,
    /a violation in line 20: IOMMU_IOAS_UNMAP answered 0; it must answer -1 ENOENT/,
  );
  assert.not.match(out, /nothing to shrink/);
  assert.match(out, /the violation in line 20 of the recording does not occur there/);
  assert.ok(out.includes(`iommufd-spec shrink --subject kernel --vm IMAGE ${file}`), out);
});

messages(
  'a trace that has more pages locked than a machine may have is not run on a kernel',
  async () => {
    const file = await traceOfShown('wrong-errno-on-overlap', 'kernel');
    const [header = '', ...lines] = readFileSync(file, 'utf8').split('\n');
    const { credentials, ...others } = JSON.parse(header) as { credentials: object };
    const changed = { ...others, credentials: { ...credentials, lockedBefore: 65_537 } };
    const locked = join(FOLDER, 'locked.jsonl');
    writeFileSync(locked, [JSON.stringify(changed), ...lines].join('\n'));
    const { status, error } = await run('replay', '--subject', 'kernel', locked);
    assert.is(status, 2);
    assert.match(error, /0 to 65536 pages beforehand, not 65537/);
  },
);

messages('replay reports where a trace shows another violation than it records', async () => {
  const file = await traceOfShown('unmap-truncates-areas', 'emulator');
  const same = await run('replay', file);
  assert.match(same.out, /the violation that the trace records occurs again/);
  const other = await run('replay', '--defect', 'wrong-errno-on-overlap', file);
  assert.match(other.out, /the violation that the trace records no longer occurs/);
});

messages('a misspelt value is answered with the closest', async () => {
  const words = [
    [['check', '--platform', 'vdt'], 'vtd'],
    [['check', '--defect', 'cut-of-by-one'], 'cut-off-by-one'],
    [['explore', '--actions', 'natve'], 'native'],
    [['chek'], 'check'],
    [['check', '--relese', '7.3.4'], '--release'],
  ] as const;
  const all = await Promise.all(words.map(([command]) => run(...command)));
  for (const [index, { status, error }] of all.entries()) {
    const [command, meant] = words[index] ?? [];
    assert.is(status, 2, `${command}`);
    assert.ok(error.includes(`Did you mean ${meant}?`), error);
  }
});

messages('every name with a typo is suggested for that typo', () => {
  for (const name of DEFECT_NAMES) {
    const middle = name.length >> 1;
    const slips = [
      name.slice(0, middle) + name.slice(middle + 1),
      `${name.slice(0, middle)}x${name.slice(middle)}`,
    ];
    for (const slip of slips) {
      assert.match(didYouMean(slip, DEFECT_NAMES), new RegExp(`\\b${name}\\b`), slip);
    }
  }
});

messages('a value that is close to no name gets the whole list, and a name gets itself', () => {
  assert.is(didYouMean('zzzzzzzz', RELEASE_NAMES), '');
  assert.throws(
    () => oneOf(RELEASE_NAMES)('zz'),
    /It must be 6\.12\.95, 6\.12\.117, 7\.2\.13 or 7\.3\.4\.$/,
  );
  assert.throws(() => oneMore(['none', 'one'])('zzzz', undefined), /These are: none, one\.$/);
  assert.is(oneOf(RELEASE_NAMES)('7.3.4'), '7.3.4');
  assert.equal(oneMore(['none', 'one'])('one', ['none']), ['none', 'one']);
  // None of these words is taken for an option or a command.
  for (const word of ['--help', '-h', 'help', '--', '']) {
    assert.type(didYouMean(word, RELEASE_NAMES), 'string');
  }
});

messages.run();
