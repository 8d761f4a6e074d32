// SPDX-License-Identifier: MIT
// The grammar of syzkaller programs: each of its forms once, and texts that are not in it.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCall } from '../../../oracle/syz/parse-call.ts';
import { isSyzLine } from '../../../oracle/syz/recognise.ts';
import type { SyzArgument } from '../../../oracle/syz/tree.ts';
import { BadInput } from '../../../oracle/trace/bad-input.ts';

/** The argument of a call that has one. */
const argument = (text: string): SyzArgument => {
  const [only] = parseCall('a.syz', 1, `call(${text})`)?.arguments ?? [];
  if (only === undefined) throw new Error('The call has no argument.');
  return only;
};

const bytes = (text: string): string => {
  const data = argument(text);
  if (data.kind !== 'data') throw new Error('This is no string.');
  return Buffer.from(data.bytes).toString('hex');
};

const whatIsWrong = (text: string): string => {
  try {
    parseCall('a.syz', 7, text);
  } catch (error) {
    if (error instanceof BadInput) return error.message;
    throw error;
  }
  throw new Error(`This is a call: ${text}`);
};

const test = suite('a line of a syzkaller program');

test('numbers have any base of Go, up to 64 bits', () => {
  for (const [text, value] of [
    ['0x1f', 31n],
    ['0XFF', 255n],
    ['017', 15n],
    ['0o17', 15n],
    ['0b11', 3n],
    ['42', 42n],
    ['0xffffffffffffffff', (1n << 64n) - 1n],
  ] as const) {
    assert.equal(argument(text), { kind: 'number', column: 6, value });
  }
  assert.match(whatIsWrong('f(0x10000000000000000)'), /has more than 64 bits, at character 3$/);
  assert.match(whatIsWrong('f(0xg)'), /"0xg" is not a number, at character 3$/);
});

test('strings are text with escapes or hexadecimal digits, and may have a length', () => {
  assert.is(bytes(String.raw`'/dev/iommu\x00'`), '2f6465762f696f6d6d7500');
  assert.is(bytes(String.raw`'\a\b\t\n\v\f\r\"\'\\'`), '0708090a0b0c0d22275c');
  assert.is(bytes("'# ( ) { } '"), '232028202920' + '7b207d20');
  assert.is(bytes('"0c00ff"'), '0c00ff');
  assert.equal(argument('""/28'), {
    kind: 'data',
    column: 6,
    bytes: new Uint8Array(),
    length: 28n,
    isPacked: false,
  });
  assert.match(whatIsWrong("f('a"), /the line ends within a string/);
  assert.match(whatIsWrong(String.raw`f('\q')`), /"\\q" is no escape of a string/);
  assert.match(whatIsWrong('f("abc")'), /two a byte/);
});

test('pointers have an address or none, memory and content', () => {
  const at = argument('&(0x7f0000000040/0x1000)=nil');
  assert.is(at.kind === 'pointer' && at.address, 0x7f0000000040n);
  assert.is(at.kind === 'pointer' && at.length, 0x1000n);
  const open = argument('&AUTO={0xc, AUTO}');
  assert.is(open.kind === 'pointer' && open.address, undefined);
  assert.is(open.kind === 'pointer' && open.content?.kind, 'struct');
  const any = argument('&(0x7f0000000000)=ANY=[@ANYBLOB="0c00", @ANYRES32=r1]');
  assert.ok(any.kind === 'pointer' && any.isAny && any.content?.kind === 'array');
});

test('results are given by calls and fields, and used with "/" and "+"', () => {
  assert.is(parseCall('a.syz', 1, 'r0 = f()')?.result, 'r0');
  const named = argument('<r1=>0x0');
  assert.is(named.kind === 'named' && named.name, 'r1');
  assert.equal(argument('r1/2+0x8'), {
    kind: 'result',
    column: 6,
    name: 'r1',
    divisor: 2n,
    increment: 8n,
  });
});

test('unions, arrays and structs are within each other', () => {
  const tree = argument('{0x1, [@a, @b={r1, nil}], {}}');
  assert.is(tree.kind === 'struct' && tree.fields.length, 3);
  assert.match(whatIsWrong(`f(${'{'.repeat(80)}`), /more than 64 within each other/);
  assert.match(whatIsWrong('f({0x1 0x2})'), /"," is missing, at character 8$/);
});

test('properties follow the call, and comments follow all', () => {
  const call = parseCall('a.syz', 3, 'f(0x1) (async, fail_nth: 3, rerun: 0x10) # why');
  assert.equal(call?.properties, { isAsync: true, failNth: 3, rerun: 16 });
  assert.is(call?.line, 3);
  assert.is(parseCall('a.syz', 1, '  # r0 = f()'), undefined);
  assert.is(parseCall('a.syz', 1, '\t \r'), undefined);
  assert.match(whatIsWrong('f() (slow)'), /async, fail_nth and rerun, not "slow"/);
  assert.match(whatIsWrong('f() g()'), /something follows the call, at character 5$/);
});

test('an error has the file and the line, and text of the file without what a terminal obeys', () => {
  assert.match(whatIsWrong('f('), /^a\.syz:7: this is not a call of a syzkaller program: /);
  assert.match(whatIsWrong("f('\\\x1b')"), /"\\\\x1b" is no escape/);
});

test('the first line shows whether a file is a syzkaller program', () => {
  for (const line of [
    'r0 = openat$iommufd(0xffffffffffffff9c, &(0x7f0000000000), 0x0, 0x0)',
    'mmap(&(0x7f0000000000/0x1000)=nil, 0x1000, 0x3, 0x32, 0xffffffffffffffff, 0x0)',
    'ioctl$IOMMU_TEST_OP_MD_CHECK_REFS(r0, 0x3ba0, &AUTO={0x48}) (async)',
    '# {"Threaded":true}',
  ]) {
    assert.ok(isSyzLine(line), line);
  }
  for (const line of [
    '{"format":"iommufd-spec trace","version":3}',
    'openat(AT_FDCWD, "/dev/iommu", O_RDWR) = 3',
    'ioctl(3, VFIO_GET_API_VERSION)          = 0',
    'mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0) = 0x7f1122334000',
    'ioctl(3, VFIO_IOMMU_MAP_DMA, 0x7ffc <unfinished ...>',
    '12345 openat(AT_FDCWD, "/dev/iommu", O_RDWR) = 3',
    '',
  ]) {
    assert.not(isSyzLine(line), line);
  }
});

test.run();
