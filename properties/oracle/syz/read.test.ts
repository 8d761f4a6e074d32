// SPDX-License-Identifier: MIT
// The calls of syzkaller programs become operations with handles and memory in the arena, or are
// refused with a line.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import { ARENA_LENGTH, REGIONS } from '../../../model/programs/arena.ts';
import type { Operation, Program } from '../../../model/programs/program.ts';
import { runProgram } from '../../../model/programs/run.ts';
import { judgeProgram } from '../../../oracle/check/judge-program.ts';
import { BadInput } from '../../../oracle/trace/bad-input.ts';
import { readSyz } from '../../helpers/read-syz.ts';
import { settingOf } from '../../helpers/settings.ts';

const OPEN = 'r0 = openat$iommufd(0xffffffffffffff9c, &(0x7f0000000000), 0x0, 0x0)';
const ALLOC = 'ioctl$IOMMU_IOAS_ALLOC(r0, 0x3b81, &(0x7f0000000040)={0xc, 0x0, <r1=>0x0})';

const programOf = (...lines: readonly string[]): Program => readSyz(lines.join('\n')).program;

const whatIsWrong = (...lines: readonly string[]): string => {
  try {
    programOf(...lines);
  } catch (error) {
    if (error instanceof BadInput) return error.message;
    throw error;
  }
  throw new Error('The program is read.');
};

const notesOf = (...lines: readonly string[]): readonly string[] =>
  readSyz(lines.join('\n')).notes.map(({ line, what }) => `${line}: ${what}`);

/** The argument of the last operation, which is an ioctl. */
const lastArgument = (program: Program) => {
  const last = program.at(-1);
  if (last?.op !== 'ioctl') throw new Error('The last operation is no ioctl.');
  return last.argument;
};

const resultsOf = (program: Program): readonly number[] => {
  const { steps, failure } = judgeProgram(settingOf('mock'), program, new Set());
  assert.is(failure, undefined);
  return steps.map(({ step: { observation } }) => observation.errno || observation.result);
};

const test = suite('a syzkaller program as a program');

test('of two calls', () => {
  assert.equal(programOf(OPEN, ALLOC), [
    { op: 'open', label: 'open1', path: '/dev/iommu' },
    {
      op: 'ioctl',
      label: 'ioas_alloc2',
      fd: { from: 'open1', out: 'result' },
      command: 0x3b81,
      argument: {
        kind: 'struct',
        at: { arena: 0x40n },
        layout: 'IOMMU_IOAS_ALLOC',
        fields: { size: 12n },
      },
    },
  ] satisfies Operation[]);
});

test('has handles instead of results', () => {
  const program = programOf(OPEN, ALLOC, 'ioctl$IOMMU_DESTROY$ioas(r0, 0x3b80, &AUTO={0x8, r1})');
  const argument = lastArgument(program);
  assert.equal(argument.kind === 'struct' && argument.fields, {
    size: 8n,
    id: { from: 'ioas_alloc2', out: 'out_ioas_id' },
  });
  assert.equal(resultsOf(program).slice(-1), [0]);
});

test('has the same handles and bytes for a list of anything', () => {
  const any = programOf(
    OPEN,
    ALLOC,
    'ioctl$IOMMU_IOAS_MAP(r0, 0x3b85, &(0x7f0000000080)=ANY=[@ANYBLOB="2800000007000000", @ANYRES32=r1, ' +
      '@ANYBLOB="00000000", @ANYPTR64=&(0x7f0000010000)=ANY=[], @ANYBLOB="00100000000000000000000100000000"])',
  );
  const fields = programOf(
    OPEN,
    ALLOC,
    'ioctl$IOMMU_IOAS_MAP(r0, 0x3b85, &(0x7f0000000080)={0x28, 0x7, r1, 0x0, &(0x7f0000010000), 0x1000, 0x1000000})',
  );
  assert.equal(any, fields);
  assert.equal(resultsOf(any), [3, 0, 0]);
});

