// SPDX-License-Identifier: MIT
// The recorder, on programs that touch no device: how they end, what happens to their processes,
// and that the memory in the recording is the memory that they had. If tracing is not permitted,
// that is reported.

import { execFile, execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withEvent } from '../../../oracle/judge/recorded-events.ts';
import { GuardedListener } from '../../../oracle/record/guarded-listener.ts';
import { RecordingLines } from '../../../oracle/record/recording-lines.ts';
import { TraceeMemory } from '../../../oracle/record/tracee-memory.ts';
import type { Listener } from '../../../oracle/record/tracer.ts';
import { parseHeader } from '../../../oracle/trace/recording.ts';
import { RecordingReader } from '../../../oracle/trace/recording-reader.ts';
import { nodesOf } from '../../../spec/collections/ordered-map.ts';
import { spaceOf } from '../../../spec/state/memory.ts';
import { emptyWorld, type World } from '../../../spec/state/world.ts';
import { settingOf } from '../../helpers/settings.ts';
import { withSmallDisk } from '../../helpers/small-disk.ts';

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

/** Whether programs may be traced here, as the first recording showed. */
let isPermitted = true;

/** Records it; undefined if this machine does not permit tracing. */
const recorded = async (...words: readonly string[]): Promise<Finished | undefined> => {
  const finished = await record('-o', FILE, '--', ...words);
  if (finished.status === NOT_PERMITTED) {
    isPermitted = false;
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

here('reports how the program and its children ended', async () => {
  if ((await recorded('sh', '-c', '(exit 3); sh -c "exit 4"; exit 7')) === undefined) return;
  const [header, ...lines] = linesOfFile();
  assert.is(header?.version, 3);
  assert.equal(lines.at(-1), { call: 'end', exit: 7, lines: lines.length - 1 });
  assert.is(header?.program, 'sh -c (exit 3); sh -c "exit 4"; exit 7');
  const [program] = lines;
  assert.is(program?.call, 'exec');
  const children = lines.filter(({ call }) => call === 'fork').map(({ child }) => child);
  assert.is(children.length, 2);
  const ended = lines.filter(({ call }) => call === 'exit').map(({ pid }) => pid);
  assert.equal(ended, [...children, program?.pid]);
});

here('reports a signal that ended the program, as a shell does', async () => {
  if ((await recorded('sh', '-c', 'kill -KILL $$')) === undefined) return;
  assert.is(linesOfFile().at(-1)?.exit, 128 + 9);
});

/** Neighbours with the same attributes count as one. */
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

/** What a program printed from /proc/self/maps, without the stack, which grows by itself. */
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

const reported = (world: World, process: number, stack: bigint): string =>
  joined(
    [...nodesOf(spaceOf(world.memory, process))].flatMap(({ key, value }) =>
      value.last === stack
        ? []
        : [{ start: key, last: value.last, how: `${value.protection} ${value.shared}` }],
    ),
  );

here('the memory that a recording shows is the memory that there was', async () => {
  const finished = await recorded('cat', '/proc/self/maps');
  if (finished === undefined) return;
  const { runs, stack } = printed(finished.out);
  let world = emptyWorld(settingOf('mock'), 'recorded');
  let mappings = 0;
  let wasSo = false;
  const [header, ...lines] = linesOfFile();
  const reader = new RecordingReader(
    FILE,
    parseHeader(FILE, JSON.stringify({ ...header, release: '7.3.4' })),
  );
  for (const [index, line] of lines.slice(0, -1).entries()) {
    const chunk = Buffer.from(JSON.stringify(line));
    const item = reader.take({ number: index + 2, chunk, start: 0, end: chunk.length });
    assert.is(item.kind, 'event', JSON.stringify(line));
    if (item.kind !== 'event') continue;
    const { event } = item;
    world = withEvent(world, event);
    if (event.kind === 'mmap') mappings += 1;
    if (reported(world, event.process, stack) === runs) wasSo = true;
  }
  assert.ok(mappings > 3, `${mappings} mappings`);
  assert.ok(wasSo, `at no time was there\n${runs}`);
});

here('a program that is stopped at every call gives the same recording', async () => {
  if ((await recorded('sh', '-c', 'exit 5')) === undefined) return;
  const kinds = (): readonly unknown[] => linesOfFile().map(({ call }) => call);
  const filtered = kinds();
  const { status } = await record('--every-call', '-o', FILE, '--', 'sh', '-c', 'exit 5');
  assert.is(status, 0);
  assert.equal(kinds(), filtered);
});

recorder('refuses a file that is no program, and a path that cannot be written', async () => {
  const noProgram = await record('-o', FILE, '--', 'no-such-program');
  assert.is(noProgram.status, 2);
  assert.match(noProgram.error, 'There is no program no-such-program.');
  const noPlace = await record('-o', join(FOLDER, 'nowhere', 'run.jsonl'), '--', 'sh');
  assert.is(noPlace.status, 2);
  assert.is((await record('sh')).status, 2);
  assert.equal(
    readdirSync(FOLDER).filter((name) => name.startsWith('.')),
    [],
  );
});

/** Runs many programs, and then prints that it finished. */
const LONG = 'for i in $(seq 60); do /bin/true; done; echo finished; exit 5';

/** In a file system of 96 KiB, which is too small for a recording of LONG. */
const onSmallDisk = (script: string): string | undefined =>
  withSmallDisk(mkdtempSync(join(FOLDER, 'disk-')), 96, script, [
    ...[process.execPath, MAIN, 'record', '-o', 'run.jsonl', '--', 'sh', '-c', LONG],
  ]);

/** The same recording, of a specified release. */
const ofKnownRelease = (text: string): string =>
  text.replace(/"release":"[^"]*"/, '"release":"7.3.4"');

const judge = (text: string): Promise<Finished> => {
  const file = join(FOLDER, 'judged.jsonl');
  writeFileSync(file, text);
  return new Promise((done) => {
    const child = execFile(process.execPath, [MAIN, 'judge', file], (_error, out, error) =>
      done({ status: child.exitCode ?? -1, out, error }),
    );
  });
};

here(
  'on a full disk the program continues to its end, and the recording reports where it stops',
  async () => {
    const out = onSmallDisk('"$@" 2> said; status=$?; echo "$status"; cat said run.jsonl');
    if (out === undefined || !isPermitted) return;
    const [finished, status, ...rest] = out.split('\n');
    assert.equal([finished, status], ['finished', '3']);
    const said = rest.filter((line) => !line.startsWith('{')).join('\n');
    assert.match(said, /run\.jsonl: \d+ lines; the program ended with 5$/m);
    assert.match(
      said,
      /run\.jsonl: the recording ends after \d+ lines, .*: no space left on device/,
    );
    assert.not.match(said, /^ +at /m);
    const lines = rest.filter((line) => line.startsWith('{'));
    const { cut, ...end } = JSON.parse(lines.at(-1) ?? '');
    assert.is(cut, 'no space left on device (ENOSPC)');
    assert.equal(end, { call: 'end', exit: 5, lines: lines.length - 2 });
    const judged = await judge(ofKnownRelease(`${lines.join('\n')}\n`));
    assert.is(judged.status, 2);
    assert.match(
      judged.error,
      `judged.jsonl:${lines.length}: the recording ends here, before the program did`,
    );
    const shorter = await judge(ofKnownRelease(`${lines.slice(0, -1).join('\n')}\n`));
    assert.match(shorter.error, 'cut short: its last line is missing');
  },
);

here('on a full disk an old recording stays, and the new one is next to it', async () => {
  const out = onSmallDisk('echo old > run.jsonl; "$@" 2> /dev/null; cat run.jsonl; ls -A');
  if (out === undefined || !isPermitted) return;
  const [finished, old, name, cut, ...rest] = out.split('\n');
  assert.equal([finished, old, name, ...rest], ['finished', 'old', 'run.jsonl', '']);
  assert.match(cut ?? '', /^run\.jsonl\..{12}\.cut$/);
});

here('a limit on the recorder is no limit on the program', async () => {
  const file = join(FOLDER, 'limited.jsonl.gz');
  const large = join(FOLDER, 'large');
  const program = `ulimit -S -f unlimited; ${LONG.replace('echo', `head -c 200000 /dev/zero > ${large}; echo`)}`;
  const words = [process.execPath, MAIN, 'record', '-o', file, '--', 'sh', '-c', program];
  const finished = await new Promise<Finished>((done) => {
    const child = execFile(
      'sh',
      ['-c', 'ulimit -S -f 18; exec "$@"', 'sh', ...words],
      (_error, out, error) => done({ status: child.exitCode ?? -1, out, error }),
    );
  });
  if (!isPermitted) return;
  assert.is(finished.status, 3, finished.error);
  assert.is(finished.out, 'finished\n');
  assert.is(statSync(large).size, 200_000);
  assert.match(finished.error, /the recording ends after \d+ lines, .*: file too large \(EFBIG\)/);
  const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n');
  assert.is(JSON.parse(lines.at(-1) ?? '').cut, 'file too large (EFBIG)');
});

here(
  'a recording goes into a pipe when the program has ended; without a reader it is kept',
  async () => {
    const pipe = join(FOLDER, 'pipe');
    if (!isPermitted) return;
    execFileSync('mkfifo', [pipe]);
    const read = new Promise<string>((done) => {
      execFile('cat', [pipe], { maxBuffer: 1 << 26 }, (_error, out) => done(out));
    });
    const whole = await record('-o', pipe, '--', 'true');
    assert.is(whole.status, 0, whole.error);
    assert.match(await read, /"call":"end","exit":0,"lines":\d+\}\n$/);
    execFile('head', ['-c', '1', pipe]);
    const lost = await record('-o', pipe, '--', 'sh', '-c', LONG);
    assert.is(lost.status, 3, lost.error);
    assert.is(lost.out, 'finished\n');
    const [, kept] = /broken pipe \(EPIPE\)\. It is in (.*)\.$/m.exec(lost.error) ?? [];
    assert.match(readFileSync(kept ?? '', 'utf8'), /"call":"end","exit":5,"lines":\d+\}\n$/);
    rmSync(kept ?? '');
    const nowhere = await record('-o', '/dev/full', '--', 'true');
    assert.is(nowhere.status, 3, nowhere.error);
    rmSync(/It is in (.*)\.$/m.exec(nowhere.error)?.[1] ?? '');
  },
);

