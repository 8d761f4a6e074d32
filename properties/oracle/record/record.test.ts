// The recorder, on programs that touch no device: how they end, what becomes of their processes, and that the memory
// which their recording tells of is the memory that they had. Where nothing may be traced, that is said and no more.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withEvent } from '../../../oracle/judge/recorded-events.ts';
import { TraceeMemory } from '../../../oracle/record/tracee-memory.ts';
import { parseEvent } from '../../../oracle/trace/recorded-event.ts';
import { nodesOf } from '../../../spec/collections/ordered-map.ts';
import { spaceOf } from '../../../spec/state/memory.ts';
import { emptyWorld, type World } from '../../../spec/state/world.ts';
import { settingOf } from '../../helpers/settings.ts';

const MAIN = resolve('dist', 'oracle', 'cli', 'main.js');
const FOLDER = mkdtempSync(join(tmpdir(), 'properties-record-'));
const FILE = join(FOLDER, 'run.jsonl.gz');

type Finished = { readonly status: number; readonly out: string; readonly error: string };

const record = (...words: readonly string[]): Promise<Finished> =>
  new Promise((done) => {
    const child = execFile(
      process.execPath,
      [MAIN, 'record', ...words],
      { cwd: FOLDER, maxBuffer: 1 << 26 },
      (_error, out, error) => done({ status: child.exitCode ?? -1, out, error }),
    );
  });

const NOT_PERMITTED = 3;

/** Records it; undefined where this machine lets nothing be traced. */
const recorded = async (...words: readonly string[]): Promise<Finished | undefined> => {
  const finished = await record('-o', FILE, '--', ...words);
  if (finished.status === NOT_PERMITTED) {
    process.stdout.write(`not tested: ${finished.error}`);
    return undefined;
  }
  assert.is(finished.status, 0, finished.error);
  return finished;
};

type Json = Readonly<Record<string, unknown>>;

const linesOfFile = (): readonly Json[] =>
  gunzipSync(readFileSync(FILE))
    .toString()
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Json);

const recorder = suite('recorder');
const here = process.platform === 'linux' && process.arch === 'x64' ? recorder : recorder.skip;

here('a process that was killed has no memory, and one that lives has', async () => {
  const memory = new TraceeMemory();
  assert.not(memory.isGone(process.pid));
  const child = execFile('sleep', ['60']);
  const { pid } = child;
  if (pid === undefined) throw new Error('sleep was not started.');
  assert.not(memory.isGone(pid));
  await new Promise((done) => {
    child.once('exit', done);
    child.kill('SIGKILL');
  });
  assert.ok(memory.isGone(pid));
});

recorder.after(() => rmSync(FOLDER, { recursive: true }));

here('tells how the program ended, and of its children', async () => {
  if ((await recorded('sh', '-c', '(exit 3); sh -c "exit 4"; exit 7')) === undefined) return;
  const [header, ...lines] = linesOfFile();
  assert.is(header?.exit, 7);
  assert.is(header?.version, 2);
  assert.is(header?.program, 'sh -c (exit 3); sh -c "exit 4"; exit 7');
  const [program] = lines;
  assert.is(program?.call, 'exec');
  const children = lines.filter(({ call }) => call === 'fork').map(({ child }) => child);
  assert.is(children.length, 2);
  const ended = lines.filter(({ call }) => call === 'exit').map(({ pid }) => pid);
  assert.equal(ended, [...children, program?.pid]);
});

here('tells of a signal that ended the program, as a shell does', async () => {
  if ((await recorded('sh', '-c', 'kill -KILL $$')) === undefined) return;
  assert.is(linesOfFile()[0]?.exit, 128 + 9);
});

/** Neighbours that are alike count as one. */
type Run = { readonly start: bigint; last: bigint; readonly how: string };

const joined = (runs: readonly Run[]): string => {
  const result: Run[] = [];
  for (const run of runs) {
    const before = result.at(-1);
    if (before !== undefined && before.last + 1n === run.start && before.how === run.how) {
      before.last = run.last;
    } else result.push({ ...run });
  }
  return result
    .map(({ start, last, how }) => `${start.toString(16)}-${last.toString(16)} ${how}`)
    .join('\n');
};

/** What a program printed of /proc/self/maps, without the stack, which grows by itself. */
const printed = (text: string): { readonly runs: string; readonly stack: bigint } => {
  const runs: Run[] = [];
  let stack = 0n;
  for (const line of text.trim().split('\n')) {
    const [range = '', perm = ''] = line.split(' ');
    const [start = 0n, end = 0n] = range.split('-').map((word) => BigInt(`0x${word}`));
    if (line.endsWith('[stack]')) stack = end - 1n;
    else {
      const protection = perm[1] === 'w' ? 'read-write' : perm[0] === 'r' ? 'read' : 'none';
      runs.push({ start, last: end - 1n, how: `${protection} ${perm[3] === 's'}` });
    }
  }
  return { runs: joined(runs), stack };
};

const told = (world: World, process: number, stack: bigint): string =>
  joined(
    [...nodesOf(spaceOf(world.memory, process))].flatMap(({ key, value }) =>
      value.last === stack
        ? []
        : [{ start: key, last: value.last, how: `${value.protection} ${value.shared}` }],
    ),
  );

here('the memory that a recording tells of is the memory that there was', async () => {
  const finished = await recorded('cat', '/proc/self/maps');
  if (finished === undefined) return;
  const { runs, stack } = printed(finished.out);
  let world = emptyWorld(settingOf('mock'), 'recorded');
  let mappings = 0;
  let wasSo = false;
  for (const line of linesOfFile().slice(1)) {
    const event = parseEvent(FILE, 2, JSON.stringify(line));
    assert.ok(event !== undefined, JSON.stringify(line));
    world = withEvent(world, event);
    if (event.kind === 'mmap') mappings += 1;
    if (told(world, event.process, stack) === runs) wasSo = true;
  }
  assert.ok(mappings > 3, `${mappings} mappings`);
  assert.ok(wasSo, `at no time was there\n${runs}`);
});

here('every call of a program that is stopped at each tells the same', async () => {
  if ((await recorded('sh', '-c', 'exit 5')) === undefined) return;
  const kinds = (): readonly unknown[] => linesOfFile().map(({ call }) => call);
  const filtered = kinds();
  const { status } = await record('--every-call', '-o', FILE, '--', 'sh', '-c', 'exit 5');
  assert.is(status, 0);
  assert.equal(kinds(), filtered);
});

recorder('refuses what is no program, and a place where nothing can be written', async () => {
  const noProgram = await record('-o', FILE, '--', 'no-such-program');
  assert.is(noProgram.status, 2);
  assert.match(noProgram.error, 'There is no program no-such-program.');
  const noPlace = await record('-o', join(FOLDER, 'nowhere', 'run.jsonl'), '--', 'sh');
  assert.is(noPlace.status, 2);
  assert.is((await record('sh')).status, 2);
  assert.not(existsSync(`${FILE}.part`));
});

recorder.run();