test('of strings, numbers that are addresses, and fields that are left out', () => {
  const direct = 'ioctl$IOMMU_IOAS_MAP(r0, 0x3b85, &(0x7f0000000080)=';
  const one = programOf(OPEN, ALLOC, `${direct}{0x28, 0x7, r1, 0x0, 0x20010000, 0x1000})`);
  const other = programOf(
    OPEN,
    ALLOC,
    `${direct}{0x28, 0x7, r1, 0x0, &(0x20010000/0x1000)=nil, 0x1000, 0x0})`,
  );
  assert.equal(one, other);
  const raw = lastArgument(
    programOf(OPEN, 'ioctl(r0, 0x3b80, &(0x7f0000000040)="0800000063000000")'),
  );
  assert.equal(raw.kind === 'struct' && raw.fields, { size: 8n, id: 99n });
  const left = lastArgument(
    programOf(OPEN, 'ioctl$IOMMU_TEST_OP_ADD_RESERVED(r0, 0x3ba0, &AUTO={0x48})'),
  );
  assert.equal(left.kind === 'struct' && [left.layout, left.fields], [
    'ADD_RESERVED',
    { size: 72n, op: 1n },
  ]);
});

test('leaves out what the kernel writes, and has what syzkaller has where nothing is said', () => {
  const made = lastArgument(
    programOf(
      OPEN,
      'ioctl$IOMMU_TEST_OP_CREATE_ACCESS(r0, 0x3ba0, &AUTO={0x48, 0x5, 0x1, 0x0, <r2=>0xffffffffffffffff, 0x1})',
    ),
  );
  assert.equal(made.kind === 'struct' && made.fields, { size: 72n, op: 5n, id: 1n, flags: 1n });
  const access = lastArgument(
    programOf(OPEN, 'ioctl$IOMMU_TEST_OP_ACCESS_REPLACE_IOAS(r0, 0x3ba0, &AUTO={0x48})'),
  );
  assert.is(access.kind === 'struct' && access.fields.id, 0xffff_ffffn);
  const hwpt = lastArgument(
    programOf(
      OPEN,
      'ioctl$IOMMU_HWPT_ALLOC$TEST(r0, 0x3b89, &AUTO={0x28, 0x0, 0x1, 0x2, 0x0, 0x0, 0xdead, 0x4, &(0x7f0000000100)})',
    ),
  );
  assert.equal(hwpt.kind === 'struct' && hwpt.also, [
    { at: { arena: 0x100n }, words: [0xbad_beefn] },
  ]);
  const special = lastArgument(
    programOf(
      OPEN,
      'ioctl$IOMMU_IOAS_MAP(r0, 0x3b85, &AUTO={0x28, 0x7, 0x1, 0x0, 0xfffffffffffffffe, 0x1000})',
    ),
  );
  assert.is(special.kind === 'struct' && special.fields.user_va, 0x9999_9999_9999_9999n);
  const any = lastArgument(
    programOf(OPEN, 'ioctl(r0, 0x3b80, &AUTO=ANY=[@ANYBLOB="08000000", @ANYRES32])'),
  );
  assert.equal(any.kind === 'struct' && any.fields, { size: 8n, id: 0xffff_ffffn });
});

test('leaves out calls that fail, whatever uses what they were to give', () => {
  const lines = [
    'r0 = openat$iommufd(0xffffffffffffff9c, &(0x7f0000000000), 0x14000, 0x0)',
    'r7 = dup(r0)',
    ALLOC,
    'ftruncate(r7, 0x1000)',
    'mmap(&(0x7f0000010000/0x1000)=nil, 0x1000, 0x3, 0x10, r7, 0x0)',
    'close(r7)',
  ];
  assert.equal(resultsOf(programOf(...lines)), [9]);
  assert.equal(
    notesOf(...lines).map((note) => note.slice(0, 12)),
    ['1: left out:', '4: left out:', '5: left out:', '6: left out:'],
  );
});

test('has automatic lengths and constants', () => {
  const argument = lastArgument(
    programOf(
      OPEN,
      ALLOC,
      'ioctl$IOMMU_IOAS_ALLOW_IOVAS(r0, 0x3b82, &AUTO={AUTO, r1, AUTO, AUTO, &AUTO=[{0x0, 0xfff}, {0x2000, 0x2fff}]})',
    ),
  );
  assert.equal(argument.kind === 'struct' && argument.fields.size, 24n);
  assert.equal(argument.kind === 'struct' && argument.fields.num_iovas, 2n);
  assert.equal(argument.kind === 'struct' && argument.also?.[0]?.words, [
    0n,
    0xfffn,
    0x2000n,
    0x2fffn,
  ]);
});

