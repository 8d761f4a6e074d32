// SPDX-License-Identifier: MIT
// What a file may demand of its reader: a line without an end, compressed data that expands to one,
// deeply nested lists, and cut data. Each is refused with its line, the lines before it are read,
// and no more than the bound is read.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeFile } from '../../../oracle/cli/judge-file.ts';
import type { FileResult } from '../../../oracle/report/summary.ts';
import { BadInput } from '../../../oracle/trace/bad-input.ts';
import { parseObject } from '../../../oracle/trace/json-object.ts';
import { DEPTH_MAX, LINE_BYTES_MAX, OPERATIONS_MAX } from '../../../oracle/trace/limits.ts';
import { chunksOf } from '../../../oracle/trace/lines.ts';
import { TraceReader } from '../../../oracle/trace/trace-file.ts';
import { FIXTURES } from '../../harness/recordings.ts';
import { TRACE_HEADERS } from './examples.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-limits-'));
const RECORDING = readFileSync(join(FIXTURES, '6.12.95-selftest.iommufd.cmd_length.jsonl.gz'));
const LINES = gunzipSync(RECORDING).toString().trim().split('\n');
const TOO_LONG = `the line is longer than ${LINE_BYTES_MAX} bytes`;

const inFolder = (name: string, bytes: Buffer): string => {
  const path = join(FOLDER, name);
  writeFileSync(path, bytes);
  return path;
};

const judged = (file: string, signal = new AbortController().signal): Promise<FileResult> =>
  judgeFile(file, { verbosity: 'brief', signal, onProgress: () => {} });

const callsOf = ({ counts }: FileResult): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** How many bytes are read, and what ends the reading. */
const readAll = async (file: string): Promise<{ readonly bytes: number; readonly why: string }> => {
  let bytes = 0;
  try {
    for await (const chunk of chunksOf(file)) bytes += chunk.length;
    return { bytes, why: '' };
  } catch (error) {
    assert.instance(error, BadInput);
    return { bytes, why: (error as BadInput).message };
  }
};

const limits = suite('limits of files');

limits.after(() => rmSync(FOLDER, { recursive: true }));

limits(
  'a line of 100 MB is refused, plain and compressed, after the lines before it are read',
  async () => {
    const few = LINES.slice(0, 5);
    const long = Buffer.concat([
      Buffer.from(`${few.join('\n')}\n`),
      Buffer.alloc(100_000_000, 'x'),
    ]);
    for (const [name, bytes] of [
      ['long.jsonl', long],
      ['long.jsonl.gz', gzipSync(long, { level: 1 })],
    ] as const) {
      const file = inFolder(name, bytes);
      const result = await judged(file);
      assert.is(result.badInput, `${file}:6: ${TOO_LONG}`);
      assert.is(callsOf(result), 4);
      assert.is(result.counts.violation, 0);
    }
  },
);

limits('a line that never ends is refused: no more of it is read than the bound', async () => {
  assert.equal(await readAll('/dev/zero'), { bytes: 0, why: `/dev/zero:1: ${TOO_LONG}` });
});

limits('a line as long as the bound is read, and one byte more is not', async () => {
  const longest = inFolder('longest', Buffer.alloc(LINE_BYTES_MAX, 'x'));
  assert.equal(await readAll(longest), { bytes: LINE_BYTES_MAX, why: '' });
  const ended = inFolder(
    'ended',
    Buffer.concat([Buffer.alloc(LINE_BYTES_MAX, 'x'), Buffer.from('\n')]),
  );
  assert.equal(await readAll(ended), { bytes: LINE_BYTES_MAX + 1, why: '' });
  const longer = inFolder('longer', Buffer.alloc(LINE_BYTES_MAX + 1, 'x'));
  assert.equal(await readAll(longer), { bytes: 0, why: `${longer}:1: ${TOO_LONG}` });
});

