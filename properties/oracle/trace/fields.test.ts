// SPDX-License-Identifier: MIT
// Every field of every format has a type and a range: a value of another type or beyond the range
// is refused with the field's name. The documents of the formats name the same fields.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { campaignFileOf } from '../../../oracle/check/campaign-json.ts';
import { BadInput } from '../../../oracle/trace/bad-input.ts';
import {
  BYTES_MAX,
  DEVICES_MAX,
  IOMMUS_MAX,
  MAPPINGS_MAX,
  POINTED_MAX,
  RESERVED_MAX,
  SEGMENTS_MAX,
  STRUCT_MAX,
  TEXT_MAX,
  TRANSFER_MAX,
  WORDS_MAX,
} from '../../../oracle/trace/limits.ts';
import { parseHeader } from '../../../oracle/trace/recording.ts';
import { RecordingReader } from '../../../oracle/trace/recording-reader.ts';
import { TraceReader } from '../../../oracle/trace/trace-file.ts';
import {
  RECORDED_LINES,
  RECORDING_HEADERS,
  REPORTS,
  TRACE_HEADERS,
  TRACED_LINES,
} from './examples.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type Path = readonly (string | number)[];

/** Every value within a value, with its path. */
function* within(value: Json, path: Path = []): Generator<readonly [Path, Json]> {
  yield [path, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    yield* within(part, [...path, Array.isArray(value) ? Number(name) : name]);
  }
}

/** The value with another one at the path; removed if that is undefined. */
const changed = (value: Json, [first, ...rest]: Path, other: Json | undefined): Json => {
  if (first === undefined) return other ?? null;
  const copy = structuredClone(value) as Record<string | number, Json | undefined>;
  if (rest.length > 0) copy[first] = changed(copy[first] ?? null, rest, other);
  else if (other !== undefined) copy[first] = other;
  else if (Array.isArray(copy)) copy.splice(Number(first), 1);
  else delete copy[first];
  return copy as Json;
};

type Refused = (line: Json) => BadInput | undefined;

const refusedBy =
  (read: (text: string) => void): Refused =>
  (line) => {
    try {
      read(JSON.stringify(line));
      return undefined;
    } catch (error) {
      assert.instance(error, BadInput, `${error instanceof Error ? error.stack : error}`);
      return error as BadInput;
    }
  };

const FILE = 'example.jsonl';
const HEADER = parseHeader(FILE, JSON.stringify(RECORDING_HEADERS[0]));

const readLine = (text: string): void => {
  const chunk = Buffer.from(text);
  const line = { number: 2, chunk, start: 0, end: chunk.length };
  new RecordingReader(FILE, HEADER).take(line);
};

const readTraced = (text: string): void => {
  const reader = new TraceReader(FILE);
  reader.take(JSON.stringify(TRACE_HEADERS[0]));
  reader.take(text);
};

const FORMATS = {
  'first line of a recording': {
    lines: RECORDING_HEADERS,
    refused: refusedBy((text) => parseHeader(FILE, text)),
  },
  'line of a recording': { lines: RECORDED_LINES, refused: refusedBy(readLine) },
  'first line of a trace': {
    lines: TRACE_HEADERS,
    refused: refusedBy((text) => new TraceReader(FILE).take(text)),
  },
  'line of a trace': { lines: TRACED_LINES, refused: refusedBy(readTraced) },
  'report of a check': {
    lines: REPORTS,
    refused: refusedBy((text) => campaignFileOf(FILE, text)),
  },
} as const;

type Format = keyof typeof FORMATS;

const hexBytes = (count: number): string => '00'.repeat(count);
const ZEROES = '0'.repeat(16);
const NO_U64: readonly Json[] = ['12', '0x', `0x1${ZEROES}`, '-0x1', '0xg'];
const NO_COUNT: readonly Json[] = [-1, 1.5, 2 ** 60];
const NO_PAGES: readonly Json[] = [...NO_U64, '0x800'];
const NO_TEXT: readonly Json[] = ['x'.repeat(TEXT_MAX + 1)];
const NO_I32: readonly Json[] = [-(2 ** 31) - 1, 2 ** 31, 0.5];
const NO_SIGNED: readonly Json[] = ['12', `0x1${ZEROES}`, '0x-1'];
const NO_WORD: readonly Json[] = ['', 'toString', '__proto__', 'constructor'];
const NO_RANGE: readonly Json[] = [[], ['0x1'], ['0x2', '0x1'], ['0x0', '0x1', '0x2'], ['0', '1']];
const moreThan = (most: number, item: Json): readonly Json[] => [Array(most + 1).fill(item)];
const NO_BYTES = (most: number): readonly Json[] => ['0', '0g', '0x00', hexBytes(most + 1)];
/** Fields for which every value of their type is right. */
const ANY: readonly Json[] = [];

