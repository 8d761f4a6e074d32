// SPDX-License-Identifier: MIT
// With a trace from a stranger the kernel subject does only what docs/safety.md allows: it runs
// hostile programs in a separate process with every device file forbidden, and each call that it
// really makes is checked.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HostileReport } from './hostile-run.ts';

const HOSTILE = join(import.meta.dirname, 'hostile-run.js');
const RUNNER = join(import.meta.dirname, '../../../oracle/subjects/kernel/runner.js');
const IN_THE_HOLE = pathToFileURL(join(import.meta.dirname, 'in-the-hole.js')).href;
const RUNS = 1000;

/** Runs a Node.js program as the subject starts its runner. */
const started = async (...words: readonly string[]): Promise<SpawnSyncReturns<string>> => {
  // Loaded only here, as the library exists for x86-64 Linux only.
  const { withoutAslr } = await import('../../../oracle/subjects/kernel/without-aslr.ts');
  return withoutAslr(() => spawnSync(process.execPath, words, { encoding: 'utf8' }));
};

const run = async (seed: number): Promise<HostileReport> => {
  const { stdout, stderr, status } = await started(HOSTILE, String(seed), String(RUNS));
  assert.is(status, 0, stderr);
  return JSON.parse(stdout) as HostileReport;
};

const safety = suite('safety');
const here = process.platform === 'linux' && process.arch === 'x64' ? safety : safety.skip;

here('hostile programs reach nothing that they must not', async () => {
  const { forbidden, counts } = await run(1);
  assert.equal(forbidden, []);
  // They tried: calls were made, and every kind of refusal occurred.
  assert.ok((counts['ioctl made'] ?? 0) > 100, JSON.stringify(counts));
  const refusals = Object.keys(counts).filter((what) => what.startsWith('refused: '));
  for (const said of [
    /ioctls of type/,
    /may open/,
    /must be named/,
    /argument may be an address/,
    /pointer at byte N of the struct/,
    /Descriptor N is this process's own/,
    /change mappings within its arena/,
  ]) {
    assert.ok(
      refusals.some((refusal) => said.test(refusal)),
      `${said} in ${refusals.join('\n')}`,
    );
  }
});

type Started = { readonly status: number | null; readonly stderr: string; readonly sent: string };

/** The runner, on a channel that is a file; with these words before its command. */
const startRunner = async (...before: readonly string[]): Promise<Started> => {
  const folder = mkdtempSync(join(tmpdir(), 'properties-'));
  const [channel, progress] = [join(folder, 'channel'), join(folder, 'progress')];
  try {
    writeFileSync(channel, '');
    writeFileSync(progress, Buffer.alloc(4096));
    const options = JSON.stringify({ channel, progress, paths: [] });
    const { status, stderr } = await started(...before, RUNNER, options);
    return { status, stderr, sent: readFileSync(channel, 'latin1') };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

here('a process with a mapping of its own around the arena makes no call', async () => {
  const { status, stderr, sent } = await startRunner('--import', IN_THE_HOLE);
  assert.is(status, 3, stderr);
  assert.is(sent, '');
  assert.match(stderr, /^This process has memory at the addresses that programs use, 0x6/);
  assert.match(stderr, / {2}0x710000000000-0x710000002000 anonymous memory\n/);
  assert.match(stderr, /no program was run/);
  assert.match(stderr, /setarch -R/);
});

here('a process without one starts', async () => {
  const { stderr } = await startRunner();
  assert.not.match(stderr, /memory of its own|cannot be reserved/);
});

safety.run();