limits('nested lists are refused beyond the bound, and brackets within text do not count', () => {
  const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  assert.ok(parseObject('f', 3, nested(DEPTH_MAX - 1)));
  for (const text of [nested(DEPTH_MAX), nested(100_000), `{"a":${'['.repeat(100_000)}`]) {
    assert.throws(() => parseObject('f', 3, text), /^f:3: more than 16 objects and lists/);
  }
  const brackets = `{"\\"[[[[[[[[[[[[[[[[[[":"\\\\","b":"{{{{{{{{{{{{{{{{{{{{\\\\\\""}`;
  assert.equal(parseObject('f', 3, brackets), JSON.parse(brackets));
});

limits('a trace with more operations than the bound is refused', () => {
  const reader = new TraceReader('f');
  reader.take(JSON.stringify(TRACE_HEADERS[0]));
  const line = JSON.stringify({ operation: { op: 'status', label: 'a', field: 'VmLck' } });
  for (let count = 0; count < OPERATIONS_MAX; count += 1) reader.take(line);
  const at = OPERATIONS_MAX + 2;
  assert.throws(() => reader.take(line), new RegExp(`^f:${at}: .* more than ${OPERATIONS_MAX} `));
});

limits(
  'of compressed data that is cut anywhere, the whole lines are judged and the cut is an error',
  async () => {
    const whole = callsOf(await judged(inFolder('whole.gz', RECORDING)));
    let before = 0;
    for (let length = 3; length < RECORDING.length; length += 61) {
      const file = inFolder('cut.gz', RECORDING.subarray(0, length));
      const result = await judged(file);
      const calls = callsOf(result);
      const line = calls === 0 && result.format === undefined ? 1 : calls + 2;
      assert.is(result.badInput, `${file}:${line}: the compressed data ends early`, `${length}`);
      assert.is(result.counts.violation, 0);
      assert.ok(calls >= before && calls <= whole);
      before = calls;
    }
    const file = inFolder('cut.gz', RECORDING.subarray(0, RECORDING.length - 1));
    assert.is(callsOf(await judged(file)), whole, 'only a byte of the checksum is missing');
  },
);

limits(
  'compressed data that is damaged, or followed by anything but more of it, is an error',
  async () => {
    const wrongSum = Buffer.from(RECORDING);
    wrongSum.writeUInt32LE(
      (wrongSum.readUInt32LE(wrongSum.length - 8) ^ 1) >>> 0,
      wrongSum.length - 8,
    );
    for (const [bytes, why] of [
      [wrongSum, /the compressed data is damaged$/],
      [Buffer.concat([RECORDING, Buffer.from('garbage')]), /the compressed data is damaged$/],
      [Buffer.concat([RECORDING, Buffer.alloc(512)]), /bytes after the compressed data$/],
    ] as const) {
      assert.match((await readAll(inFolder('bad.gz', bytes))).why, why);
    }
    const twice = await readAll(inFolder('twice.gz', Buffer.concat([RECORDING, RECORDING])));
    assert.equal(twice, { bytes: 2 * gunzipSync(RECORDING).length, why: '' });
  },
);

limits('a signal ends the wait for an empty pipe', async () => {
  const pipe = join(FOLDER, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const controller = new AbortController();
  const result = judged(pipe, controller.signal);
  controller.abort();
  assert.is((await result).interrupted, true);
  // The reader's open returns, and nothing is left behind.
  await (await open(pipe, 'w')).close();
});

limits('SIGINT ends judge of such a pipe', async () => {
  const pipe = join(FOLDER, 'waiting');
  execFileSync('mkfifo', [pipe]);
  const main = resolve('dist', 'oracle', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'judge', pipe], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // The table's head is printed once the signals are handled.
  child.stdout.once('data', () => child.kill('SIGINT'));
  const signal = await new Promise((done) => child.on('exit', (_, by) => done(by)));
  assert.is(signal, 'SIGINT', 'which is 130 in a shell');
});

limits.run();