const RANGE = ['0x0', '0x1'];

const SETTING: Readonly<Record<string, readonly Json[]>> = {
  release: [...NO_WORD, '6.1.9', 'v6.12', '6.12.96 ', '99999.1'],
  'platform.name': NO_TEXT,
  'platform.iommus': moreThan(IOMMUS_MAX, {
    pageSizes: '0x1000',
    aperture: RANGE,
    enforcesCacheCoherency: true,
  }),
  'platform.iommus.pageSizes': [...NO_U64, '0x0', '0x800'],
  'platform.iommus.aperture': NO_RANGE,
  'platform.iommus.enforcesCacheCoherency': ANY,
  'platform.iommus.driver': NO_WORD,
  'platform.devices': [
    ...moreThan(DEVICES_MAX, { name: 'a', group: 1, iommu: 'none', reserved: [] }),
    [1, 2].map((group) => ({ name: 'twice', group, iommu: 'none', reserved: [] })),
    ['a', 'b'].map((name) => ({ name, group: 1, cdev: 3, iommu: 'none', reserved: [] })),
  ],
  'platform.devices.name': NO_TEXT,
  'platform.devices.group': [...NO_COUNT, 2 ** 31],
  'platform.devices.cdev': [...NO_COUNT, 2 ** 31],
  'platform.devices.iommu': [...NO_COUNT, 'any', 1, IOMMUS_MAX],
  'platform.devices.reserved': moreThan(RESERVED_MAX, RANGE),
  'platform.devices.dmaEngine': [false],
  'platform.testCommands': ANY,
  'platform.mockDevices': ANY,
  'platform.noIommuConfigured': ANY,
  'platform.noIommuEnabled': ANY,
  'platform.unsafeInterrupts.type1': ANY,
  'platform.unsafeInterrupts.iommufd': ANY,
  'platform.groupsInUse': [[-1], [1.5], ...moreThan(DEVICES_MAX, 1)],
  'platform.memoryKinds': [['any'], ['huge', 'device', 'huge']],
  'platform.dmaEntryLimit': [...NO_COUNT, 2 ** 32],
  'credentials.privileged': ANY,
  'credentials.memlockLimit': NO_U64,
  'credentials.lockedBefore': [...NO_COUNT, 2 ** 41],
};

