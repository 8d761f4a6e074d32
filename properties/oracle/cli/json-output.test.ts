// SPDX-License-Identifier: MIT
// docs/json-output.md describes what --json prints: the output of the verbs is compared with its
// tables, field by field and type by type. For long searches the same functions print what is
// recorded.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { documentOf } from '../../../oracle/audit/pages/audit-document.ts';
import { changesDocumentOf } from '../../../oracle/audit/pages/changes.ts';
import { recordOf } from '../../../oracle/audit/record.ts';
import { auditOf } from '../../../oracle/audit/recorded.ts';
import { judgeProgram } from '../../../oracle/check/judge-program.ts';
import type { Counterexample } from '../../../oracle/check/report.ts';
import { audited } from '../../../oracle/cli/audit-output.ts';
import { counterexampleJson } from '../../../oracle/cli/counterexample-json.ts';
import { saveTrace, traceOf } from '../../../oracle/cli/save-trace.ts';
import { jsonLine } from '../../../oracle/trace/json-line.ts';
import { SHOWN_DEFECTS } from '../../defects/shown-defects.ts';
import { runHere } from '../../harness/command-line.ts';

const DOCUMENT = 'docs/json-output.md';

type Row = { readonly optional: boolean; readonly type: string };
type Table = ReadonlyMap<string, Row>;

/** "[hidden difference](#hidden-difference)" refers to the table of that name. */
const plainType = (cell: string): string => cell.trim().replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');

/** The table of each heading, by the heading's text. */
const readTables = (text: string): ReadonlyMap<string, Table> => {
  const tables = new Map<string, Map<string, Row>>();
  let rows = new Map<string, Row>();
  for (const line of text.split('\n')) {
    const heading = /^## (.*)$/.exec(line)?.[1];
    if (heading !== undefined) {
      rows = new Map();
      tables.set(heading, rows);
    }
    const [, name, mark, type] = /^\| `(\w+)(\?)?` \| ([^|]*) \|/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) {
      rows.set(name, { optional: mark === '?', type: plainType(type) });
    }
    if (line.startsWith('| others |')) rows.set('*', { optional: true, type: 'any' });
  }
  return tables;
};

const TABLES = readTables(readFileSync(DOCUMENT, 'utf8'));

/** Fields that occurred in some output, as "table.field". */
const seen = new Set<string>();

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const SIMPLE: Readonly<Record<string, (value: unknown) => boolean>> = {
  any: () => true,
  text: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  flag: (value) => typeof value === 'boolean',
  hex: (value) => typeof value === 'string' && /^-?0x[0-9a-f]+$/.test(value),
};

/** Where the value differs from its type; each with its position. */
const objections = (value: unknown, type: string, place: string): readonly string[] => {
  const either = type.split(' or ');
  if (either.length > 1) {
    const all = either.map((one) => objections(value, one, place));
    return all.some((found) => found.length === 0) ? [] : (all[0] ?? []);
  }
  const [, element] = /^list of (.*)$/.exec(type) ?? [];
  if (element !== undefined) {
    return Array.isArray(value)
      ? value.flatMap((one, index) => objections(one, element, `${place}[${index}]`))
      : [`${place} is no list`];
  }
  const [, member] = /^map of (.*)$/.exec(type) ?? [];
  if (member !== undefined) {
    return isObject(value)
      ? Object.entries(value).flatMap(([name, one]) => objections(one, member, `${place}.${name}`))
      : [`${place} is no object`];
  }
  const simple = SIMPLE[type];
  if (simple !== undefined) return simple(value) ? [] : [`${place} is no ${type}`];
  const table = TABLES.get(type);
  if (table === undefined) return [`${place}: there is no table "${type}"`];
  if (!isObject(value)) return [`${place} is no object`];
  return [
    ...[...table].flatMap(([name, { optional }]) =>
      optional || name in value ? [] : [`${place}.${name} is missing`],
    ),
    ...Object.entries(value).flatMap(([name, one]) => {
      const row = table.get(name) ?? table.get('*');
      seen.add(`${type}.${name}`);
      return row === undefined
        ? [`${place}.${name} is not documented`]
        : objections(one, row.type, `${place}.${name}`);
    }),
  ];
};

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-'));
const VIOLATIONS = resolve('properties', 'fixtures', 'violations');
const CLOSED_LOG = resolve('properties', 'fixtures', 'strace', 'closed.log');

