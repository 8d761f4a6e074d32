// SPDX-License-Identifier: MIT
// A bad recording is one clear error with the file and the line, and the lines before it are
// judged.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type JudgeOptions, judgeFile } from '../../../oracle/cli/judge-file.ts';
import { BadInput } from '../../../oracle/trace/bad-input.ts';
import { parseCall, parseHeader } from '../../../oracle/trace/recording.ts';
import { judgeLines, readLines } from '../../harness/recordings.ts';

const HEADER = {
  format: 'iommufd-recording',
  version: 1,
  release: '7.3.4',
  arch: 'x86-64',
  pageSize: 4096,
  privileged: true,
  platform: { name: 'mock' },
  program: 'written by hand',
  exit: 0,
};

const OPEN = { seq: 0, pid: 7, fd: 4, path: '/dev/iommu', call: 'open' };

const IOCTL = {
  seq: 1,
  pid: 7,
  tid: 7,
  fd: 4,
  path: '/dev/iommu',
  call: 'ioctl',
  cmd: '0x3b80',
  arg: '0x7ffc12cfffe8',
  in: '0800000000000000',
  ret: -1,
  errno: 2,
  out: '0800000000000000',
};

type Line = Readonly<Record<string, unknown>>;

const linesWith = (header: Line, ...others: readonly (Line | string)[]): readonly string[] =>
  [header, ...others].map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));

const FILE = 'example.jsonl';

/** The error that judging ends with, and the calls that were judged before it. */
const judged = (lines: readonly string[]): { readonly calls: number; readonly error: unknown } => {
  let calls = 0;
  try {
    for (const _ of judgeLines(FILE, lines)) calls += 1;
    return { calls, error: undefined };
  } catch (error) {
    return { calls, error };
  }
};

const without = (line: Line, name: string): Line =>
  Object.fromEntries(Object.entries(line).filter(([other]) => other !== name));

type Bad = {
  readonly says: string;
  readonly lines: readonly string[];
  readonly line: number;
  readonly message: RegExp;
};

/** A recording whose last line says that it is complete. */
const ENDED = { ...HEADER, version: 3 };
const END = { call: 'end', exit: 0, lines: 1 };

const badEnd = (says: string, lines: readonly Line[], message: RegExp): Bad => ({
  says,
  lines: linesWith(ENDED, OPEN, ...lines),
  line: lines.length + 2,
  message,
});

const badCall = (says: string, line: Line | string, message: RegExp): Bad => ({
  says,
  lines: linesWith(HEADER, OPEN, line),
  line: 3,
  message,
});

const badHeader = (says: string, header: Line, message: RegExp): Bad => ({
  says,
  lines: linesWith(header, OPEN),
  line: 1,
  message,
});

const BAD: readonly Bad[] = [
  badCall('a line that is cut short', JSON.stringify(IOCTL).slice(0, 60), /cut short/),
  badCall('a line that is not JSON', '{"seq":1,,}', /not a line of JSON$/),
  badCall('a line that is JSON and no object', '[1, 2]', /not a JSON object/),
  badCall(
    'a wrong hexadecimal digit',
    { ...IOCTL, in: '08000000000000zz' },
    /"in" must be hexadecimal digits, two a byte, and is "0800/,
  ),
  badCall('half a byte', { ...IOCTL, out: '080' }, /"out" must be hexadecimal digits/),
  badCall(
    'an ioctl number that is none',
    { ...IOCTL, cmd: '3b80' },
    /"cmd" must be a hexadecimal number/,
  ),
  badCall('an argument of more than 64 bits', { ...IOCTL, arg: `0x1${'0'.repeat(16)}` }, /"arg"/),
  badCall('a call without a process', without(IOCTL, 'pid'), /"pid" is missing/),
  badCall('a call without a path', without(IOCTL, 'path'), /"path" is missing/),
  badCall(
    'bytes before and none behind',
    without(IOCTL, 'out'),
    /as many bytes in "out" as in "in"/,
  ),
  badCall(
    'a result that is no number',
    { ...IOCTL, ret: '0' },
    /"ret" must be a whole number, -1 to 2147483647, and is "0"/,
  ),
  badCall(
    'a call of another kind',
    { ...IOCTL, call: 'read' },
    /"call" must be one of open, close, ioctl, and is "read"/,
  ),
  badCall(
    'mappings that are none',
    { ...IOCTL, cmd: '0x3b71', vmas: [{ start: '0x0', end: '0x1000', perm: 'rw' }] },
    /"vmas\[0\]\.perm" must be permissions like "rw-p", and is "rw"/,
  ),
  badCall(
    'a mapping that is no object',
    { ...IOCTL, cmd: '0x3b71', vmas: [1] },
    /"vmas\[0\]" must be an object, and is 1/,
  ),
  badCall(
    'a descriptor of a file that no call of the specification opens',
    { ...IOCTL, fd: 9, path: '/dev/null' },
    /descriptor 9 .* never opened/,
  ),
  badEnd('a last line that counts others', [{ ...END, lines: 2 }], /"lines" is 2, .* 1 before/),
  badEnd('a last line without a status', [without(END, 'exit')], /"exit" is missing/),
  badHeader('another format', { ...HEADER, format: 'strace' }, /neither a recording nor a trace/),
  badHeader(
    'a version that is not known',
    { ...HEADER, version: 4 },
    /"version" must be 1, 2 or 3, and is 4/,
  ),
  badHeader(
    'a release that is not specified',
    { ...HEADER, release: '2.6.32' },
    /"release" must be a version of Linux from 6\.2 on, .*, and is "2\.6\.32"/,
  ),
  badHeader('another architecture', { ...HEADER, arch: 's390x' }, /"arch" must be "x86-64"/),
  badHeader('larger pages', { ...HEADER, pageSize: 16384 }, /"pageSize" must be 4096/),
  badHeader(
    'a platform that is not known',
    { ...HEADER, platform: { name: 'smmu' } },
    /"platform\.name" must be one of mock, .*, and is "smmu"/,
  ),
  badHeader(
    'an aperture that is no range',
    { ...HEADER, platform: { name: 'vtd', pageSizes: '0x1000', aperture: ['0x0'] } },
    /"platform\.aperture/,
  ),
  badHeader(
    'a page size that is no number',
    { ...HEADER, platform: { name: 'vtd', pageSizes: 4096, aperture: ['0x0', '0xffff'] } },
    /"platform\.pageSizes"/,
  ),
  badHeader(
    'a device without a group',
    {
      ...HEADER,
      platform: {
        name: 'vtd',
        pageSizes: '0x1000',
        aperture: ['0x0', '0xffff'],
        reserved: [],
        cacheCoherency: false,
        devices: [{ bdf: '0000:00:04.0' }],
      },
    },
    /"platform\.devices\[0\]\.group" is missing/,
  ),
];

