// SPDX-License-Identifier: MIT
// No C is written of programs that the kernel subject refuses: one case for each of its rules, and
// a law for any program. The two make the same checks at different times.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programs } from '../../../model/arbitrary.ts';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import { ARENA_BASE, ARENA_LENGTH, DATA_OFFSET } from '../../../model/programs/arena.ts';
import type { Operation, Program, Value } from '../../../model/programs/program.ts';
import { cProgram } from '../../../oracle/emit/c-program.ts';
import type { Emission } from '../../../oracle/emit/emission-data.ts';
import {
  checkedProgram,
  MOST_OPERATIONS,
  RefusedProgram,
} from '../../../oracle/emit/program-check.ts';
import type { Setting } from '../../../spec/terms/platform.ts';
import { LIMITED, SETTINGS, settingOf } from '../../helpers/settings.ts';
import { checkedOn } from '../subjects/emulated-kernel.ts';
import { hostilePrograms } from '../subjects/hostile.ts';

const VTD = settingOf('vtd');

const emissionOf = (program: Program, setting: Setting = VTD): Emission => ({
  setting,
  base: ARENA_BASE,
  program,
  steps: [],
  says: [],
});

/** Why nothing is written; undefined if something is. */
const refusal = (emission: Emission): RefusedProgram | undefined => {
  try {
    checkedProgram(emission);
    return undefined;
  } catch (error) {
    if (!(error instanceof RefusedProgram)) throw error;
    return error;
  }
};

const open = (path: string, label: string): Operation => ({ op: 'open', label, path });
const result = (from: string): Value => ({ from, out: 'result' });
const IOMMUFD = open('/dev/iommu', 'iommufd');

const ioctl = (
  command: number,
  argument: Extract<Operation, { op: 'ioctl' }>['argument'],
  fd = 'iommufd',
): Operation => ({ op: 'ioctl', label: 'refused', fd: result(fd), command, argument });

const struct = (
  layout: string,
  fields: Readonly<Record<string, Value>>,
  at: Value = { arena: 0n },
) => ({ kind: 'struct', at, layout, fields }) as const;

const map = (user_va: Value, length: Value = 0x1000n): Operation =>
  ioctl(0x3b85, struct('IOMMU_IOAS_MAP', { size: 40n, flags: 7n, user_va, length }));

const mmap = (offset: bigint, length: bigint): Operation => ({
  op: 'mmap',
  label: 'refused',
  offset,
  length,
  protection: 'read-write',
  shared: false,
  backing: { kind: 'anonymous' },
});

const dma = (iova: bigint, length: number, look?: bigint): Operation => ({
  op: 'dma',
  label: 'refused',
  fd: result('iommufd'),
  direction: 'read',
  iova,
  length,
  ...(look === undefined ? {} : { look }),
});

const store = (offset: bigint, hex: string): Operation => ({
  op: 'store',
  label: 'stored',
  offset,
  hex,
});

const accessRw = (flags: bigint): Operation =>
  ioctl(
    0x3ba0,
    struct('ACCESS_RW', { size: 72n, op: 8n, length: 8n, uptr: { arena: DATA_OFFSET }, flags }),
  );

/** A struct of IOAS_MAP as bytes, with this pointer. */
const mapBytes = (pointer: bigint): string => {
  const bytes = Buffer.alloc(40);
  bytes.writeUInt32LE(40, 0);
  bytes.writeBigUInt64LE(pointer, 16);
  return bytes.toString('hex');
};

const GROUP_NAME = { kind: 'bytes', at: { arena: 0n }, hex: '6d7474792d3100' } as const;
const join = (container: string): Operation =>
  ioctl(0x3b68, struct('VFIO_GROUP_SET_CONTAINER', { fd: result(container) }), 'group');
const device = (label: string): Operation => ({
  ...ioctl(0x3b6a, GROUP_NAME, 'group'),
  label,
});

type Refused = {
  readonly says: string;
  readonly program: Program;
  readonly why: RegExp;
};