here('two recordings into one file leave a whole one', async () => {
  const all = await Promise.all(
    [0, 1].map((exit) => record('-o', FILE, '--', 'sh', '-c', `exit ${exit}`)),
  );
  if (!isPermitted) return;
  assert.equal(
    all.map(({ status }) => status),
    [0, 0],
  );
  const lines = linesOfFile();
  assert.is(lines.at(-1)?.lines, lines.length - 2);
});

recorder('after any failed write lines are refused, and nothing is thrown', () => {
  for (const isCompressed of [false, true]) {
    const file = join(FOLDER, 'lines');
    const descriptor = openSync(file, 'w');
    const lines = new RecordingLines(descriptor, isCompressed, 100);
    lines.begin({ format: 'iommufd-recording' });
    lines.add(1, undefined, { call: 'exit' });
    lines.flush();
    assert.equal([lines.count, lines.cut], [1, undefined]);
    closeSync(descriptor);
    lines.add(1, undefined, { call: 'exit' });
    lines.flush();
    lines.add(1, undefined, { call: 'exit' });
    lines.finish(0);
    assert.equal([lines.count, lines.cut], [1, 'bad file descriptor (EBADF)']);
  }
});

recorder('a failure of the recorder ends the recording and nothing else', () => {
  const reasons: string[] = [];
  const fail = (): never => {
    throw new Error('broken');
  };
  let calls = 0;
  const inner: Listener = {
    call: () => {
      calls += 1;
      return fail;
    },
    forked: fail,
    executed: fail,
    exited: fail,
  };
  const guarded = new GuardedListener(inner, (reason) => reasons.push(reason));
  const after = guarded.call({ process: 1, thread: 1 }, 0, []);
  after?.(0n);
  assert.is(guarded.call({ process: 1, thread: 1 }, 0, []), undefined);
  guarded.exited(1);
  assert.is(calls, 1);
  assert.equal(reasons, ['the recorder failed: broken']);
});

recorder.run();
