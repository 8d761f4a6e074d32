// SPDX-License-Identifier: MIT
// The verb `explore` from outside: its output and its exit status.

import { type ChildProcess, execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Finished, runHere } from '../../harness/command-line.ts';

const MAIN = resolve('dist', 'oracle', 'cli', 'main.js');
const FOLDER = mkdtempSync(join(tmpdir(), 'explore-cli-'));

const run = (args: readonly string[]): Promise<Finished> => runHere(FOLDER, 'explore', ...args);

const cli = suite('explore on the command line');

cli.after(() => rmSync(FOLDER, { recursive: true }));

const COMPAT = ['--actions', 'compat', '--release', '7.3.4'];

cli('a row for each exploration, and nothing else if output is not a terminal', async () => {
  const { status, out, error } = await run([...COMPAT, '--depth', '4']);
  assert.is(status, 0);
  assert.match(out, /compat +7\.3\.4 +mock +27 +280 .* every program of 4 calls/);
  assert.match(out, 'all 34 laws hold in all of these states');
  assert.is(error, '');
});

cli('JSON is one line', async () => {
  const { status, out } = await run([...COMPAT, '--depth', '4', '--json']);
  assert.is(status, 0);
  assert.is(out.trim().split('\n').length, 1);
  const { explorations } = JSON.parse(out);
  assert.is(explorations.length, 1);
  assert.equal(explorations[0].counts, { generated: 280, distinct: 27, depth: 4, frontier: 20 });
  assert.ok(explorations[0].rules.includes('ioas-alloc/allocates'));
});

cli('out of time it reports what it has, and resumes from what it saved', async () => {
  const saved = join(FOLDER, 'saved.bin');
  const first = await run([
    ...COMPAT,
    ...['--depth', '30', '--seconds', '1', '--save', saved, '--json'],
  ]);
  assert.is(first.status, 0);
  const [before] = JSON.parse(first.out).explorations;
  assert.is(before.ended, 'time');
  const bound = `${before.counts.distinct + 1}`;
  const second = await run(['--resume', saved, '--states', bound, '--json']);
  assert.is(second.status, 0);
  const [after] = JSON.parse(second.out).explorations;
  assert.is(after.counts.distinct, before.counts.distinct + 1);
  assert.is(after.actionSet, 'compat');
});

const LONG = [...COMPAT, '--depth', '30'];

/** Starts it, waits until `isReached` returns true for it, and sends the signal. */
const stopped = async (
  args: readonly string[],
  isReached: (child: ChildProcess) => boolean,
  signal: NodeJS.Signals,
): Promise<Finished> => {
  let child: ChildProcess | undefined;
  const finished = new Promise<Finished>((done) => {
    child = execFile(
      process.execPath,
      [MAIN, 'explore', ...args],
      { cwd: FOLDER, env: { ...process.env, NO_COLOR: '1' } },
      (_error, out, error) => done({ status: child?.exitCode ?? -1, out, error }),
    );
  });
  while (child !== undefined && !isReached(child)) await delay(20);
  child?.kill(signal);
  return finished;
};

cli('killed, it loses only what came after its last save', async () => {
  const saved = join(FOLDER, 'killed.bin');
  const killed = await stopped(
    [...LONG, '--save', saved, '--save-every', '1'],
    () => existsSync(saved),
    'SIGKILL',
  );
  assert.is(killed.out, '');
  const merged = await merge([saved, '--json']);
  assert.is(merged.status, 2, merged.error);
  const { explorations, unfinished } = JSON.parse(merged.out);
  assert.equal(unfinished, [saved]);
  assert.is(explorations[0].ended, 'interrupted');
  const bound = `${explorations[0].counts.distinct + 1}`;
  const resumed = await run(['--resume', saved, '--states', bound, '--json']);
  assert.is(resumed.status, 0, resumed.error);
  assert.is(JSON.parse(resumed.out).explorations[0].counts.distinct, Number(bound));
});

/** Seconds of processor time: after these it explores, however busy the machine is. */
const secondsOf = ({ pid }: ChildProcess): number => {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) / 100;
};

cli(
  'interrupted, it lists what was not explored, and what was not explored to its end',
  async () => {
    const two = [...LONG, '--actions', 'native'];
    const { status, out, error } = await stopped(two, (child) => secondsOf(child) > 3, 'SIGINT');
    assert.is(status, 130, error);
    assert.match(out, /compat .* interrupted, in \d+ calls$/m);
    assert.not.match(out, 'every program');
    assert.is(error, 'interrupted; not explored at all: native on 7.3.4\n');
  },
);

const merge = (args: readonly string[]): Promise<Finished> => runHere(FOLDER, 'merge', ...args);

cli('merged saved parts report what one run reports', async () => {
  const asked = [...COMPAT, '--depth', '5'];
  const files = ['1', '2'].map((part) => join(FOLDER, `part-${part}.bin`));
  for (const [index, file] of files.entries()) {
    const { status, out } = await run([...asked, '--shard', `${index + 1}/2`, '--save', file]);
    assert.is(status, 0);
    assert.match(out, `part ${index + 1}/2`);
  }
  const whole = await run([...asked, '--json']);
  const both = await merge([...files, '--json']);
  assert.is(both.status, 0, both.error);
  const [one, other] = [whole, both].map(({ out }) => JSON.parse(out).explorations[0]);
  assert.equal(other.counts, one.counts);
  assert.equal(other.rules, one.rules);
  assert.is(other.ended, 'depth');
  const half = await merge(files.slice(1));
  assert.is(half.status, 2);
  assert.match(half.out, 'every program of 5 calls, but for part 1');
  assert.match(half.error, 'no exploration of part 1');
  for (const [args, what] of [
    [[files[0], files[0]], 'are both part 1'],
    [[files[0], join(FOLDER, 'missing.bin')], 'no such file'],
    [[files[0], '--report', 'x.json'], 'no --cover and no --report'],
  ] as const) {
    const { status, error } = await merge(args as readonly string[]);
    assert.is(status, 2, error);
    assert.match(error, what);
  }
  const deeper = await run(['--resume', files[0] as string, '--depth', '6']);
  assert.is(deeper.status, 2);
  assert.match(deeper.error, 'keeps its depth, 5 calls');
});

cli('contradictory options get a message of one line', async () => {
  const bad = join(FOLDER, 'bad.bin');
  writeFileSync(bad, '{}\n');
  for (const [args, what] of [
    [['--actions', 'none'], 'There is no such name'],
    [['--depth', '0'], 'at least 1'],
    [['--shard', '3/2'], 'part K of N'],
    [['--save', 'x.bin'], 'name one --actions and one --release'],
    [['--resume', bad], 'this is not a saved exploration'],
    [['--save-every', '5'], 'name the file with --save'],
    [['--resume', bad, '--release', '7.3.4'], 'leave out the options that choose what to explore'],
    [['--resume', join(FOLDER, 'missing.bin')], 'no such file'],
  ] as const) {
    const { status, error } = await run(args);
    assert.is(status, 2, error);
    assert.match(error, what);
  }
});

cli.run();