/** Values beyond the range of each field, by its path without list indexes. */
const BEYOND: Readonly<Record<Format, Readonly<Record<string, readonly Json[]>>>> = {
  'first line of a recording': {
    format: NO_WORD,
    version: [0, 4, 1.5],
    release: [...NO_WORD, '6.1.9', 'v6.12', '6.12.96 ', '99999.1'],
    arch: NO_WORD,
    pageSize: [0, 16384],
    privileged: ANY,
    program: ANY,
    exit: [-1, 256],
    'platform.name': NO_WORD,
    'platform.driver': NO_WORD,
    'platform.pageSizes': [...NO_U64, '0x0', '0x1'],
    'platform.aperture': NO_RANGE,
    'platform.reserved': [...moreThan(RESERVED_MAX, RANGE), [['0x2', '0x1']]],
    'platform.cacheCoherency': ANY,
    'platform.devices': [
      ...moreThan(DEVICES_MAX, { bdf: 'a', group: 1, iommu: 'none' }),
      [1, 2].map((group) => ({ bdf: 'twice', group })),
    ],
    'platform.devices.bdf': NO_TEXT,
    'platform.devices.group': [...NO_COUNT, 2 ** 31],
    'platform.devices.cdev': [...NO_COUNT, 2 ** 31],
    'platform.devices.iommu': [...NO_WORD, 'any'],
  },
  'line of a recording': {
    seq: NO_COUNT,
    pid: [...NO_COUNT, 0, 2 ** 22 + 1],
    tid: [...NO_COUNT, 0, 2 ** 22 + 1],
    fd: [...NO_COUNT, 2 ** 31],
    path: NO_TEXT,
    call: [...NO_WORD, 'ioctl_', 'read'],
    cmd: [...NO_U64, '0x100000000'],
    arg: NO_U64,
    in: NO_BYTES(STRUCT_MAX),
    out: [...NO_BYTES(STRUCT_MAX), '', '00', hexBytes(8)],
    'mem.addr': NO_U64,
    'mem.in': NO_BYTES(POINTED_MAX),
    memOut: [...NO_BYTES(POINTED_MAX), '', hexBytes(2)],
    vmas: [
      ...moreThan(MAPPINGS_MAX, { start: '0x0', end: '0x1000', perm: 'rw-p' }),
      [{ start: '0x2000', end: '0x1000', perm: 'rw-p' }],
      [{ start: '0x1000', end: '0x1000', perm: 'rw-p' }],
      [0, 1].map(() => ({ start: '0x1000', end: '0x2000', perm: 'rw-p' })),
    ],
    'vmas.start': [...NO_PAGES, '0x5000'],
    'vmas.end': [...NO_PAGES, '0x0'],
    'vmas.perm': ['', 'rw-', 'rw-px', 'wr-p', 'rw-P'],
    ret: [-2, 2 ** 31, 0.5],
    errno: [-1, 4096, 0.5],
    backing: [...NO_WORD, 'memfile'],
    file: [...NO_COUNT, 2 ** 28],
    size: NO_U64,
    offset: NO_U64,
    addr: [...NO_PAGES, '0x8000000000000000'],
    length: [...NO_PAGES, '0x8000000000000000'],
    perm: ['', 'rw', 'rw-', 'rw-p', 'rw-px', 'wr-p'],
    to: [...NO_PAGES, '0x8000000000000000'],
    toLength: [...NO_PAGES, '0x8000000000000000'],
    keeps: ANY,
    advice: [...NO_WORD, 'WILLNEED'],
    child: [...NO_COUNT, 0, 2 ** 22 + 1],
    from: [...NO_COUNT, 2 ** 31],
    exit: [-1, 256],
    lines: [...NO_COUNT, 1],
    cut: NO_TEXT,
  },
  'first line of a trace': {
    format: NO_WORD,
    version: [0, 2, 4],
    ...SETTING,
    arena: [...NO_PAGES, '0x0', '0x800000000000'],
    seed: [1.5, 2 ** 60],
    subject: NO_TEXT,
    defects: [[1], NO_TEXT],
  },
  'line of a trace': {
    'operation.op': [...NO_WORD, 'read'],
    'operation.label': NO_TEXT,
    'operation.path': NO_TEXT,
    'operation.fd': [...NO_SIGNED, {}, { arena: 1 }, { from: 'a' }, { from: 'a', out: 'b', c: 1 }],
    'operation.fd.from': NO_TEXT,
    'operation.fd.out': NO_TEXT,
    'operation.command': [...NO_U64, '0x100000000'],
    'operation.argument.kind': NO_WORD,
    'operation.argument.value': NO_SIGNED,
    'operation.argument.at': [...NO_SIGNED, {}],
    'operation.argument.at.arena': NO_SIGNED,
    'operation.argument.layout': [...NO_WORD, 'IOMMU_IOAS_ALOC'],
    'operation.argument.fields.size': [...NO_SIGNED, {}],
    'operation.argument.length': [...NO_COUNT, 13],
    'operation.argument.tail': NO_BYTES(BYTES_MAX),
    'operation.argument.also': moreThan(WORDS_MAX, { at: '0x0', words: [] }),
    'operation.argument.also.at': [...NO_SIGNED, {}],
    'operation.argument.also.at.arena': NO_SIGNED,
    'operation.argument.also.words': [['1'], ...moreThan(WORDS_MAX, '0x0')],
    'operation.argument.also.words.arena': NO_SIGNED,
    'operation.argument.hex': NO_BYTES(BYTES_MAX),
    'operation.length': ['12', 0, TRANSFER_MAX + 1, -1, '0x8000000000000000'],
    'operation.offset': ['12', '-0x800000000000000', '0xffffffffffffffff', '0x-1'],
    'operation.protection': NO_WORD,
    'operation.shared': ANY,
    'operation.backing.kind': NO_WORD,
    'operation.backing.fd': NO_SIGNED,
    'operation.backing.offset': NO_U64,
    'operation.hex': NO_BYTES(BYTES_MAX),
    'operation.direction': NO_WORD,
    'operation.iova': NO_SIGNED,
    'operation.look': ['12', '-0x8000000000000000', '0xffffffffffffffff'],
    'operation.field': [...NO_WORD, 'VmRSS'],
    'call.kind': [...NO_WORD, 'read'],
    'call.path': [...NO_TEXT, '/dev/other'],
    'call.fd': [...NO_I32, 5],
    'call.command': [...NO_U64, '0x100000000', '0x3b80'],
    'call.argument': [...NO_U64, '0x5'],
    'call.memory': [
      ...moreThan(SEGMENTS_MAX, { address: '0x0', bytes: '' }),
      [{ address: '0x1', bytes: '' }],
    ],
    'call.memory.address': [...NO_U64, '0x5'],
    'call.memory.bytes': [...NO_BYTES(BYTES_MAX), hexBytes(13)],
    'call.address': [...NO_U64, '0x5'],
    'call.length': ['0x5', 2, -1, '12'],
    'call.protection': [...NO_WORD, 'read'],
    'call.shared': ANY,
    'call.backing.kind': [...NO_WORD, 'huge'],
    'call.backing.fd': [...NO_I32, 5],
    'call.backing.offset': [...NO_U64, '0x5'],
    'call.direction': [...NO_WORD, 'read'],
    'call.iova': [...NO_U64, '0x5'],
    'call.field': [...NO_WORD, 'VmPin'],
    'observation.result': [-2, 2 ** 31, 0.5],
    'observation.errno': [-1, 4096, 0.5],
    'observation.memory': [[{ address: '0x5', bytes: '' }]],
    'observation.memory.address': [...NO_U64, '0x5'],
    'observation.memory.bytes': [...NO_BYTES(BYTES_MAX), hexBytes(13)],
    'failure.kind': [...NO_WORD, 'any'],
    'failure.allowed.rule': NO_TEXT,
    'failure.allowed.differences': [[1], [{}]],
    'failure.allowed.differences.in': NO_WORD,
    'failure.allowed.differences.expected': [...NO_TEXT],
    'failure.allowed.differences.observed': [...NO_TEXT],
    'failure.allowed.differences.address': NO_U64,
    'failure.allowed.differences.what': NO_TEXT,
    'failure.allowed.differences.value': NO_SIGNED,
    'failure.allowed.differences.why': NO_TEXT,
    'failure.differences.where': NO_TEXT,
    'failure.differences.expected': NO_TEXT,
    'failure.differences.observed': NO_TEXT,
    'failure.differences.at.fd': NO_I32,
    'failure.differences.at.hwpt': [...NO_COUNT, 2 ** 32],
    'failure.differences.at.iova': NO_U64,
    'failure.lines': [NO_TEXT],
    'failure.said': ANY,
    failure: ANY,
  },
  'report of a check': {
    format: NO_WORD,
    version: [0, 1, 3],
    'asked.subject': NO_TEXT,
    'asked.seed': [1.5, 2 ** 60],
    'asked.runs': NO_COUNT,
    'asked.seconds': NO_COUNT,
    'asked.length': NO_COUNT,
    'asked.paths': NO_TEXT,
    'asked.dma': NO_COUNT,
    'asked.guided': ANY,
    'asked.defects': [NO_TEXT],
    'shards.held': [[], [0], [4], [1, 1], [-1], [1.5]],
    'shards.of': [0, -1, 1.5, 1, 2_000_000_000],
    milliseconds: NO_COUNT,
    campaigns: [[1]],
    ...Object.fromEntries(
      Object.entries(SETTING).map(([name, wrong]) => [`campaigns.${name}`, wrong]),
    ),
    'campaigns.runs': [...NO_COUNT, 0],
    'campaigns.calls': [...NO_COUNT, 5],
    'campaigns.failing': [...NO_COUNT, 3],
    'campaigns.verdicts.conforms': [...NO_COUNT, 2],
    'campaigns.verdicts.deviation': [...NO_COUNT, 2],
    'campaigns.verdicts.unknown': [...NO_COUNT, 2],
    'campaigns.verdicts.unspecified': [...NO_COUNT, 3],
    'campaigns.verdicts.violation': [...NO_COUNT, 0],
    'campaigns.rules.a/rule': [...NO_COUNT, 3],
    'campaigns.knownComplaints.a': NO_COUNT,
    'campaigns.interrupted': ANY,
    'campaigns.shrinks': NO_COUNT,
    'campaigns.at.batch': NO_COUNT,
    'campaigns.at.index': NO_COUNT,
    'campaigns.trace': [[], ['{}'], ['x']],
  },
};