/** The lines of JSON that a verb prints. */
const printed = async (...words: readonly string[]): Promise<readonly unknown[]> => {
  const { out, error } = await runHere(FOLDER, ...words);
  const lines = out.split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw new Error(`${words.join(' ')}: ${error}`);
  return lines.map((line) => JSON.parse(line) as unknown);
};

const conforms = (values: readonly unknown[], type: string): void => {
  assert.equal(
    values.flatMap((value, index) => objections(value, type, `${type}[${index}]`)),
    [],
  );
};

const asPrinted = (value: unknown): unknown => JSON.parse(jsonLine(value));

const found = (): readonly Counterexample[] =>
  SHOWN_DEFECTS.flatMap(({ defect: name, setting, program }) => {
    const { steps, failure } = judgeProgram(setting, program, new Set([name]));
    return failure === undefined ? [] : [{ setting, program, steps, failure }];
  });

const json = suite('JSON output');

json.after(() => rmSync(FOLDER, { recursive: true }));

json('what counterexamples are printed as', () => {
  const all = found();
  assert.ok(all.length > 70, `${all.length}`);
  for (const verbosity of ['brief', 'full'] as const) {
    conforms(
      all.map((one) => asPrinted(counterexampleJson(one, verbosity))),
      'counterexample',
    );
  }
  const [first] = all;
  if (first === undefined) throw new Error('There is no counterexample.');
  const lines = ['WARNING: CPU: 0 PID: 1 at mm/gup.c:1'];
  const rest = [
    { ...first, failure: { kind: 'complaint', lines } as const },
    { ...first, failure: { kind: 'death', said: 'The machine ended.' } as const },
  ];
  conforms(
    rest.map((one) => asPrinted(counterexampleJson(one, 'brief'))),
    'counterexample',
  );
});

json('judge, replay, shrink and emit', async () => {
  const hidden = found().find(({ failure }) => failure.kind === 'hidden');
  const reply = found().find(({ failure }) => failure.kind === 'reply');
  if (hidden === undefined || reply === undefined) throw new Error('Nothing is shown.');
  const [hiddenFile, replyFile] = [join(FOLDER, 'hidden.jsonl'), join(FOLDER, 'reply.jsonl')];
  await saveTrace(hiddenFile, traceOf(hidden, undefined, ['second-domain-not-unmapped']));
  await saveTrace(replyFile, traceOf(reply, undefined, ['wrong-errno-on-overlap']));
  const files = [
    'unmap-cuts-area',
    'chosen-iova-overlaps',
    'get-info-cap-offset',
    'memlock-that-was-enough',
  ].map((name) => join(VIOLATIONS, `${name}.jsonl`));
  const [judged, replayed, without, shrunk, notShown, emitted] = await Promise.all([
    printed('judge', '--json', ...files, hiddenFile, CLOSED_LOG, join(FOLDER, 'none.jsonl')),
    printed('replay', '--json', hiddenFile, replyFile),
    printed('replay', '--json', '--defect', 'none', replyFile),
    printed('shrink', '--json', replyFile),
    printed('shrink', '--json', '--save', 'not-shown.jsonl', files[0] ?? ''),
    printed('emit', '--json', replyFile),
  ]);
  conforms(judged, 'judge');
  conforms([...replayed, ...without], 'replay');
  conforms([...shrunk, ...notShown], 'shrink');
  conforms(emitted, 'emit');
  // An operation is what it is in the trace.
  const [one] = shrunk as readonly { readonly program: readonly unknown[] }[];
  const saved = readFileSync(join(FOLDER, 'shrunk.jsonl'), 'utf8').trim().split('\n');
  const operations = saved
    .slice(1, -1)
    .map((line) => (JSON.parse(line) as { readonly operation: unknown }).operation);
  assert.equal(one?.program, operations);
});

