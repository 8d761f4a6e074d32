// SPDX-License-Identifier: MIT
// Syzkaller programs on the command line: judge, replay and shrink recognise what a file is.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Finished, runHere } from '../../harness/command-line.ts';

const PROGRAM = resolve('properties', 'fixtures', 'syz', 'unmap-cuts-area.syz');
const FOLDER = mkdtempSync(join(tmpdir(), 'properties-'));

const run = (...args: readonly string[]): Promise<Finished> => runHere(FOLDER, ...args);

const inFolder = (name: string, text: string): string => {
  const path = join(FOLDER, name);
  writeFileSync(path, text);
  return path;
};

const test = suite('syzkaller programs at the command line');

test.after(() => rmSync(FOLDER, { recursive: true }));

test('judge reports that there is nothing to judge, and what to do', async () => {
  const { status, error } = await run('judge', PROGRAM);
  assert.is(status, 2);
  assert.match(error, /:1: this is a syzkaller program, .*iommufd-spec replay /);
});

test('replay runs it, and says which calls are skipped', async () => {
  const { status, out, error } = await run('replay', '--release', '6.12.95', PROGRAM);
  assert.is(status, 0);
  assert.match(out, /release 6\.12\.95, platform mock/);
  assert.match(out, /IOMMU_IOAS_UNMAP\(.*-> {2}-1 ENOENT/);
  assert.match(out, /does not say what came of it\.\n$/);
  assert.match(error, /unmap-cuts-area\.syz:5: skipped: getpid is not a call of/);
});

test('shrink makes a trace of it, which can be judged', async () => {
  const found = await run(
    'shrink',
    '--defect',
    'unmap-truncates-areas',
    '--save',
    'short.jsonl',
    PROGRAM,
  );
  if (found.status !== 1) assert.unreachable(`${found.out}${found.error}`);
  assert.ok(existsSync(join(FOLDER, 'short.jsonl')));
  assert.is((await run('judge', 'short.jsonl')).status, 1);
  assert.match(readFileSync(join(FOLDER, 'short.jsonl'), 'utf8'), /"op":"ioctl"/);
});

test('what is not understood is named with its line, and nothing of it acts on a terminal', async () => {
  const file = inFolder('bad.syz', 'r0 = openat$iommufd(0x0, &AUTO, 0x0, 0x0)\nfork\x1b[2J(r0)\n');
  const { status, error } = await run('replay', file);
  assert.is(status, 2);
  assert.match(error, /bad\.syz:2: this is not a call/);
  assert.not(error.includes('\x1b'));
});

test('options for what a program runs on are not for traces', async () => {
  const saved = await run('shrink', '--save', 'all.jsonl', PROGRAM);
  assert.is(saved.status, 0);
  const { status, error } = await run('replay', '--release', '7.3.4', 'all.jsonl');
  assert.is(status, 2);
  assert.match(error, /says itself what it ran on/);
});

test('emit writes one of a trace, and refuses what it cannot, with the line', async () => {
  await run('shrink', '--save', 'whole.jsonl', PROGRAM);
  const emitted = await run('emit', '--as', 'syz', 'whole.jsonl', '-o', 'out.syz');
  assert.is(emitted.status, 0);
  const text = readFileSync(join(FOLDER, 'out.syz'), 'utf8');
  assert.match(text, /^ioctl\$IOMMU_IOAS_UNMAP\(r0, 0x3b86, &\(0x7f[0-9a-f]+\)=\{0x18, r1, /m);
  const again = await run('replay', '--release', '7.3.4', 'out.syz');
  assert.match(again.out, /IOMMU_IOAS_UNMAP\(.*-> {2}-1 ENOENT/);
  const lines = readFileSync(join(FOLDER, 'whole.jsonl'), 'utf8').trim().split('\n');
  // A trace that did not run, with one more operation.
  const operations = lines.slice(1, -1).map((line) => {
    const { operation } = JSON.parse(line) as { operation: unknown };
    return JSON.stringify({ operation });
  });
  const status = '{"operation":{"op":"status","label":"status9","field":"VmLck"}}';
  const all = [...lines.slice(0, 1), ...operations, status, ...lines.slice(-1)];
  inFolder('status.jsonl', `${all.join('\n')}\n`);
  const refused = await run('emit', '--as', 'syz', 'status.jsonl');
  assert.is(refused.status, 2);
  assert.match(
    refused.error,
    new RegExp(`status\\.jsonl:${lines.length}: operation status9 is not emitted for syzkaller`),
  );
});

test.run();
