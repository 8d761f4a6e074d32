// SPDX-License-Identifier: MIT
// Programs that a stranger might put into a trace: other files, ioctls of other types, arguments
// and pointers to the memory and descriptors of the process that makes the calls, sizes that reach
// beyond the arena.

import * as fc from 'fast-check';
import { ARENA_LENGTH, REGIONS } from '../../../model/programs/arena.ts';
import {
  type Argument,
  LAYOUTS,
  type Operation,
  type Program,
  type Value,
} from '../../../model/programs/program.ts';
import type { Layout } from '../../../spec/abi/layout.ts';
import { NATIVE_CALLS } from '../../../spec/abi/native.ts';
import { TEST_OPERATIONS } from '../../../spec/abi/test.ts';
import * as vfio from '../../../spec/abi/vfio.ts';

const PAGE = 4096n;
const TEST_COMMAND = 0x3ba0;

const PATHS = [
  '/dev/iommu',
  '/dev/vfio/vfio',
  '/dev/vfio/7',
  '/dev/mem',
  '/dev/vfio/../mem',
  '/dev/iommu/../sda',
  '/dev/vfio/7\n',
  '/dev/vfio/vfio/../../../etc/passwd',
  '/etc/passwd',
  '/proc/self/mem',
  'dev/iommu',
  '',
  '/dev/vfio/devices/../../kmsg',
  '/dev/vfio/devices/vfio0',
];

/** TCGETS, TIOCSTI, FIONBIO, KVM_RUN, and numbers that only begin or end like VFIO's. */
const FOREIGN_COMMANDS = [0x5401, 0x5412, 0x5421, 0xae80, 0xc008_3b64 | 0, 0x3c81, 0x3a85, -1, 0];

const VFIO_COMMANDS: Readonly<Record<string, number>> = {
  VFIO_GROUP_GET_STATUS: vfio.VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER: vfio.VFIO_GROUP_SET_CONTAINER,
  VFIO_IOMMU_GET_INFO: vfio.VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA: vfio.VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA: vfio.VFIO_IOMMU_UNMAP_DMA,
  VFIO_IOMMU_DIRTY_PAGES: vfio.VFIO_IOMMU_DIRTY_PAGES,
};

/** The call that takes a struct of this name. */
const commandFor = (struct: string): number =>
  NATIVE_CALLS.find(({ name }) => name === struct)?.command ??
  VFIO_COMMANDS[struct] ??
  TEST_COMMAND;

const labels = fc.constantFrom('a', 'b', 'c', 'd');
const given: fc.Arbitrary<Value> = fc.record({
  from: labels,
  out: fc.constantFrom('result', 'size', 'out_ioas_id', 'iova', 'user_va', 'nothing'),
});

const arenaPlaces: fc.Arbitrary<Value> = fc
  .tuple(
    fc.constantFrom(...REGIONS.flatMap(({ offset, length }) => [offset, offset + length - 8n])),
    fc.constantFrom(0n, 0n, 0n, 1n, 3n, 4n, 7n),
  )
  .map(([offset, by]) => ({ arena: offset + by }));

const beyondArena: fc.Arbitrary<Value> = fc.constantFrom(
  { arena: -1n },
  { arena: -PAGE },
  { arena: ARENA_LENGTH - 4n },
  { arena: ARENA_LENGTH },
  { arena: -(1n << 46n) },
);

/**
 * Addresses at which this process, or the kernel, may have memory. `own` are addresses that it
 * really has.
 */
const addresses = (own: readonly bigint[]): fc.Arbitrary<Value> =>
  fc.oneof(
    arenaPlaces,
    arenaPlaces,
    beyondArena,
    fc.constantFrom(
      0n,
      1n,
      4095n,
      4096n,
      0x40_0000n,
      0x7fff_ffff_f000n,
      1n << 47n,
      (1n << 64n) - 1n,
    ),
    fc.constantFrom(0xffff_8880_0000_0000n, 0xffff_ffff_8100_0000n),
    ...(own.length === 0 ? [] : [fc.constantFrom(...own)]),
    given,
  );

const numbers: fc.Arbitrary<Value> = fc.oneof(
  fc.bigInt(0n, 16n),
  fc.constantFrom(24n, 40n, 72n, PAGE, 1n << 20n, 1n << 32n, 1n << 46n, (1n << 64n) - 1n),
  given,
);

/** Mostly of the process itself; those that the program opened are handles. */
const descriptors: fc.Arbitrary<Value> = fc.oneof(
  given,
  given,
  fc.bigInt(0n, 40n),
  fc.constantFrom((1n << 32n) - 1n, 1n << 32n, (1n << 32n) + 1n, (1n << 64n) - 1n),
);

/** A descriptor of the program, so that most of its calls get as far as possible. */
const OWN: Value = { from: 'own', out: 'result' };

const fieldValues = (struct: string, layout: Layout, own: readonly bigint[]) =>
  fc.record(
    Object.fromEntries(
      layout.fields.map(({ name, kind }): [string, fc.Arbitrary<Value>] => {
        const operation = TEST_OPERATIONS.find((test) => test.name === struct)?.op;
        if (name === 'op' && operation !== undefined) return [name, fc.constant(BigInt(operation))];
        if (kind === 'size' || kind === 'argsz') {
          const sizes = [BigInt(layout.size), BigInt(layout.size), 4n, 100_000n, 0xffff_ffffn];
          return [name, fc.constantFrom(...sizes)];
        }
        if (kind === 'address') return [name, addresses(own)];
        return [name, kind === 'fd' ? descriptors : numbers];
      }),
    ),
    { requiredKeys: [] },
  );