/** A field's path without list indexes. */
const plain = (path: Path): string => path.filter((part) => typeof part === 'string').join('.');

const isLeaf = (value: Json): boolean => typeof value !== 'object' || value === null;

const fields = suite('fields of formats');

fields('the examples are read', () => {
  for (const { lines, refused } of Object.values(FORMATS)) {
    for (const line of lines) assert.is(refused(line)?.message, undefined, JSON.stringify(line));
  }
});

fields('every field has a range, and there is an example of it', () => {
  for (const [format, { lines }] of Object.entries(FORMATS)) {
    const ranges = new Set(Object.keys(BEYOND[format as Format]));
    const shown = new Set<string>();
    for (const line of lines) {
      for (const [path, value] of within(line)) {
        shown.add(plain(path));
        // Elements are covered by their list.
        const isElement = typeof path.at(-1) === 'number';
        const hasRange = ranges.has(plain(path)) || isElement;
        assert.ok(!isLeaf(value) || hasRange, `${format}: ${plain(path)} has no range`);
      }
    }
    for (const name of ranges) assert.ok(shown.has(name), `${format}: no example has ${name}`);
  }
});

/** Positions of a field in a line. */
const placesOf = (line: Json, name: string): readonly Path[] =>
  [...within(line)].flatMap(([path]) =>
    plain(path) === name && typeof path.at(-1) === 'string' ? [path] : [],
  );

