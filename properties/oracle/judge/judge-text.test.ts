// SPDX-License-Identifier: MIT
// The judge of text and the judge of files agree: on the kind of each verdict, on where they end,
// and on what they refuse.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeFile } from '../../../oracle/cli/judge-file.ts';
import { judgeText } from '../../../oracle/judge/judge-text.ts';
import { NO_VERDICTS, type VerdictKind } from '../../../oracle/judge/verdict.ts';
import { BadInput } from '../../../oracle/trace/bad-input.ts';

const FIXTURES = join('properties', 'fixtures');
const QUIET = {
  verbosity: 'brief',
  signal: new AbortController().signal,
  onProgress: () => {},
} as const;

const FILES: readonly string[] = ['followed', 'kernel', 'unknown', 'violations'].flatMap((folder) =>
  readdirSync(join(FIXTURES, folder))
    .filter((name) => /\.jsonl(\.gz)?$/.test(name))
    .map((name) => join(FIXTURES, folder, name)),
);

const textOf = (file: string): string => {
  const bytes = readFileSync(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
};

/** Calls by verdict, and the line of the last one. */
const judged = (text: string) => {
  const counts: Record<VerdictKind, number> = { ...NO_VERDICTS };
  let line = 0;
  for (const call of judgeText(text)) {
    counts[call.verdict.kind] += 1;
    line = call.line ?? 0;
  }
  return { counts, line };
};

const test = suite('the judge of text');

test('counts what the judge of files counts, up to the same violation', async () => {
  let violations = 0;
  for (const file of FILES) {
    const expected = await judgeFile(file, QUIET);
    const { counts, line } = judged(textOf(file));
    assert.equal(counts, expected.counts, file);
    if (expected.violation === undefined) continue;
    violations += 1;
    assert.is(line, expected.violation.line, file);
  }
  assert.ok(violations > 0, 'no file has a violation');
  assert.ok(violations < FILES.length, 'every file has a violation');
});

const refused = (text: string): BadInput => {
  try {
    judged(text);
  } catch (error) {
    if (error instanceof BadInput) return error;
    throw error;
  }
  throw new Error('the text was read to its end');
};

test('refuses what is not of a format by its line, and judges what is before it', () => {
  const [file = ''] = FILES.filter((name) => name.includes('followed'));
  const whole = textOf(file).trimEnd();
  const cut = `${whole}\n{"seq":`;
  assert.is(refused(cut).line, whole.split('\n').length + 1);
  assert.is(judgeText(cut).next().value?.verdict.kind, 'conforms');
  assert.is(refused('').line, 0);
  assert.is(refused('no JSON').line, 1);
});

test('refuses a trace that is cut short, and text is called what the caller says', () => {
  const [file = ''] = FILES.filter((name) => name.includes('kernel'));
  const cut = textOf(file).trimEnd().split('\n').slice(0, -1).join('\n');
  assert.match(refused(cut).message, /^recording:\d+: .*cut short/);
  assert.throws(() => judgeText('', 'pasted').next(), /^pasted: /);
});

test.run();
