// SPDX-License-Identifier: MIT
// explain as a command: words, files and standard input, and its exit status.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Finished, runHere } from '../../harness/command-line.ts';

const MAIN = resolve('dist', 'oracle', 'cli', 'main.js');
const FOLDER = mkdtempSync(join(tmpdir(), 'properties-'));

const run = (words: readonly string[]): Promise<Finished> => runHere(FOLDER, 'explain', ...words);

/** In a process of its own, which reads standard input. */
const runWith = (words: readonly string[], input: string): Promise<Finished> =>
  new Promise((done) => {
    const env = { ...process.env, NO_COLOR: '1' };
    const child = execFile(
      process.execPath,
      [MAIN, 'explain', ...words],
      { cwd: FOLDER, env },
      (_, out, error) => done({ status: child.exitCode ?? -1, out, error }),
    );
    child.stdin?.end(input);
  });

const explain = suite('explain as a command');

explain.after(() => rmSync(FOLDER, { recursive: true }));

explain('words, a negative number and options of a pasted command line are one line', async () => {
  const words = ['VFIO_IOMMU_MAP_DMA', '-22', 'iova=0x382800000000', 'size=0x400000000'];
  const named = await run([...words, '--release', '7.2']);
  assert.is(named.status, 0);
  assert.match(named.out, /1\. The range ends beyond what the IOMMU translates/);
  const pasted = ['qemu-system-x86_64:', '-device', 'vfio-pci,host=01:00.0:', 'group', '1'];
  const viable = await run([...pasted, 'is', 'not', 'viable']);
  assert.is(viable.status, 0);
  assert.match(viable.out, /1\. The group is not viable/);
});

explain(
  'files and standard input are read, and what is not text in them is no obstacle',
  async () => {
    const line = '[  1.0] vfio_pin_pages_remote: RLIMIT_MEMLOCK (65536) exceeded';
    writeFileSync(join(FOLDER, 'log'), Buffer.from(`\xff\xfe\x00\n${line}\n`, 'latin1'));
    for (const { status, out } of await Promise.all([
      run(['log']),
      runWith(['-'], `${line}\n`),
      runWith([], `${line}\n`),
    ])) {
      assert.is(status, 0);
      assert.match(out, /RLIMIT_MEMLOCK 0x10000 \(64 KiB\)/);
    }
  },
);

explain('input that is not understood is status 2, with what could be read', async () => {
  const [words, nothing, release, json] = await Promise.all([
    run(['EAL: error 12']),
    runWith([], ''),
    run(['VFIO_IOMMU_MAP_DMA', '-22', '--release', 'newest']),
    run(['EAL: error 12', '--json']),
  ]);
  assert.is(words.status, 2);
  assert.match(words.error, /line 1: a message of DPDK, the error ENOMEM; no call/);
  assert.is(nothing.status, 2);
  assert.match(nothing.error, /There is nothing to explain/);
  assert.is(release.status, 2);
  assert.match(release.error, /--release newest is not a version of Linux/);
  assert.is(json.status, 2);
  assert.equal(JSON.parse(json.out).explanations, []);
});

explain.run();