fields('what is beyond the range of a field is refused', () => {
  let tried = 0;
  for (const [format, { lines, refused }] of Object.entries(FORMATS)) {
    for (const [name, wrong] of Object.entries(BEYOND[format as Format])) {
      for (const value of wrong) {
        // "rw-" and "rw-p" are right on lines of different kinds.
        const isRight = lines.every((line) =>
          placesOf(line, name).every((path) => refused(changed(line, path, value)) === undefined),
        );
        assert.ok(!isRight, `${format}: ${name} may be ${JSON.stringify(value).slice(0, 80)}`);
        tried += 1;
      }
    }
  }
  assert.ok(tried > 600, `${tried}`);
});

const HOSTILE: Json = { toString: 1, valueOf: 1, length: 3 };
const PROTOTYPE: Json = JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":1}}');
const OTHERS: readonly Json[] = [null, true, 7, 'text', [], [[7]], {}, HOSTILE, PROTOTYPE];

const typeOf = (value: Json): string =>
  value === null ? 'nothing' : Array.isArray(value) ? 'list' : typeof value;

/** These may have several types. */
const SEVERAL = /(?:^|[.])(?:iommu|failure|fd|at|value|iova|words|fields[.]\w+)$/;

fields('a value of another type is refused', () => {
  let tried = 0;
  for (const [format, { lines, refused }] of Object.entries(FORMATS)) {
    for (const line of lines) {
      for (const [path, value] of within(line)) {
        if (path.length === 0 || SEVERAL.test(plain(path))) continue;
        for (const other of OTHERS.filter((one) => typeOf(one) !== typeOf(value))) {
          const error = refused(changed(line, path, other));
          const what = `${format}: ${plain(path)} may be ${JSON.stringify(other)}`;
          assert.ok(error !== undefined, what);
          assert.ok((error?.line ?? 0) > 0, what);
          tried += 1;
        }
      }
    }
  }
  assert.ok(tried > 3000, `${tried}`);
});

fields('whatever value a field has, nothing worse than an error results', () => {
  for (const { lines, refused } of Object.values(FORMATS)) {
    for (const line of lines) {
      for (const [path] of within(line)) {
        for (const other of OTHERS) refused(changed(line, path, other));
        refused(changed(line, path, undefined));
      }
    }
  }
});

/** Formats in which an unknown field is an error. */
const CLOSED: readonly Format[] = ['first line of a trace', 'line of a trace', 'report of a check'];

