// SPDX-License-Identifier: MIT
// No string of a file acts on what displays it: files whose every text is hostile go through each
// verb that reads them, and the output, printed or written, has no control sequence, no forged line
// and no markup of theirs.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emissionOf } from '../../../oracle/emit/emission.ts';
import { emissionText } from '../../../oracle/emit/text.ts';
import { CheckedFile, withChecksum } from '../../../oracle/files/checksum.ts';
import { LIST } from '../../../oracle/files/output-folder.ts';
import { traceLines } from '../../../oracle/trace/trace-file.ts';
import { type Finished, runHere } from '../../harness/command-line.ts';
import { namedTraces } from '../../harness/emissions.ts';
import { FIXTURES } from '../../harness/recordings.ts';

const MAIN = resolve('dist', 'oracle', 'cli', 'main.js');
const RECORDING = '7.3.4-selftest.vfio_compat_mock_domain.Ver1v0.map.jsonl.gz';

const FORGED = 'FORGED';
const PIECES = [
  '\u001b[31m\u001b]0;title\u0007\r\n',
  `${FORGED} no violation\n\u009b2J\u202e\u2028\u200b\u007f`,
  '*/ ??/ `|<script>"</title>',
];
const HOSTILE = PIECES.join('');

const folder = mkdtempSync(join(tmpdir(), 'properties-'));

const run = (args: readonly string[]): Promise<Finished> => runHere(folder, ...args);

/** In a process of its own, which colours what it prints. */
const runColoured = (args: readonly string[]): Promise<Finished> =>
  new Promise((done) => {
    const { NO_COLOR: _, ...env } = process.env;
    const child = execFile(
      process.execPath,
      [MAIN, ...args],
      { cwd: folder, env: { ...env, FORCE_COLOR: '1' }, maxBuffer: 1 << 26 },
      (_error, out, error) => done({ status: child.exitCode ?? -1, out, error }),
    );
  });

const ACTIVE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** What is wrong with an output text; undefined if nothing is. */
const objection = (text: string): string | undefined => {
  const found = (text.match(ACTIVE) ?? []).filter((one) => one !== '\n' && one !== '\t');
  if (found.length > 0) return `it holds ${JSON.stringify(found.slice(0, 3))}`;
  const forged = text.split('\n').find((line) => line.startsWith(FORGED));
  return forged === undefined ? undefined : `a line is forged: ${forged}`;
};

/** Characters of the output in a message. */
const SHOWN = 1500;

const SEEN = '\\x1b[31m\\x1b]0;title\\x07';

/** Runs the verb and checks what it prints. `shows`: the text must appear, escaped. */
const isClean = async (
  shows: boolean,
  statuses: readonly number[],
  ...args: readonly string[]
): Promise<Finished> => {
  const finished = await run(args);
  const { status, out, error } = finished;
  const what = `${JSON.stringify(args)}: ${`${out}${error}`.slice(0, SHOWN)}`;
  assert.ok(statuses.includes(status), `status ${status}: ${what}`);
  assert.is(objection(out) ?? objection(error), undefined, what);
  const isJson = args.includes('--json');
  if (shows && !isJson) assert.ok(`${out}${error}`.includes(SEEN), what);
  if (isJson && status !== 2) for (const line of out.trim().split('\n')) JSON.parse(line);
  return finished;
};

type Json = { readonly [name: string]: unknown };

/** Replaces every text of the value for which the test holds with a hostile one. */
const hostile = (
  value: unknown,
  isText: (name: string, text: string) => boolean,
  name = '',
): unknown => {
  if (typeof value === 'string') return isText(name, value) ? `${value}${HOSTILE}` : value;
  if (Array.isArray(value)) return value.map((one) => hostile(one, isText, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, hostile(one, isText, key)] as const),
  );
};

