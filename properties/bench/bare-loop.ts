// SPDX-License-Identifier: MIT
// Run inside a virtual machine: the system calls of a file, one after another, with their bytes, through the C library
// and nothing else. It says how long they took and how many were answered as they were in the campaign.

import { readdirSync, readFileSync } from 'node:fs';
import { ARENA_BASE, ARENA_LENGTH, REGIONS } from '../../model/programs/arena.ts';
import { ArenaMemory } from '../../oracle/subjects/kernel/arena-memory.ts';
import * as libc from '../../oracle/subjects/kernel/libc.ts';

/** Bytes in hexadecimal at an offset into the arena. */
export type BareSpan = readonly [offset: number, hex: string];

/** `result` is what the campaign saw: the result, or -errno. `high` and `low` are the argument's halves. */
export type BareCall =
  | { readonly kind: 'open'; readonly path: string; readonly result: number }
  | { readonly kind: 'close'; readonly fd: number; readonly result: number }
  | {
      readonly kind: 'ioctl';
      readonly fd: number;
      readonly command: number;
      readonly high: number;
      readonly low: number;
      readonly spans: readonly BareSpan[];
      readonly result: number;
    };

export type BarePrograms = {
  /** The number of the first descriptor that a program gets. */
  readonly firstDescriptor: number;
  readonly programs: readonly (readonly BareCall[])[];
};

export type BareReport = {
  readonly calls: number;
  readonly same: number;
  readonly milliseconds: number;
};

const LAST_DESCRIPTOR = 0x7fff_ffff;
const TWO_TO_32 = 0x1_0000_0000;
const EXACT_HIGH = 0x20_0000;

const takeDescriptorsBelow = (first: number): void => {
  const spare = libc.openFile('/', libc.O_PATH | libc.O_CLOEXEC);
  const highest = Math.max(...readdirSync('/proc/self/fd').map(Number));
  if (highest >= first) throw new Error(`This process has descriptors up to ${highest} itself.`);
  for (let last = spare; last < first - 1; ) last = libc.duplicate(spare);
  libc.duplicateTo(spare, 0);
};

type Prepared = {
  readonly call: BareCall;
  readonly argument: number | bigint;
  readonly spans: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
};

const prepared = (call: BareCall, memory: ArenaMemory): Prepared => {
  if (call.kind !== 'ioctl') return { call, argument: 0, spans: [] };
  const { high, low } = call;
  return {
    call,
    argument: high < EXACT_HIGH ? high * TWO_TO_32 + low : (BigInt(high) << 32n) | BigInt(low),
    spans: call.spans.flatMap(([offset, hex]) => {
      const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
      // A page that cannot be written would end the process; the kernel finds what is there.
      const isInside = offset >= 0 && offset + bytes.length <= memory.length;
      return isInside && memory.writable(offset, bytes.length) === bytes.length
        ? [{ offset, bytes }]
        : [];
    }),
  };
};

const make = ({ call, argument, spans }: Prepared, arena: Uint8Array): number => {
  switch (call.kind) {
    case 'open':
      return libc.openFile(call.path, libc.O_RDWR | libc.O_CLOEXEC);
    case 'close':
      return libc.closeFile(call.fd);
    case 'ioctl':
      for (const { offset, bytes } of spans) arena.set(bytes, offset);
      return libc.controlFile(call.fd, call.command, argument);
  }
};

const main = (file: string): void => {
  const { firstDescriptor, programs } = JSON.parse(readFileSync(file, 'utf8')) as BarePrograms;
  const memory = new ArenaMemory(ARENA_BASE, ARENA_LENGTH);
  takeDescriptorsBelow(firstDescriptor);
  memory.restore(REGIONS);
  const all = programs.map((calls) => calls.map((call) => prepared(call, memory)));
  let same = 0;
  let calls = 0;
  let milliseconds = 0;
  for (const program of all) {
    memory.dirty(0, memory.length);
    memory.restore(REGIONS);
    const results = new Int32Array(program.length);
    const start = performance.now();
    for (let index = 0; index < program.length; index += 1) {
      const result = make(program[index] as Prepared, memory.bytes);
      results[index] = result < 0 ? -libc.errno() : result;
    }
    libc.closeRange(firstDescriptor, LAST_DESCRIPTOR, 0);
    milliseconds += performance.now() - start;
    calls += program.length;
    for (const [index, { call }] of program.entries()) {
      if (results[index] === call.result) same += 1;
    }
  }
  const report: BareReport = { calls, same, milliseconds };
  process.stdout.write(`${JSON.stringify(report)}\n`);
};

const [, , file] = process.argv;
if (file !== undefined) main(file);