/** The last operation of each is the one that is refused. */
const REFUSED: readonly Refused[] = [
  { says: 'a file of another driver', program: [open('/dev/sda', 'a')], why: /may open/ },
  {
    says: 'a path with something behind it',
    program: [open('/dev/iommu\n', 'a')],
    why: /may open/,
  },
  {
    says: 'an ioctl of another type',
    program: [IOMMUFD, ioctl(0x1277, { kind: 'bytes', at: { arena: 0n }, hex: '00' })],
    why: /ioctls of type/,
  },
  {
    says: 'an ioctl with a size in its number',
    program: [IOMMUFD, ioctl(0xc008_3b64, { kind: 'plain', value: 0n })],
    why: /ioctls of type/,
  },
  {
    says: 'an argument at an address of the process',
    program: [IOMMUFD, ioctl(0x3b80, { kind: 'plain', value: 0x40_0000n })],
    why: /argument may be an address/,
  },
  {
    says: 'an argument that a call gave',
    program: [IOMMUFD, ioctl(0x3b80, { kind: 'plain', value: result('iommufd') })],
    why: /argument is not known/,
  },
  {
    says: 'a struct where a call said',
    program: [IOMMUFD, ioctl(0x3b81, struct('IOMMU_IOAS_ALLOC', {}, result('iommufd')))],
    why: /is to be prepared is not known/,
  },
  {
    says: 'an array where a call said',
    program: [
      IOMMUFD,
      ioctl(0x3b81, {
        ...struct('IOMMU_IOAS_ALLOC', { size: 12n }),
        also: [{ at: result('iommufd'), words: [0n] }],
      }),
    ],
    why: /is to be prepared is not known/,
  },
  {
    says: 'a pointer into the process',
    program: [IOMMUFD, map(0x40_0000n)],
    why: /pointer at byte 16 .* may reach/,
  },
  {
    says: 'a pointer that a call gave',
    program: [IOMMUFD, map(result('iommufd'))],
    why: /pointer at byte 16 .* not known/,
  },
  {
    says: 'a pointer in bytes',
    program: [
      IOMMUFD,
      ioctl(0x3b85, { kind: 'bytes', at: { arena: 0n }, hex: mapBytes(0x40_0000n) }),
    ],
    why: /pointer at byte 16 .* may reach/,
  },
  {
    says: 'a pointer that was stored before',
    program: [
      IOMMUFD,
      store(DATA_OFFSET, mapBytes(0x40_0000n)),
      ioctl(0x3b85, { kind: 'plain', value: { arena: DATA_OFFSET } }),
    ],
    why: /pointer at byte 16 .* may reach/,
  },
  {
    says: 'a pointer that an array overwrites',
    program: [
      IOMMUFD,
      ioctl(0x3b85, {
        ...struct('IOMMU_IOAS_MAP', { size: 40n, user_va: { arena: DATA_OFFSET } }),
        also: [{ at: { arena: 16n }, words: [0x40_0000n] }],
      }),
    ],
    why: /pointer at byte 16 .* may reach/,
  },
  {
    says: 'a struct that a call may have changed',
    program: [
      IOMMUFD,
      store(DATA_OFFSET, mapBytes(0n)),
      accessRw(1n),
      ioctl(0x3b85, { kind: 'plain', value: { arena: DATA_OFFSET } }),
    ],
    why: /not known before/,
  },
  {
    says: 'a struct in a file that is mapped twice',
    program: [
      { op: 'memfd', label: 'file', length: 0x1000n },
      ...[DATA_OFFSET, DATA_OFFSET + 0x1000n].map(
        (offset): Operation => ({
          op: 'mmap',
          label: 'mapped',
          offset,
          length: 0x1000n,
          protection: 'read-write',
          shared: true,
          backing: { kind: 'memfd', fd: result('file'), offset: 0n },
        }),
      ),
      IOMMUFD,
      store(DATA_OFFSET, mapBytes(0n)),
      store(DATA_OFFSET + 0x1010n, '0000400000000000'),
      ioctl(0x3b85, { kind: 'plain', value: { arena: DATA_OFFSET } }),
    ],
    why: /not known before/,
  },
  {
    says: 'memory that a mapping replaces, of what was stored',
    program: [
      IOMMUFD,
      store(DATA_OFFSET, mapBytes(0n)),
      mmap(DATA_OFFSET, 0x1000n),
      ioctl(0x3b85, { kind: 'plain', value: { arena: DATA_OFFSET } }),
    ],
    why: /not known before/,
  },
  {
    says: 'the log of a device',
    program: [
      IOMMUFD,
      store(DATA_OFFSET, '2800000008000100'),
      ioctl(0x3b75, { kind: 'plain', value: { arena: DATA_OFFSET } }),
    ],
    why: /log of its accesses/,
  },
  {
    says: 'an access where a mapping is too long',
    program: [IOMMUFD, map({ arena: DATA_OFFSET }, 1n << 43n), accessRw(0n)],
    why: /access by IOVA may reach/,
  },
  {
    says: 'an access where a mapping is as long as a call said',
    program: [IOMMUFD, map({ arena: DATA_OFFSET }, result('iommufd')), accessRw(0n)],
    why: /access by IOVA may reach/,
  },
  {
    says: 'a transfer where a mapping is too long',
    program: [IOMMUFD, map({ arena: DATA_OFFSET }, 1n << 43n), dma(0n, 8)],
    why: /device may reach/,
  },
  { says: 'a transfer of negative length', program: [IOMMUFD, dma(0n, -5)], why: /1 to 4096/ },
  {
    says: 'a transfer of a negative look',
    program: [IOMMUFD, dma(0n, -5, -(1n << 63n))],
    why: /1 to 4096/,
  },
  { says: 'a transfer that is too long', program: [IOMMUFD, dma(0n, 4097)], why: /1 to 4096/ },
  { says: 'a transfer too far', program: [IOMMUFD, dma(1n << 48n, 1)], why: /48 bits/ },
  { says: 'an interrupt', program: [IOMMUFD, dma(0xfee0_0000n, 4)], why: /an interrupt/ },
  {
    says: 'a mapping of 2^43 bytes',
    program: [mmap(0n, 1n << 43n)],
    why: /within its arena/,
  },
  {
    says: 'a mapping behind the arena',
    program: [mmap(ARENA_LENGTH, 0x1000n)],
    why: /within its arena/,
  },
  {
    says: 'memory unmapped that is not the arena',
    program: [{ op: 'munmap', label: 'a', offset: 0n, length: 1n << 43n }],
    why: /within its arena/,
  },
  {
    says: 'a descriptor that may be that of the output',
    program: [{ op: 'close', label: 'a', fd: 500n }],
    why: /C program's own/,
  },
  {
    says: 'such a descriptor in a struct',
    program: [IOMMUFD, ioctl(0x3b68, struct('VFIO_GROUP_SET_CONTAINER', { fd: 501n }))],
    why: /own/,
  },
  {
    says: 'a device that no IOMMU guards, by two containers',
    program: [
      IOMMUFD,
      open('/dev/vfio/vfio', 'container'),
      open('/dev/vfio/7', 'group'),
      join('iommufd'),
      device('one'),
      join('container'),
      device('other'),
    ],
    why: /finding 0004/,
  },
];