test('has the number of an area and an offset into it for an IOVA', () => {
  const argument = lastArgument(
    programOf(
      OPEN,
      ALLOC,
      'ioctl$IOMMU_IOAS_COPY$syz(r0, 0x3b83, &AUTO={0x28, 0x10006, r1, r1, 0x1000, 0x0, 0x2, 0x1000})',
    ),
  );
  assert.is(argument.kind === 'struct' && argument.fields.src_iova, 0x1000_0000_0002n);
});

test('moves memory beyond the arena into it, with a hole after the last page', () => {
  const program = programOf(
    OPEN,
    ALLOC,
    'ioctl$IOMMU_TEST_OP_MOCK_DOMAIN(r0, 0x3ba0, &(0x7f0000000040)={0x48, 0x2, r1, 0x0, 0x0, 0x0, 0x0})',
    'ioctl$IOMMU_IOAS_MAP$PAGES(r0, 0x3b85, &(0x7f0000000040)={0x28, 0x7, r1, 0x0, &(0x7f0000ffe000/0x2000)=nil, 0x2000, 0x1000000})',
    'ioctl$IOMMU_IOAS_MAP$PAGES(r0, 0x3b85, &(0x7f0000000040)={0x28, 0x7, r1, 0x0, &(0x7f0000ffe000/0x2000)=nil, 0x3000, 0x2000000})',
  );
  const [moved] = program;
  assert.is(moved?.op === 'mmap' && moved.length, 0x2000n);
  assert.ok(moved?.op === 'mmap' && moved.offset + moved.length < ARENA_LENGTH);
  assert.equal(resultsOf(program), [0, 3, 0, 0, 0, 14]);
});

test('begins with all memory that the program has, except what it changes first', () => {
  const program = programOf(
    'mmap(&(0x7f0000000000/0x1000000)=nil, 0x1000000, 0x3, 0x32, 0xffffffffffffffff, 0x0)',
    'munmap(&(0x7f0000011000/0x1000)=nil, 0x1000)',
    OPEN,
    ALLOC,
  );
  assert.equal(program.slice(0, -2), [
    { op: 'munmap', label: 'memory1', offset: 0x1_1000n, length: 0x1000n },
  ]);
  const machine = new EmulatedMachine(settingOf('mock'));
  runProgram(program, machine);
  assert.ok(REGIONS.length > 0);
});

test('makes a file with its length, closes what is duplicated once, and stores what is written to no file', () => {
  const program = programOf(
    OPEN,
    'r2 = dup(r0)',
    "r3 = memfd_create(&(0x7f0000000000)='a\\x00', 0x0)",
    'ftruncate(r3, 0x4000)',
    'mmap(&(0x7f0000010000/0x2000)=nil, 0x2000, 0x3, 0x11, r3, 0x1000)',
    'write(0xffffffffffffffff, &(0x7f0000010000)="0102", 0x2)',
    'close(r0)',
    'close(r2)',
    'close(r0)',
  );
  assert.equal(
    program.map(({ op }) => op),
    ['open', 'memfd', 'mmap', 'store', 'close', 'close'],
  );
  assert.equal(resultsOf(program), [3, 4, 0, 2, 0, 9]);
});

test('repeats a call that is to run again, and says what it does not do', () => {
  const lines = [OPEN, `${ALLOC} (rerun: 2)`, `${ALLOC} (async, fail_nth: 1)`];
  assert.equal(resultsOf(programOf(...lines)), [3, 0, 0, 0, 0]);
  assert.equal(notesOf(...lines), [
    '2: rerun: the struct is put into memory again each time',
    '3: async: the call ends before the next one begins',
    '3: fail_nth: no allocation of the call is made to fail',
  ]);
});