const structs = (own: readonly bigint[]): fc.Arbitrary<readonly [number, Argument]> =>
  fc.constantFrom(...LAYOUTS).chain(([struct, layout]) =>
    fc
      .record(
        {
          at: fc.oneof(arenaPlaces, arenaPlaces, addresses(own)),
          fields: fieldValues(struct, layout, own) as fc.Arbitrary<Record<string, Value>>,
          length: fc.nat(layout.size),
          tail: fc.constantFrom('00', '0011223344', 'ff'.repeat(40)),
          also: fc.array(
            fc.record({ at: addresses(own), words: fc.array(addresses(own), { maxLength: 4 }) }),
            { maxLength: 2 },
          ),
        },
        { requiredKeys: ['at', 'fields'] },
      )
      .map((rest) => [commandFor(struct), { kind: 'struct', layout: struct, ...rest }] as const),
  );

const commands = fc.oneof(
  fc.constantFrom(...NATIVE_CALLS.map(({ command }) => command), ...Object.values(VFIO_COMMANDS)),
  fc.integer({ min: 0x3b00, max: 0x3bff }),
  fc.constantFrom(...FOREIGN_COMMANDS),
);

const ioctls = (own: readonly bigint[]): fc.Arbitrary<Operation> => {
  const plain = addresses(own).map((value): Argument => ({ kind: 'plain', value }));
  const bytes = fc.tuple(addresses(own), fc.uint8Array({ maxLength: 80 })).map(
    ([at, generated]): Argument => ({
      kind: 'bytes',
      at,
      hex: Buffer.from(generated).toString('hex'),
    }),
  );
  const others = fc.tuple(commands, fc.oneof(plain, bytes));
  return fc
    .record({
      label: labels,
      fd: fc.oneof(
        { weight: 6, arbitrary: fc.constant(OWN) },
        { weight: 1, arbitrary: descriptors },
      ),
      call: fc.oneof(structs(own), structs(own), others),
    })
    .map(({ label, fd, call: [command, argument] }) => ({
      op: 'ioctl',
      label,
      fd,
      command,
      argument,
    }));
};

const spans = fc.record({
  offset: fc.oneof(
    fc.bigInt(0n, 255n).map((page) => page * PAGE),
    fc.constantFrom(-PAGE, ARENA_LENGTH, ARENA_LENGTH - PAGE, -(1n << 45n), 1n << 62n),
  ),
  length: fc.constantFrom(PAGE, PAGE, 8n * PAGE, ARENA_LENGTH, 1n << 40n, 1n << 63n),
});

/** Stores a struct beforehand, for a call that passes only its address. */
const stores: fc.Arbitrary<Operation> = fc
  .record({
    offset: fc.oneof(arenaPlaces, beyondArena).map((place) => (place as { arena: bigint }).arena),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 80 }),
    label: labels,
  })
  .map(({ label, offset, bytes }) => ({
    op: 'store',
    label,
    offset,
    hex: Buffer.from(bytes).toString('hex'),
  }));

const operations = (own: readonly bigint[]): fc.Arbitrary<Operation> =>
  fc.oneof(
    { weight: 12, arbitrary: ioctls(own) },
    { weight: 1, arbitrary: stores },
    {
      weight: 3,
      arbitrary: fc.record({
        op: fc.constant('memfd' as const),
        label: labels,
        length: fc.constantFrom(0n, PAGE, 16n * PAGE),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        op: fc.constant('open' as const),
        label: labels,
        path: fc.constantFrom(...PATHS),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ op: fc.constant('close' as const), label: labels, fd: descriptors }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        op: fc.constant('dma' as const),
        label: labels,
        fd: descriptors,
        direction: fc.constantFrom('read' as const, 'write' as const),
        iova: fc.constantFrom(0n, PAGE, 1n << 40n, (1n << 64n) - 1n),
        length: fc.constantFrom(0, 16, 4096, 2 ** 31),
      }),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(labels, spans)
        .map(([label, span]) => ({ op: 'munmap' as const, label, ...span })),
    },
    {
      weight: 1,
      arbitrary: fc
        .record({
          label: labels,
          span: spans,
          protection: fc.constantFrom('none' as const, 'read' as const, 'read-write' as const),
          shared: fc.boolean(),
          backing: fc.oneof(
            fc.constant({ kind: 'anonymous' as const }),
            fc.constant({ kind: 'device' as const }),
            fc.record({
              kind: fc.constant('memfd' as const),
              fd: descriptors,
              offset: fc.constant(0n),
            }),
          ),
        })
        .map(({ span, ...rest }) => ({ op: 'mmap' as const, ...rest, ...span })),
    },
  );

/** `own` are addresses at which the process that runs them has memory. */
export const hostilePrograms = (
  own: readonly bigint[],
  length: { readonly minLength: number; readonly maxLength: number },
): fc.Arbitrary<Program> =>
  fc
    .array(operations(own), length)
    .map((generated): Program => [{ op: 'memfd', label: 'own', length: PAGE }, ...generated]);