fields(
  'a field that a closed format does not have is refused, and means nothing in an open one',
  () => {
    for (const [format, { lines, refused }] of Object.entries(FORMATS)) {
      for (const line of lines) {
        for (const [path, value] of within(line)) {
          if (isLeaf(value) || Array.isArray(value)) continue;
          // Counts may have any names.
          if (/rules$|knownComplaints$/.test(plain(path))) continue;
          for (const name of ['other', 'toString', '__proto__', 'constructor']) {
            const more = JSON.parse(`{${JSON.stringify(name)}:1}`) as Json;
            const error = refused(changed(line, path, withAll(value, more)));
            const isClosed = CLOSED.includes(format as Format);
            assert.is(error !== undefined, isClosed, `${format}: ${plain(path)}.${name}`);
          }
        }
      }
    }
  },
);

const withAll = (value: Json, more: Json): Json => {
  const all = structuredClone(value);
  for (const [name, field] of Object.entries(more as object)) {
    Object.defineProperty(all, name, { value: field, enumerable: true });
  }
  return all;
};

/** Fields that the examples show and that may be absent. */
const OPTIONAL: Readonly<Record<Format, RegExp>> = {
  'first line of a recording': /^(program|exit|platform[.]driver|platform[.]devices[.]cdev)$/,
  'line of a recording': /^(tid|in|out|mem|memOut|vmas|backing|file|size|offset|cut)$/,
  'first line of a trace':
    /^(platform[.]iommus[.]driver|platform[.]devices[.](cdev|dmaEngine)|platform[.](noIommuEnabled|unsafeInterrupts|groupsInUse|memoryKinds|dmaEntryLimit)|credentials[.]lockedBefore|seed|subject|defects)$/,
  'line of a trace':
    /^(call|observation|operation[.]look|operation[.]argument[.](fields[.]size|length|tail|also)|failure[.]differences[.]at)$/,
  'report of a check':
    /^(asked[.](runs|seconds|dma)|shards|campaigns[.](platform[.]iommus[.]driver|platform[.]devices[.](cdev|dmaEngine)|platform[.](noIommuEnabled|unsafeInterrupts|groupsInUse|memoryKinds|dmaEntryLimit)|credentials[.]lockedBefore|at|trace|knownComplaints[.]a|rules[.]a.rule))$/,
};

fields('a field that is missing is missed, unless it may be absent', () => {
  for (const [format, { lines, refused }] of Object.entries(FORMATS)) {
    for (const line of lines) {
      for (const [path] of within(line)) {
        const name = plain(path);
        if (typeof path.at(-1) !== 'string' || OPTIONAL[format as Format].test(name)) continue;
        // The platform of a recording need not name a device's IOMMU.
        if (name === 'platform.devices.iommu' && 'platform' in line && 'aperture' in line.platform)
          continue;
        assert.ok(
          refused(changed(line, path, undefined)) !== undefined,
          `${format}: ${name} may be absent in ${JSON.stringify(line).slice(0, 120)}`,
        );
      }
    }
  }
});

const documented = (file: string): string => readFileSync(join('docs', file), 'utf8');

fields('the documents name every field', () => {
  const trace = documented('trace-format.md');
  const recording = documented('recording-format.md');
  for (const [format, { lines }] of Object.entries(FORMATS)) {
    if (format === 'report of a check') continue;
    const isTrace = format.endsWith('trace');
    for (const line of lines) {
      for (const [path] of within(line)) {
        const name = path.at(-1);
        if (typeof name !== 'string' || plain(path).includes('fields.')) continue;
        const isNamed = isTrace
          ? trace.includes(`"${name}":`) || trace.includes(`"${name}"?:`)
          : recording.includes(`\`${name}\``) || recording.includes(`"${name}"`);
        assert.ok(isNamed, `${format}: ${name} is not documented`);
      }
    }
  }
});

fields('a name that is nearly one of them is answered with it', () => {
  const said = (format: Format, index: number, path: Path, value: Json): string => {
    const line = FORMATS[format].lines[index] as Json;
    return FORMATS[format].refused(changed(line, path, value))?.message ?? '';
  };
  assert.match(said('line of a recording', 0, ['call'], 'opn'), /did you mean "open"\?$/);
  assert.match(
    said('line of a trace', 2, ['operation', 'argument', 'layout'], 'IOMMU_IOAS_ALOC'),
    /did you mean "IOMMU_IOAS_ALLOC"\?$/,
  );
  assert.match(
    said('line of a trace', 2, ['operation', 'argument', 'fields'], { siez: '0x1' }),
    /"operation\.argument\.fields\.siez" is no field of this format; did you mean "size"\?$/,
  );
  assert.not.match(said('line of a recording', 0, ['call'], 'xyz'), /did you mean/);
});

fields.run();