const saved = (name: string, lines: readonly unknown[]): string => {
  writeFileSync(join(folder, name), `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
  return name;
};

const violation = (): readonly Json[] => {
  const found = namedTraces().find(({ trace }) => trace.failure?.kind === 'reply');
  if (found === undefined) throw new Error('No trace has a violation.');
  return [...traceLines(found.trace)].map((line) => JSON.parse(line) as Json);
};

/** Fields that can have any text; not paths, which identify files. */
const NAMES = new Set(['name', 'label', 'from', 'subject', 'rule']);
const TRACE = violation();

const strings = suite('strings of files');

strings.after(() => rmSync(folder, { recursive: true }));

const NAMED = saved(
  'named.jsonl',
  TRACE.map((line) => hostile(line, (name) => NAMES.has(name))),
);
const PATH = saved(
  'path.jsonl',
  TRACE.map((line) => hostile(line, (name) => name === 'path')),
);

/** Each with a text that a message about it quotes. */
const badTraces = (): readonly string[] => {
  const [header, first] = TRACE as [Json, Json];
  const bad: readonly (readonly unknown[])[] = [
    [{ ...header, release: HOSTILE }],
    [{ ...header, [HOSTILE]: 1 }],
    [{ ...header, version: HOSTILE }],
    [header, hostile(first, (name) => name === 'op')],
    [header, { operation: { op: HOSTILE } }],
    [header, HOSTILE],
  ];
  writeFileSync(join(folder, 'no-json.jsonl'), `{${HOSTILE}`);
  return [...bad.map((lines, index) => saved(`bad-${index}.jsonl`, lines)), 'no-json.jsonl'];
};

const recordings = (): readonly string[] => {
  const text = gunzipSync(readFileSync(resolve(FIXTURES, RECORDING))).toString();
  const [header, ...calls] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);
  return [
    saved('path-recording.jsonl', [
      { ...header, program: HOSTILE },
      ...calls.map((call) => hostile(call, (name) => name === 'path')),
    ]),
    saved('platform-recording.jsonl', [{ ...header, platform: { name: HOSTILE } }, ...calls]),
    saved('call-recording.jsonl', [header, ...calls.slice(0, 1), { call: HOSTILE }]),
  ];
};

strings('of traces and recordings, and names of files, by judge', async () => {
  const name = saved(`${PIECES[0]}${FORGED}.jsonl`, TRACE);
  const bad = [...badTraces(), ...recordings(), `not${name}`];
  const { out, error } = await isClean(true, [2], 'judge', '-v', NAMED, PATH, name, ...bad);
  assert.ok(out.includes(SEEN) && error.includes(SEEN));
  await isClean(true, [2], 'judge', '--json', NAMED, PATH, name, ...bad);
});

strings('of traces, by other verbs, whose colours are ours', async () => {
  const { out, error } = await runColoured(['replay', '-v', NAMED]);
  assert.ok(out.includes('\u001b[1m'));
  const ours = [1, 2, 22, 31, 32, 33, 36, 39].map((number) => `\u001b[${number}m`);
  const plain = ours.reduce((rest, colour) => rest.replaceAll(colour, ''), `${out}${error}`);
  assert.is(objection(plain), undefined, plain.slice(0, SHOWN));
  assert.ok(plain.includes(SEEN));
  await isClean(true, [0, 1], 'replay', '--json', NAMED, PATH);
  await isClean(false, [0, 1], 'shrink', '--save', 'shrunk.jsonl', NAMED);
  assert.is(objection(readFileSync(join(folder, 'shrunk.jsonl'), 'utf8')), undefined);
});

strings('of traces, by emit', async () => {
  const { out } = await isClean(true, [0], 'emit', NAMED);
  assert.match(out, /^[\t\n\x20-\x7e]*$/);
  const { error } = await isClean(true, [2], 'emit', PATH);
  assert.match(error, /path\.jsonl:2: /, 'the line that is refused');
  await isClean(true, [0], 'emit', '--json', '--as', 'text', NAMED);
});

strings('of what a kernel said, in the text of a trace', () => {
  const [{ trace } = { trace: undefined }] = namedTraces();
  if (trace === undefined) throw new Error('There are no traces.');
  for (const failure of [
    { kind: 'complaint', lines: [HOSTILE] },
    { kind: 'death', said: `${HOSTILE}\n${HOSTILE}` },
  ] as const) {
    const text = emissionText(emissionOf({ ...trace, failure }));
    assert.is(objection(text), undefined, text);
    assert.ok(text.includes(SEEN.slice(0, 8)));
  }
});

strings('that are words of the command line', async () => {
  await isClean(true, [2], 'rules', HOSTILE);
  await isClean(false, [2], 'judge', '--\u001b[31m\u009b2J\u202e');
});

strings('of reports of checks, and the pages that are made of them', async () => {
  const check = 'check --runs 20 --seed 3 --platform mock --release 7.3.4 --report report.json';
  await run(check.split(' '));
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Json;
  const [campaign] = report.campaigns as readonly Json[];
  const [[first, count] = ['', 0], ...others] = Object.entries(campaign?.rules as Json);
  assert.is.not(first, '');
  const changed: Json = {
    ...(hostile(report, (name) => ['subject', 'paths', 'defects'].includes(name)) as Json),
    campaigns: [
      {
        ...(hostile(campaign, (name) => name === 'name') as Json),
        rules: { ...Object.fromEntries(others), [`${first}${HOSTILE}`]: count },
        knownComplaints: { [HOSTILE]: 2 },
        failing: 1,
        at: { batch: 0, index: 0 },
        trace: TRACE.map((line) => JSON.stringify(hostile(line, (name) => NAMES.has(name)))),
      },
    ],
  };
  writeFileSync(join(folder, 'hostile.json'), JSON.stringify(changed));
  await isClean(true, [1, 2], 'merge', '-v', '--cover', '--', 'hostile.json');
  const pages = ['--cover', 'cover.html', '--report', 'whole.json'];
  await isClean(false, [1, 2], 'merge', '--json', ...pages, 'hostile.json');
  for (const page of ['cover.html', 'whole.json']) {
    const text = readFileSync(join(folder, page), 'utf8');
    assert.is(objection(text), undefined, page);
    if (page === 'cover.html') assert.not.ok(text.includes('<script>'));
  }
  const asked = { ...(report.asked as Json), paths: HOSTILE };
  writeFileSync(join(folder, 'other.json'), JSON.stringify({ ...report, asked }));
  await isClean(false, [2], 'merge', 'report.json', 'other.json');
});

strings('of explorations', async () => {
  const explore = 'explore --actions native --release 7.3.4 --depth 2 --save saved.bin';
  await run(explore.split(' '));
  const bytes = readFileSync(join(folder, 'saved.bin'));
  const end = bytes.indexOf('\n');
  const checked = new CheckedFile(join(folder, 'saved.bin'));
  const rest = bytes.subarray(end + 1, checked.length);
  checked.close();
  const header = JSON.parse(bytes.subarray(0, end).toString()) as Json;
  const broken = { law: HOSTILE, how: HOSTILE, trace: TRACE.map((line) => JSON.stringify(line)) };
  const headers: readonly Json[] = [
    { ...header, actionSet: HOSTILE },
    { ...(hostile(header, (name) => name === 'name') as Json), broken },
  ];
  for (const [index, changed] of headers.entries()) {
    const name = `saved-${index}.bin`;
    const text = Buffer.from(`${JSON.stringify(changed)}\n`);
    writeFileSync(join(folder, name), Buffer.concat([...withChecksum([text, rest])]));
    await isClean(true, [0, 1, 2], 'merge', '-v', name);
  }
});

strings('of records of audits, and the pages that are made of them', async () => {
  const record = readFileSync(resolve('docs', 'audit', '7.3.4.jsonl'), 'utf8');
  const [header, search, found] = record.split('\n');
  const searched = [{ platform: HOSTILE, states: 1, requests: 1, undecided: 0 }];
  const changed = JSON.stringify({ ...(JSON.parse(search ?? '') as Json), searched });
  mkdirSync(join(folder, 'audit'));
  writeFileSync(join(folder, 'audit', LIST), '7.3.4.jsonl\n');
  writeFileSync(join(folder, 'audit', '7.3.4.jsonl'), `${[header, changed, found].join('\n')}\n`);
  await isClean(false, [0], 'audit', '--render', '--output', 'audit');
  for (const form of ['md', 'html']) {
    const page = readFileSync(join(folder, 'audit', `7.3.4.${form}`), 'utf8');
    assert.is(objection(page), undefined, form);
    assert.not.match(page, /(?<!\\)<script>"/);
  }
});

strings.run();
