// SPDX-License-Identifier: MIT
// Run by the safety tests as a separate process: the kernel subject's executor runs hostile
// programs, with every device file forbidden. Each call that it really makes is checked against
// docs/safety.md, restated here.

import { fstatSync, readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { ARENA_BASE, ARENA_LENGTH } from '../../../model/programs/arena.ts';
import { compileBatch } from '../../../oracle/subjects/kernel/compile.ts';
import { Executor } from '../../../oracle/subjects/kernel/executor.ts';
import type { KernelLog } from '../../../oracle/subjects/kernel/kernel-log.ts';
import * as libc from '../../../oracle/subjects/kernel/libc.ts';
import { KernelMachine } from '../../../oracle/subjects/kernel/machine.ts';
import { playBatch } from '../../../oracle/subjects/kernel/playback.ts';
import { decode, type Layout } from '../../../spec/abi/layout.ts';
import { NATIVE_CALLS } from '../../../spec/abi/native.ts';
import { TEST_OPERATIONS } from '../../../spec/abi/test.ts';
import * as vfio from '../../../spec/abi/vfio.ts';
import { hostilePrograms } from './hostile.ts';

/** What the tests read from standard output. */
export type HostileReport = {
  /** What was done but is forbidden; empty if nothing was. */
  readonly forbidden: readonly string[];
  /** How often each outcome happened. */
  readonly counts: Readonly<Record<string, number>>;
};

const PAGE = 4096n;
const EBADF = 9;
const [seed = '1', runs = '300'] = process.argv.slice(2);

const forbidden: string[] = [];
const counts: Record<string, number> = {};
const count = (what: string): void => {
  counts[what] = (counts[what] ?? 0) + 1;
};

type Range = { readonly start: bigint; readonly end: bigint };

const NEIGHBOURS: readonly Range[] = [
  { start: ARENA_BASE - PAGE, end: ARENA_BASE },
  { start: ARENA_BASE + ARENA_LENGTH, end: ARENA_BASE + ARENA_LENGTH + PAGE },
];

/** No system call takes an address from here on; the vsyscall page is there. */
const USER_END = 1n << 47n;

/** The reserved addresses around the arena. */
const HOLE: Range = { start: 0x6000_0000_0000n, end: 0x7900_0000_0000n };

type Line = Range & { readonly access: string };

const mappings = (): readonly Line[] =>
  readFileSync('/proc/self/maps', 'latin1')
    .split('\n')
    .flatMap((line) => {
      const [, start, end, access = ''] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      return start === undefined || end === undefined
        ? []
        : [{ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`), access }];
    });

const isInHole = ({ start }: Range): boolean => start >= HOLE.start && start < HOLE.end;

/** This process's memory, without the hole. */
const ownMemory = (): readonly Range[] =>
  mappings().filter((line) => !isInHole(line) && line.start < USER_END);

/**
 * What is wrong with the hole: memory that is not the arena's, or addresses that the kernel could
 * still allocate.
 */
const holeObjections = (): readonly string[] => {
  const lines = mappings().filter(isInHole);
  const edges = [HOLE.start, ...lines.map(({ end }) => end)];
  const gaps = [...lines.map(({ start }) => start), HOLE.end].filter(
    (start, index) => start !== edges[index],
  );
  const foreign = lines.filter(
    ({ start, end, access }) =>
      access !== '---p' && (start < ARENA_BASE - PAGE || end > ARENA_BASE + ARENA_LENGTH + PAGE),
  );
  return [
    ...gaps.map((start) => `a gap in the hole before 0x${start.toString(16)}`),
    ...foreign.map(({ start }) => `a mapping in the hole at 0x${start.toString(16)}`),
  ];
};

const machine = new KernelMachine({ paths: [] });

const CANARY = 0xa5;

/** Pages next to the arena that nothing may change. */
const canaries = NEIGHBOURS.map(({ start }) => {
  const flags = libc.MAP_PRIVATE | libc.MAP_ANONYMOUS | libc.MAP_FIXED;
  const mapped = libc.mapMemory(start, PAGE, libc.PROT_READ_WRITE, flags, -1, 0);
  if (BigInt(mapped) !== start) throw new Error('The page beside the arena is taken.');
  return new Uint8Array(libc.memoryAt(start, Number(PAGE))).fill(CANARY);
});

/** The first descriptor that a program can get. */
const first = machine.memfd(PAGE);
machine.release();
const openBefore = readdirSync('/proc/self/fd')
  .map(Number)
  .filter((fd) => fd < first - 1);
const identities = (): readonly string[] =>
  openBefore.map((fd) => {
    try {
      const { dev, ino } = fstatSync(fd);
      return `${fd} ${dev}:${ino}`;
    } catch {
      return `${fd} closed`;
    }
  });
const identitiesBefore = identities();

const WITHOUT_POINTER = new Set([0x3b64, 0x3b65, 0x3b66]);

const layoutOf = (command: number, operation: number): Layout | undefined => {
  if (command === 0x3ba0) return TEST_OPERATIONS.find(({ op }) => op === operation)?.layout;
  if (command === vfio.VFIO_IOMMU_MAP_DMA) return vfio.VFIO_IOMMU_TYPE1_DMA_MAP;
  if (command === vfio.VFIO_GROUP_SET_CONTAINER) return vfio.VFIO_CONTAINER_FD;
  return NATIVE_CALLS.find((call) => call.command === command)?.layout;
};

const wordAt = (bytes: Uint8Array, at: number): number =>
  at + 4 > bytes.length ? 0 : Buffer.from(bytes.subarray(at, at + 4)).readUInt32LE();

/** Why a call that reaches the kernel is forbidden; undefined if it is allowed. */
const objection = (
  own: readonly Range[],
  command: number,
  argument: bigint,
): string | undefined => {
  if (command >> 8 !== 0x3b) return 'an ioctl of another type';
  const isOwn = (address: bigint): boolean =>
    own.some(({ start, end }) => start <= address && address < end);
  if (!WITHOUT_POINTER.has(command) && isOwn(argument)) {
    return `an argument in the process's memory, 0x${argument.toString(16)}`;
  }
  const bytes = machine.load(argument, 128);
  const layout = bytes.length < 4 ? undefined : layoutOf(command, wordAt(bytes, 4));
  if (layout === undefined) return undefined;
  const hasSize = layout.fields[0]?.kind === 'size' || layout.fields[0]?.kind === 'argsz';
  const passed = hasSize ? Math.min(bytes.length, wordAt(bytes, 0)) : bytes.length;
  const values = decode(layout, bytes.subarray(0, passed)) as Readonly<
    Record<string, number | bigint>
  >;
  for (const { name, kind, offset, width } of layout.fields) {
    if (offset + width > passed) continue;
    const value = values[name] ?? 0;
    if (kind === 'address' && isOwn(BigInt(value))) return `${layout.name}.${name} in own memory`;
    const isInput = kind === 'fd' && !name.startsWith('out_');
    if (isInput && value > 0 && value < first) return `${layout.name}.${name} of the process`;
  }
  return undefined;
};

let own = ownMemory();

const control = machine.control.bind(machine);
machine.control = (fd, command, high, low) => {
  const argument = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  const why = objection(own, command >>> 0, argument);
  const result = control(fd, command, high, low);
  count(result === -EBADF ? 'ioctl that found no descriptor' : 'ioctl made');
  if (result === -EBADF) return result;
  if (fd < first) forbidden.push(`ioctl on descriptor ${fd}`);
  if (why !== undefined) forbidden.push(`ioctl 0x${(command >>> 0).toString(16)}: ${why}`);
  return result;
};
const close = machine.close.bind(machine);
machine.close = (fd) => {
  const result = close(fd);
  if (result === 0 && fd < first) forbidden.push(`close of descriptor ${fd}`);
  return result;
};
const open = machine.open.bind(machine);
machine.open = (path) => {
  const result = open(path);
  forbidden.push(`open of ${path}`);
  return result;
};
const dma = machine.dma.bind(machine);
machine.dma = (fd, direction, iova, length) => {
  const result = dma(fd, direction, iova, length);
  if (fd < first && result !== -EBADF) forbidden.push(`a transfer by descriptor ${fd}`);
  return result;
};
const isInside = (address: bigint, length: bigint): boolean =>
  address >= ARENA_BASE && length >= 0n && address + length <= ARENA_BASE + ARENA_LENGTH;
const mmap = machine.mmap.bind(machine);
machine.mmap = (address, length, protection, shared, backing) => {
  const result = mmap(address, length, protection, shared, backing);
  if (!isInside(address, length)) forbidden.push(`mmap at 0x${address.toString(16)}`);
  return result;
};
const munmap = machine.munmap.bind(machine);
machine.munmap = (address, length) => {
  const result = munmap(address, length);
  if (!isInside(address, length)) forbidden.push(`munmap at 0x${address.toString(16)}`);
  return result;
};

const silentLog = { complaints: () => false } as unknown as KernelLog;
const executor = new Executor(machine, silentLog, new Int32Array(4), { logEveryCall: false });

const heap = own.flatMap(({ start, end }) => [start, end - 8n]);
const programs = fc.sample(hostilePrograms(heap, { minLength: 1, maxLength: 12 }), {
  seed: Number(seed),
  numRuns: Number(runs),
});
for (const program of programs) {
  own = ownMemory();
  const batch = new Uint8Array(compileBatch([program]));
  const results = new Uint8Array(executor.run(new Int32Array(batch.buffer)));
  const [played] = playBatch([program], new Int32Array(results.buffer));
  forbidden.push(...holeObjections());
  const refused = played?.refused;
  count(
    refused === undefined ? 'program made' : `refused: ${refused.replace(/0x[0-9a-f]+|\d+/g, 'N')}`,
  );
}
for (const canary of canaries) {
  if (canary.some((byte) => byte !== CANARY)) forbidden.push('a store beside the arena');
}
if (identities().join() !== identitiesBefore.join())
  forbidden.push('descriptors of the process changed');
const report: HostileReport = { forbidden, counts };
libc.writeFile(1, Buffer.from(JSON.stringify(report)), Buffer.byteLength(JSON.stringify(report)));
