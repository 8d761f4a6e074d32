// SPDX-License-Identifier: MIT
// The command line on a machine that fails: results that cannot be written are still printed, and
// unusable input is reported before time is spent.

import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Finished, runHere } from '../../harness/command-line.ts';

const MAIN = resolve('dist', 'oracle', 'cli', 'main.js');
const FOLDER = mkdtempSync(join(tmpdir(), 'properties-'));
const UNWRITABLE = join(FOLDER, 'none', 'file');
/** Of the violation that the first test finds. */
const REPORT = join(FOLDER, 'report.json');

/** `out` is empty if standard output is a file. */
const runCommand = (
  command: string,
  args: readonly string[],
  output: 'pipe' | number = 'pipe',
): Promise<Finished> =>
  new Promise((done) => {
    const child = spawn(command, args, {
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

const run = (args: readonly string[]): Promise<Finished> => runHere(FOLDER, ...args);

const unwritable = suite('what cannot be written or used');

unwritable.after(() => rmSync(FOLDER, { recursive: true }));

unwritable('a violation is printed although its trace cannot be saved', async () => {
  const found = ['--seed', '3', '--runs', '400', '--platform', 'mock'];
  const { status, out, error } = await run([
    ...['check', ...found, '--defect', 'unmap-truncates-areas', '--save', UNWRITABLE],
    ...['--report', REPORT],
  ]);
  assert.is(status, 3, error);
  assert.match(out, /^VIOLATION/m);
  assert.not.match(out, /Saved to/);
  assert.match(error, /cannot be saved: .*--save/);
});

unwritable('the result of an exploration is printed although it cannot be saved', async () => {
  const { status, out, error } = await run([
    ...['explore', '--actions', 'native', '--release', '7.3.4', '--depth', '1'],
    ...['--save', UNWRITABLE],
  ]);
  assert.is(status, 3, error);
  assert.match(out, /every program of 1 call$/m);
  assert.match(error, /cannot be saved: .*--save/);
});

unwritable('a full disk behind standard output', async () => {
  const { status, error } = await runCommand(
    process.execPath,
    [MAIN, 'rules'],
    openSync('/dev/full', 'w'),
  );
  assert.is(status, 3);
  assert.is(error.trim().split('\n').length, 1, error);
  assert.match(error, /^Standard output cannot be written: ENOSPC/);
});

unwritable('a file that is not a kernel image is refused before anything is run', async () => {
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
  assert.match(error, /cannot be saved: .*--output/);
});

unwritable('an audit replaces no file that it did not write', async () => {
  const folder = join(FOLDER, 'audit');
  mkdirSync(folder);
  for (const [name, args] of [
    ['7.3.4.md', []],
    ['7.3.4.jsonl', []],
    ['6.12.95-7.3.4.md', ['--between', '6.12.95', '7.3.4']],
  ] as const) {
    writeFileSync(join(folder, name), 'of others');
    const { status, error } = await run(['audit', '--output', folder, ...args]);
    assert.is(status, 2, error);
    assert.match(error, `No audit wrote ${join(folder, name)}`);
    assert.match(error, '--output');
    assert.is(readFileSync(join(folder, name), 'utf8'), 'of others');
    rmSync(join(folder, name));
  }
});

unwritable('a folder in which nothing can be made ends an audit at once', async () => {
  const { status, error } = await run(['audit', '--output', '/proc/x']);
  assert.is(status, 3, error);
  assert.match(error, /\/proc\/x: no such file or directory/);
});

/** Runs the command line in a process that may write files of at most 512 bytes. */
const runLimited = (args: readonly string[]): Promise<Finished> =>
  runCommand('sh', ['-c', 'ulimit -f 1; exec "$@"', 'sh', process.execPath, MAIN, ...args]);

unwritable(
  'a file that would grow too large stays as it was, and the result is printed',
  async () => {
    const trace = join(FOLDER, 'found.jsonl');
    const made = await run(['merge', REPORT, '--save', trace]);
    assert.is(made.status, 1, made.error);
    const file = join(FOLDER, 'limited');
    for (const [args, printed] of [
      [['emit', trace, '-o', file], /#include <stdio.h>/],
      [['shrink', trace, '--save', file], /^VIOLATION/m],
      [['merge', REPORT, '--save', file], /violation.*IOMMU_IOAS_UNMAP/s],
      [['merge', REPORT, '--save', '/dev/null', '--report', file], /violation/],
      [
        ['explore', '--actions', 'native', '--release', '7.3.4', '--depth', '1', '--save', file],
        /every program of 1 call$/m,
      ],
    ] as const) {
      writeFileSync(file, 'old');
      const { status, out, error } = await runLimited(args);
      assert.is(status, 3, error);
      assert.match(out, printed, args.join(' '));
      assert.not.match(out, /Saved to .*limited/);
      assert.match(error, /limited: file too large \(EFBIG\)\. Name another file with -/);
      assert.is(readFileSync(file, 'utf8'), 'old');
    }
    assert.equal(
      readdirSync(FOLDER).filter((name) => name.startsWith('.')),
      [],
    );
  },
);

unwritable('a time that no timer accepts', async () => {
  const { status, error } = await run(['check', '--seconds', '9007199254740991']);
  assert.is(status, 2, error);
  assert.match(error, /at most/);
});

unwritable.run();