json('check and merge', async () => {
  const of = ['--json', '--release', '7.3.4', '--platform', 'mock', '--seed', '2'];
  const shard = (part: number): Promise<readonly unknown[]> =>
    printed('check', ...of, '--runs', '100', '--shard', `${part}/2`, '--report', `${part}.json`);
  const [whole, ...parts] = await Promise.all([
    printed('check', ...of, '--runs', '20', '--cover'),
    shard(1),
    shard(2),
  ]);
  conforms([...whole, ...parts.flat()], 'check');
  const merged = await Promise.all([
    printed('merge', '--json', '1.json', '2.json', '--cover'),
    printed('merge', '--json', '1.json'),
  ]);
  conforms(merged.flat(), 'merge');
});

json('explore, and merge of explorations', async () => {
  const part = (one: number): Promise<readonly unknown[]> =>
    printed(
      'explore',
      ...['--json', '--actions', 'compat', '--release', '7.3.4', '--depth', '3'],
      ...['--shard', `${one}/2`, '--save', `${one}.bin`],
    );
  conforms((await Promise.all([part(1), part(2)])).flat(), 'explore');
  conforms(await printed('merge', '--json', '1.bin', '2.bin'), 'merge of explorations');
});

json('rules', async () => {
  for (const rules of await printed('rules', '--json')) {
    conforms(rules as readonly unknown[], 'rules');
  }
});

json('explain', async () => {
  const line =
    'QEMU: vfio_dma_map(0x1, 0xfee00000, 0x1000, 0x7f0000000000) = -22 (Invalid argument)';
  conforms(await printed('explain', '--json', line), 'explain');
  conforms(await printed('explain', '--json', 'VFIO_IOMMU_MAP_DMA', 'EFAULT'), 'explain');
});

json('audit, of what is recorded', () => {
  const file = 'docs/audit/7.3.4.jsonl';
  const recorded = auditOf(file, recordOf(file, readFileSync(file, 'utf8')));
  const { signal } = new AbortController();
  const audit = documentOf(recorded, new Map());
  const both = [audited(audit, signal), audited(audit, AbortSignal.abort())];
  conforms(both.map(asPrinted), 'audit');
  // The same causes, as if they lay between releases.
  const { searched, random, rows } = recorded;
  const found = rows.flatMap(({ causes }) => causes);
  const searches = { searched, ...(random === undefined ? {} : { random }) };
  const changes = changesDocumentOf({
    earlier: '6.12.95',
    later: '7.3.4',
    containers: [{ ...searches, side: 'legacy', found }],
  });
  conforms([asPrinted(audited(changes, AbortSignal.abort()))], 'audit --between');
});

/** What no output above has: only a kernel's, a broken law's, or what no program here shows. */
const NOT_SHOWN = [
  'accepted call.line',
  'accepted call.notJudged',
  'charged.limit',
  'check.counterexample',
  'check.saved',
  'exploration.broken',
  'explore.saved',
  'judge.recordedFault',
  'legacy container.untracked',
  'map line.count',
  'merge.saved',
  'merge of explorations.saved',
];

json('everything documented is printed by some verb', () => {
  const documented = [...TABLES].flatMap(([table, rows]) =>
    [...rows.keys()].filter((name) => name !== '*').map((name) => `${table}.${name}`),
  );
  const never = documented.filter((field) => !seen.has(field));
  assert.equal(
    never.filter((field) => !NOT_SHOWN.includes(field)),
    [],
  );
});

json.run();
