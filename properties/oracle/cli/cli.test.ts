// SPDX-License-Identifier: MIT
// The command line from outside: the output and the exit status of each verb.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Finished, runHere } from '../../harness/command-line.ts';
import { MUTATIONS } from '../../harness/recording-mutations.ts';
import { FIXTURES } from '../../harness/recordings.ts';

const MAIN = resolve('dist', 'oracle', 'cli', 'main.js');

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-'));

const run = (...args: readonly string[]): Promise<Finished> => runHere(FOLDER, ...args);

const GOOD = resolve(FIXTURES, '7.3.4-selftest.vfio_compat_mock_domain.Ver1v0.map.jsonl.gz');

const goodLines = (): readonly string[] =>
  gunzipSync(readFileSync(GOOD)).toString().trim().split('\n');

const inFolder = (name: string, lines: readonly string[]): string => {
  const path = join(FOLDER, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
};

/** A recording with the mistake of one mutation, and the mistake's line. */
const badRecording = (): { readonly path: string; readonly line: number } => {
  const mutation = MUTATIONS.find(({ file }) => GOOD.endsWith(file));
  if (mutation === undefined) throw new Error('No mutation is of this recording.');
  const lines = goodLines().map((text) => JSON.parse(text) as Record<string, unknown>);
  const line = lines.findIndex((one) => mutation.change(one)) + 1;
  return {
    path: inFolder(
      'bad.jsonl',
      lines.map((one) => JSON.stringify(one)),
    ),
    line,
  };
};

const cli = suite('command line');

cli.after(() => rmSync(FOLDER, { recursive: true }));

cli('judge: recordings without a violation', async () => {
  const { status, out, error } = await run('judge', GOOD, GOOD);
  assert.is(status, 0, error);
  assert.match(out, /2 files, no violation/);
});

cli('judge --json: one object per file', async () => {
  const { status, out } = await run('judge', '--json', GOOD, GOOD);
  assert.is(status, 0);
  const files = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.is(files.length, 2);
});

cli('judge: a violation is reported with its line, its rule and what was expected', async () => {
  const { path, line } = badRecording();
  const { status, out } = await run('judge', path);
  assert.is(status, 1);
  assert.match(out, /VIOLATION/);
  assert.match(out, new RegExp(`\\b${line}\\b`));
  assert.match(out, /by rule /);
  assert.match(out, /source: /);
});

cli('judge: a recording that is cut short is reported up to there', async () => {
  const lines = goodLines();
  const cut = inFolder('cut.jsonl', [...lines.slice(0, 20), (lines[20] ?? '').slice(0, 50)]);
  const { status, out, error } = await run('judge', cut);
  assert.is(status, 2);
  assert.match(error, /cut\.jsonl:21: .*cut short/);
  assert.match(out, /\b19\b/);
});

cli('judge: a file that is not there', async () => {
  const { status, error } = await run('judge', join(FOLDER, 'none.jsonl'));
  assert.is(status, 2);
  assert.match(error, /no such file/);
});

cli('judge: if one file cannot be read, the others are judged', async () => {
  const { status, out } = await run('judge', join(FOLDER, 'none.jsonl'), GOOD);
  assert.is(status, 2);
  assert.match(out, /Ver1v0\.map/);
});

cli('check: the same seed makes the same calls', async () => {
  const check = () => run('check', '--runs', '40', '--seed', '7', '--platform', 'mock', '--json');
  const [first, second] = await Promise.all([check(), check()]);
  assert.is(first.status, 0, first.error);
  const counted = ({ out }: Finished) => {
    const { verdicts } = JSON.parse(out) as { verdicts?: unknown };
    return verdicts;
  };
  assert.equal(counted(first), counted(second));
});

cli('check, replay, shrink and judge agree on a counterexample', async () => {
  const saved = join(FOLDER, 'found.jsonl');
  const fault = ['--defect', 'unmap-truncates-areas'];
  const found = await run(
    'check',
    '--runs',
    '400',
    '--seed',
    '3',
    '--platform',
    'mock',
    '--save',
    saved,
    ...fault,
  );
  assert.is(found.status, 1, found.error);
  assert.match(found.out, /VIOLATION/);
  assert.ok(existsSync(saved));
  const [again, without, judged, shrunk] = await Promise.all([
    run('replay', saved),
    run('replay', '--defect', 'none', saved),
    run('judge', saved),
    run('shrink', '--save', join(FOLDER, 'shrunk.jsonl'), saved),
  ]);
  assert.is(again.status, 1, again.error);
  assert.is(without.status, 0, without.error);
  assert.is(judged.status, 1, judged.error);
  assert.is(shrunk.status, 1, shrunk.error);
  const many = await run('replay', '--defect', 'none', saved, saved);
  assert.is(many.status, 0, many.error);
  assert.match(many.out, /^2 traces, no violation$/m);
  const [one, other] = await Promise.all([
    run('replay', saved, saved),
    run('replay', '--json', saved, saved),
  ]);
  assert.is(one.status, 1);
  assert.match(one.out, /^2 traces, 2 violations$/m);
  assert.is(other.out.trim().split('\n').length, 2);
  const emitted = join(FOLDER, 'emitted.c');
  const written = await run('emit', saved, '-o', emitted);
  assert.is(written.status, 0, written.error);
  assert.match(readFileSync(emitted, 'utf8'), /^int main\(void\)$/m);
  const [text, json, badFile, badPlace] = await Promise.all([
    run('emit', '--as', 'text', saved),
    run('emit', '--as', 'c', '--json', saved),
    run('emit', GOOD),
    run('emit', saved, '-o', join(FOLDER, 'no such folder', 'file.c')),
  ]);
  assert.match(text.out, /it must answer/);
  assert.is((JSON.parse(json.out) as { text: string }).text, readFileSync(emitted, 'utf8'));
  assert.is(badFile.status, 2);
  assert.is(badPlace.status, 3);
});

cli('rules: the reference, and one part of it', async () => {
  const whole = await run('rules');
  assert.is(whole.status, 0);
  assert.match(whole.out, /IOMMU_IOAS_MAP/);
  const none = await run('rules', 'no such part');
  assert.is(none.status, 2);
});

cli('rules --json: one part, or an unknown one', async () => {
  const { status, out } = await run('rules', '--json', 'ioas_map');
  assert.is(status, 0);
  const rules = JSON.parse(out) as readonly { readonly part: { readonly title: string } }[];
  assert.ok(rules.length > 0 && rules.every(({ part }) => part.title.includes('IOAS_MAP')));
  assert.equal(await run('rules', '--json', 'ioas-map'), { status, out, error: '' });
  const misspelt = await run('rules', '--json', 'ioas_mpa');
  assert.is(misspelt.status, 2);
  assert.match(misspelt.error, /Did you mean ioas-map\?/);
});

cli('an unknown option', async () => {
  const { status, error } = await run('check', '--no-such-option');
  assert.is(status, 2);
  assert.match(error, /no-such-option/);
});

/** The program's standard error when nobody reads its output. */
const withoutReader = (...args: readonly string[]): Promise<Omit<Finished, 'out'>> =>
  new Promise((done) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let error = '';
    child.stderr.on('data', (text: Buffer) => {
      error += text;
    });
    child.on('close', (status) => done({ status: status ?? -1, error }));
  });

cli(
  'a reader that closes the pipe ends the program silently, also while it prints help',
  async () => {
    for (const args of [['rules'], ['explore', '--help']]) {
      assert.equal(await withoutReader(...args), { status: 0, error: '' });
    }
  },
);

cli.run();