test('skips calls of other interfaces, with the line', () => {
  assert.equal(
    notesOf(
      'syz_init_net_socket$bt_hci(0x1f, 0x3, 0x1)',
      "r5 = openat$kvm(0xffffffffffffff9c, &(0x7f0000000000)='/dev/kvm\\x00', 0x0, 0x0)",
      'ioctl$KVM_CREATE_VM(r5, 0xae01, 0x0)',
      OPEN,
      ALLOC,
    ),
    [
      '1: skipped: syz_init_net_socket$bt_hci is not a call of VFIO or iommufd',
      '2: skipped: openat$kvm opens /dev/kvm, which is not of VFIO or iommufd',
      '3: skipped: ioctl$KVM_CREATE_VM is not a call of VFIO or iommufd',
    ],
  );
});

/** Each is refused in its last line, because the result would not be what the program does. */
const REFUSED: readonly (readonly [name: string, lines: readonly string[], what: RegExp])[] = [
  [
    'a call that is not known',
    ['prlimit64(0x0, 0x8, &AUTO={0x0, 0x0}, 0x0)'],
    /prlimit64: the call is not understood/,
  ],
  ['a name of Object', ['toString()'], /toString: the call is not understood/],
  ['a result that no call gave', [OPEN, 'close(r7)'], /no earlier call gives "r7"/],
  [
    'a result with a sum',
    [OPEN, ALLOC, 'ioctl$IOMMU_DESTROY$ioas(r0, 0x3b80, &AUTO={0x8, r1+0x1})'],
    /changed by/,
  ],
  [
    'a result of a call that is skipped',
    ['r0 = socket(0x1, 0x1, 0x0)', 'ioctl$IOMMU_IOAS_ALLOC(r0, 0x3b81, &AUTO={0xc})'],
    /line 1, which is skipped/,
  ],
  [
    'a descriptor of ours in a message',
    [OPEN, 'sendmsg(0x5, &AUTO={r0}, 0x0)'],
    /sendmsg: the call is not understood/,
  ],
  [
    'memory that moves',
    ['mremap(&(0x7f0000000000/0x1000)=nil, 0x1000, 0x2000, 0x3, &(0x7f0000010000/0x2000)=nil)'],
    /only cuts memory/,
  ],
  [
    'a file that is written',
    ["r0 = memfd_create(&AUTO='a\\x00', 0x0)", 'write(r0, &AUTO="00", 0x1)'],
    /written to a file/,
  ],
  [
    'a file that is sized twice',
    ["r0 = memfd_create(&AUTO='a\\x00', 0x0)", 'ftruncate(r0, 0x1000)', 'ftruncate(r0, 0x2000)'],
    /set once/,
  ],
  [
    'an address that is nowhere',
    [OPEN, 'ioctl$IOMMU_IOAS_ALLOC(r0, 0x3b81, &(0x1234)={0xc})'],
    /not in syzkaller's memory/,
  ],
  [
    'more fields than there are',
    [OPEN, 'ioctl$IOMMU_IOAS_ALLOC(r0, 0x3b81, &AUTO={0xc, 0x0, 0x0, 0x0})'],
    /has 4 fields, and at most 3/,
  ],
  [
    'a string for a number',
    [OPEN, "ioctl$IOMMU_IOAS_ALLOC(r0, 0x3b81, &AUTO={'a', 0x0, 0x0})"],
    /a string at character .* of a number of 4 bytes \(size\)/,
  ],
  [
    'a struct of an ioctl that is not known',
    [OPEN, 'ioctl$X(r0, 0x3bf0, &AUTO={0x1})'],
    /0x3bf0 has no struct/,
  ],
  [
    'a result where no field is',
    [OPEN, ALLOC, 'ioctl$IOMMU_IOAS_ALLOC(r0, 0x3b81, &AUTO=ANY=[@ANYBLOB="0c00", @ANYRES32=r1])'],
    /at byte 2 is in no field/,
  ],
  [
    'more memory than an arena has',
    [
      OPEN,
      ALLOC,
      'ioctl$IOMMU_IOAS_MAP(r0, 0x3b85, &AUTO={0x28, 0x7, r1, 0x0, &(0x7f0000000000), 0x800000, 0x0})',
    ],
    /more memory than the 1536 pages/,
  ],
];

test('refuses with the line what it cannot carry over', () => {
  for (const [name, lines, what] of REFUSED) {
    const message = whatIsWrong(...lines);
    assert.match(message, what, name);
    assert.match(message, new RegExp(`^repro\\.syz:${lines.length}: `), name);
  }
});

test.run();