const input = suite('bad input');

for (const { says, lines, line, message } of BAD) {
  input(says, () => {
    const { calls, error } = judged(lines);
    assert.instance(error, BadInput);
    const { file, line: at, message: text } = error as BadInput;
    assert.is(file, FILE);
    assert.is(at, line);
    assert.match(text, message);
    assert.ok(text.startsWith(`${FILE}:${line}: `), text);
    assert.is(text.split('\n').length, 1);
    assert.is(calls, Math.max(0, line - 2), 'the lines before it are judged');
  });
}

const JUDGING: JudgeOptions = {
  verbosity: 'brief',
  signal: new AbortController().signal,
  onProgress: () => {},
};

input('a file with any of these is judged up to there', () =>
  inFolder(async (folder) => {
    for (const [index, { says, lines, line, message }] of BAD.entries()) {
      const path = join(folder, `${index}.jsonl`);
      writeFileSync(path, lines.join('\n'));
      const { badInput = '', counts } = await judgeFile(path, JUDGING);
      assert.ok(badInput.startsWith(`${path}:${line}: `), `${says}: ${badInput}`);
      assert.match(badInput, message);
      const judgedBefore = Object.values(counts).reduce((sum, count) => sum + count, 0);
      assert.is(judgedBefore, Math.max(0, line - 2), says);
    }
  }),
);

input('a recording that is cut is judged, and its cut is reported', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'cut.jsonl');
    for (const [lines, message] of [
      [[OPEN, END], undefined],
      [[OPEN], /^.*:2: the recording is cut short: its last line is missing$/],
      [
        [OPEN, { ...END, cut: 'full\u001b' }],
        /^.*:3: the recording ends here, before the program did: "full\\u001b"$/,
      ],
      [[OPEN, END, IOCTL], /^.*:4: there is a line after the last one of the recording$/],
    ] as const) {
      writeFileSync(path, linesWith(ENDED, ...lines).join('\n'));
      const { badInput, counts } = await judgeFile(path, JUDGING);
      assert.is(counts.conforms, 1);
      if (message === undefined) assert.is(badInput, undefined);
      else assert.match(badInput ?? '', message);
    }
  }),
);

input('a recording as it should be is no error', () => {
  assert.equal(judged(linesWith(HEADER, OPEN, IOCTL)), { calls: 2, error: undefined });
});

input('no JSON of any kind does anything but give a call or an error', () => {
  const values = [
    null,
    true,
    0,
    '',
    'x',
    [],
    {},
    { call: 'ioctl' },
    { __proto__: { call: 'open' } },
  ];
  for (const value of values) {
    assert.throws(
      () => parseCall(FILE, 2, JSON.stringify(value)),
      (error: unknown) => error instanceof BadInput,
    );
    assert.throws(
      () => parseHeader(FILE, JSON.stringify(value)),
      (error: unknown) => error instanceof BadInput,
    );
  }
});

const inFolder = async (check: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'properties-'));
  try {
    await check(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const failure = async (path: string): Promise<string> => {
  try {
    await readLines(path);
    return '';
  } catch (error) {
    assert.instance(error, BadInput);
    return (error as Error).message;
  }
};

input('a file that is not there, a folder, and compressed data that ends early', () =>
  inFolder(async (folder) => {
    assert.match(await failure(join(folder, 'none.jsonl')), /no such file$/);
    assert.match(await failure(folder), /not a file$/);
    const compressed = gzipSync(linesWith(HEADER, OPEN, ...Array(200).fill(IOCTL)).join('\n'));
    const path = join(folder, 'cut.jsonl.gz');
    writeFileSync(path, compressed.subarray(0, compressed.length - 20));
    assert.match(await failure(path), /the compressed data ends early$/);
  }),
);

input('lines are the same plain and compressed, with and without a last line end', () =>
  inFolder(async (folder) => {
    const lines = linesWith(HEADER, OPEN, ...Array(5000).fill(IOCTL));
    for (const [name, bytes] of [
      ['plain.jsonl', Buffer.from(lines.join('\n'))],
      ['ended.jsonl', Buffer.from(`${lines.join('\n')}\n`)],
      ['compressed.jsonl.gz', gzipSync(lines.join('\n'))],
    ] as const) {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      assert.is((await readLines(path)).join('\n'), lines.join('\n'), name);
    }
  }),
);

input.run();