const refused = suite('programs of which no C is written');

for (const { says, program, why } of REFUSED) {
  refused(says, () => {
    const found = refusal(emissionOf(program));
    assert.match(found?.why ?? '', why);
    assert.is(found?.operation, program.at(-1));
    assert.is(refusal(emissionOf(program.slice(0, -1))), undefined, 'up to there it is fine');
    assert.throws(() => cProgram(emissionOf(program)), why);
  });
}

refused('more operations than anybody reads', () => {
  const program = Array.from({ length: MOST_OPERATIONS + 1 }, () => IOMMUFD);
  assert.is(refusal(emissionOf(program.slice(1))), undefined);
  assert.match(refusal(emissionOf(program))?.why ?? '', /more than/);
});

refused('an arena where other memory may be, or more locked memory than a machine may have', () => {
  for (const base of [0n, 0x40_0000n, 0x7fff_f000_0000n, ARENA_BASE + 1n, 0x7800_0000_0000n]) {
    assert.match(refusal({ ...emissionOf([IOMMUFD]), base })?.why ?? '', /arena/);
  }
  for (const lockedBefore of [-1, 1.5, 1 << 30]) {
    const setting = { ...VTD, credentials: { ...LIMITED, lockedBefore } };
    assert.match(refusal(emissionOf([IOMMUFD], setting))?.why ?? '', /locked/);
  }
});

/** The kernel subject also runs every emitted program, whatever the emulator replies. */
const laws = (setting: Setting, generated: fc.Arbitrary<Program>, runs: number): number => {
  let emitted = 0;
  const law = fc.property(generated, (program) => {
    if (refusal(emissionOf(program, setting)) !== undefined) return;
    emitted += 1;
    assert.is(checkedOn(new EmulatedMachine(setting), program).refused, undefined);
  });
  fc.assert(law, { seed: 1, numRuns: runs });
  return emitted;
};

refused('all others the kernel subject runs: hostile programs', () => {
  const length = { minLength: 1, maxLength: 3 };
  const emitted = laws(settingOf('mock'), hostilePrograms([], length), 2000);
  assert.ok(emitted > 100 && emitted < 1900, `${emitted} were emitted`);
});

refused('all others the kernel subject runs: generated programs', () => {
  let emitted = 0;
  for (const setting of SETTINGS) emitted += laws(setting, programs(setting, 40), 10);
  assert.ok(emitted > 100, `${emitted} were emitted`);
});

refused.run();
