// What the command line does where the machine fails it: results that cannot be written are printed all the same, and
// what cannot be used is told before time is spent on it.

import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const MAIN = resolve('dist', 'oracle', 'cli', 'main.js');
const FOLDER = mkdtempSync(join(tmpdir(), 'properties-'));
const UNWRITABLE = join(FOLDER, 'none', 'file');

type Finished = { readonly status: number; readonly out: string; readonly error: string };

/** `out` is empty where standard output is a file. */
const run = (args: readonly string[], output: 'pipe' | number = 'pipe'): Promise<Finished> =>
  new Promise((done) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: FOLDER,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', output, 'pipe'],
    });
    let out = '';
    let error = '';
    child.stdout?.on('data', (text: Buffer) => {
      out += text;
    });
    child.stderr?.on('data', (text: Buffer) => {
      error += text;
    });
    child.on('close', (status) => done({ status: status ?? -1, out, error }));
  });

const unwritable = suite('what cannot be written or used');

unwritable.after(() => rmSync(FOLDER, { recursive: true }));

unwritable('a violation is printed although its trace cannot be saved', async () => {
  const found = ['--seed', '3', '--runs', '400', '--platform', 'mock'];
  const { status, out, error } = await run([
    ...['check', ...found, '--defect', 'unmap-truncates-areas', '--save', UNWRITABLE],
  ]);
  assert.is(status, 3, error);
  assert.match(out, /^VIOLATION/m);
  assert.not.match(out, /Saved to/);
  assert.match(error, /cannot be saved: .*--save/);
});

unwritable('what was explored is told although it cannot be saved', async () => {
  const { status, out, error } = await run([
    ...['explore', '--alphabet', 'native', '--release', '7.3.4', '--depth', '1'],
    ...['--save', UNWRITABLE],
  ]);
  assert.is(status, 3, error);
  assert.match(out, /every program of 1 call$/m);
  assert.match(error, /cannot be saved: .*--save/);
});

unwritable('a full disk behind standard output', async () => {
  const { status, error } = await run(['rules'], openSync('/dev/full', 'w'));
  assert.is(status, 3);
  assert.is(error.trim().split('\n').length, 1, error);
  assert.match(error, /^Standard output cannot be written: ENOSPC/);
});

unwritable('what is no kernel image is told before anything is run', async () => {
  const image = join(FOLDER, 'image');
  writeFileSync(image, 'no kernel');
  for (const verb of [
    ['vm', image, '--', 'true'],
    ['audit', '--confirm', '--vm', image, '--output', FOLDER],
  ]) {
    const { status, out, error } = await run(verb);
    assert.is(status, 3, error);
    assert.is(out, '');
    assert.match(error, /^.*image is no kernel image: /);
  }
});

unwritable('an audit whose folder cannot be made ends before it searches', async () => {
  writeFileSync(join(FOLDER, 'file'), '');
  const { status, out, error } = await run(['audit', '--output', join(FOLDER, 'file')]);
  assert.is(status, 3, error);
  assert.is(out, '');
  assert.match(error, /cannot be written: .*--output/);
});

unwritable('a time that is none for a timer', async () => {
  const { status, error } = await run(['check', '--seconds', '9007199254740991']);
  assert.is(status, 2, error);
  assert.match(error, /at most/);
});

unwritable.run();
