// SPDX-License-Identifier: MIT
// Runs a program on a machine: resolves handles, prepares memory, makes the calls and records the
// observations. It judges nothing, so that it can run in a virtual machine.

import { putU16, putU32, putU64, u16At, u32At, u64At, zeroBytes } from '../../spec/abi/bytes.ts';
import { bytesOfHex } from '../../spec/abi/bytes-text.ts';
import type { Field, Layout } from '../../spec/abi/layout.ts';
import { type Fd, fileDescriptor, userAddress } from '../../spec/abi/units.ts';
import type { Backing, Call, DmaCall, Observation, Segment } from '../../spec/terms/call.ts';
import type { Machine } from '../machine/machine.ts';
import { ARENA_BASE, mapArena } from './arena.ts';
import {
  type Argument,
  LAYOUTS,
  type Operation,
  type Program,
  type Value,
  type WordsInMemory,
} from './program.ts';

/** One operation as a call, with its observation. */
export type Step = {
  readonly label: string;
  readonly call: Call;
  readonly observation: Observation;
};

/**
 * The outputs of an operation: its result, and the struct after the call, from which fields are
 * read on demand.
 */
export type Given = {
  readonly result: number;
  readonly struct: { readonly layout: string; readonly bytes: Uint8Array } | undefined;
};

/** Where a program runs, and the outputs of its operations so far. */
export type Execution = { readonly base: bigint; readonly given: Map<string, Given> };

/** Programs run in one process. */
export const PROCESS = 1;

/** An output of an operation; 0 if it failed or has none of that name. */
export const outputOf = (given: Given | undefined, out: string): bigint => {
  if (given === undefined || given.result < 0) return 0n;
  if (out === 'result') return BigInt(given.result);
  if (given.struct === undefined) return 0n;
  const { bytes } = given.struct;
  const field = FIELDS.get(given.struct.layout)?.get(out);
  if (field === undefined || field.offset + field.width > bytes.length) return 0n;
  if (field.width === 8) return u64At(bytes, field.offset);
  return BigInt(field.width === 4 ? u32At(bytes, field.offset) : u16At(bytes, field.offset));
};

/** The number that a value has after the operations so far. */
export const resolve = (value: Value, run: Execution): bigint => {
  if (typeof value === 'bigint') return value;
  if ('arena' in value) return BigInt.asUintN(64, run.base + value.arena);
  return outputOf(run.given.get(value.from), value.out);
};

/** A descriptor as the kernel takes it: the low 32 bits, signed. */
export const descriptorOf = (value: Value, run: Execution): Fd =>
  fileDescriptor(Number(BigInt.asIntN(32, resolve(value, run))));

const FIELDS: ReadonlyMap<string, ReadonlyMap<string, Field>> = new Map(
  [...LAYOUTS].map(([name, { fields }]) => [
    name,
    new Map(fields.map((field) => [field.name, field])),
  ]),
);

const bytesOf = (hex: string): Uint8Array => {
  const bytes = bytesOfHex(hex);
  if (bytes === undefined) throw new Error(`"${hex}" is not hexadecimal digits, two a byte.`);
  return bytes;
};

const layoutNamed = (name: string): Layout => {
  const layout = LAYOUTS.get(name);
  if (layout === undefined) {
    throw new Error(`No struct is called ${name}; the program is not of this version.`);
  }
  return layout;
};

const put = (bytes: Uint8Array, { offset, width }: Field, value: bigint): void => {
  if (width === 8) putU64(bytes, offset, value);
  else if (width === 4) putU32(bytes, offset, Number(BigInt.asUintN(32, value)));
  else putU16(bytes, offset, Number(BigInt.asUintN(16, value)));
};

const structBytes = (
  argument: Extract<Argument, { kind: 'struct' }>,
  layout: Layout,
  run: Execution,
): Uint8Array => {
  const tail = argument.tail === undefined ? 0 : argument.tail.length >> 1;
  const whole = zeroBytes(layout.size + tail);
  const fields = FIELDS.get(argument.layout);
  for (const name in argument.fields) {
    const field = fields?.get(name);
    if (field !== undefined) put(whole, field, resolve(argument.fields[name] as Value, run));
  }
  const length = Math.min(argument.length ?? layout.size, layout.size);
  if (tail > 0) whole.set(bytesOf(argument.tail as string), length);
  return length + tail === whole.length ? whole : whole.subarray(0, length + tail);
};

const wordsBytes = (words: readonly Value[], run: Execution): Uint8Array => {
  const bytes = zeroBytes(words.length * 8);
  words.forEach((word, index) => {
    putU64(bytes, index * 8, resolve(word, run));
  });
  return bytes;
};

const NO_WORDS: readonly WordsInMemory[] = [];

type Prepared = { readonly argument: bigint; readonly spans: readonly Segment[] };

/** The ioctl's argument, and the bytes to store in memory before the call. */
export const prepare = (argument: Argument, run: Execution): Prepared => {
  if (argument.kind === 'plain') return { argument: resolve(argument.value, run), spans: [] };
  const at = resolve(argument.at, run);
  if (argument.kind === 'bytes') {
    return {
      argument: at,
      spans: [{ address: userAddress(at), bytes: bytesOf(argument.hex) }],
    };
  }
  const bytes = structBytes(argument, layoutNamed(argument.layout), run);
  const spans: Segment[] = [{ address: userAddress(at), bytes }];
  for (const words of argument.also ?? NO_WORDS) {
    spans.push({
      address: userAddress(resolve(words.at, run)),
      bytes: wordsBytes(words.words, run),
    });
  }
  return { argument: at, spans };
};

const observed = (result: number, memory: readonly Segment[]): Observation =>
  result < 0 ? { result: -1, errno: -result, memory } : { result, errno: 0, memory };

const loadAll = (machine: Machine, spans: readonly Segment[]): Segment[] =>
  spans.map(({ address, bytes }) => ({ address, bytes: machine.load(address, bytes.length) }));

/** The outputs of an ioctl, from the memory of its argument after the call. */
export const givenBy = (argument: Argument, after: readonly Segment[], result: number): Given => ({
  result,
  struct:
    argument.kind === 'struct' && after[0] !== undefined
      ? { layout: argument.layout, bytes: after[0].bytes }
      : undefined,
});

const ioctl = (
  operation: Extract<Operation, { op: 'ioctl' }>,
  machine: Machine,
  run: Execution,
): Step => {
  const { argument, spans } = prepare(operation.argument, run);
  for (const { address, bytes } of spans) machine.store(address, bytes);
  const memory = loadAll(machine, spans);
  const fd = descriptorOf(operation.fd, run);
  const result = machine.ioctl(fd, operation.command, argument);
  const after = loadAll(machine, spans);
  run.given.set(operation.label, givenBy(operation.argument, after, result));
  return {
    label: operation.label,
    call: { kind: 'ioctl', process: PROCESS, fd, command: operation.command, argument, memory },
    observation: observed(result, after),
  };
};

type Dma = Extract<Operation, { op: 'dma' }>;

/** The transfer as a call; the memory that it reads is not added yet. */
export const dmaCallOf = (operation: Dma, run: Execution): DmaCall => ({
  kind: 'dma',
  process: PROCESS,
  fd: descriptorOf(operation.fd, run),
  direction: operation.direction,
  iova: resolve(operation.iova, run),
  length: operation.length,
  memory:
    operation.look === undefined
      ? []
      : [
          {
            address: userAddress(run.base + operation.look),
            bytes: new Uint8Array(operation.length),
          },
        ],
});

const dma = (operation: Dma, machine: Machine, run: Execution): Step => {
  const { label } = operation;
  const call = dmaCallOf(operation, run);
  const memory = loadAll(machine, call.memory);
  const result = machine.dma(call.fd, call.direction, call.iova, call.length);
  run.given.set(label, { result, struct: undefined });
  const after = loadAll(machine, call.memory);
  return { label, call: { ...call, memory }, observation: observed(result, after) };
};

/** The call of an operation that stores nothing in memory first. */
export const callOf = (operation: Exclude<Operation, { op: 'ioctl' | 'dma' }>, run: Execution) => {
  const process = PROCESS;
  switch (operation.op) {
    case 'open':
      return { kind: 'open', process, path: operation.path } as const;
    case 'close': {
      return { kind: 'close', process, fd: descriptorOf(operation.fd, run) } as const;
    }
    case 'memfd':
      return { kind: 'memfd', process, length: operation.length } as const;
    case 'mmap': {
      const { protection, shared, length } = operation;
      const address = userAddress(run.base + operation.offset);
      const backing: Backing =
        operation.backing.kind === 'memfd'
          ? {
              kind: 'memfd',
              fd: descriptorOf(operation.backing.fd, run),
              offset: operation.backing.offset,
            }
          : operation.backing;
      return { kind: 'mmap', process, address, length, protection, shared, backing } as const;
    }
    case 'munmap': {
      const address = userAddress(run.base + operation.offset);
      return { kind: 'munmap', process, address, length: operation.length } as const;
    }
    case 'status':
      return { kind: 'status', process, field: operation.field } as const;
    case 'store': {
      const address = userAddress(run.base + operation.offset);
      const memory: Segment = { address, bytes: bytesOf(operation.hex) };
      return { kind: 'store', process, memory } as const;
    }
  }
};

/** Its result, or -errno. */
const made = (call: ReturnType<typeof callOf>, machine: Machine): number => {
  switch (call.kind) {
    case 'open':
      return machine.open(call.path);
    case 'close':
      return machine.close(call.fd);
    case 'memfd':
      return machine.memfd(call.length);
    case 'mmap': {
      const { address, length, protection, shared, backing } = call;
      return machine.mmap(address, length, protection, shared, backing);
    }
    case 'munmap':
      return machine.munmap(call.address, call.length);
    case 'status':
      return machine.status(call.field);
    case 'store':
      return machine.store(call.memory.address, call.memory.bytes);
  }
};

const perform = (operation: Operation, machine: Machine, run: Execution): Step => {
  if (operation.op === 'ioctl') return ioctl(operation, machine, run);
  if (operation.op === 'dma') return dma(operation, machine, run);
  const { label } = operation;
  const call = callOf(operation, run);
  const result = made(call, machine);
  run.given.set(label, { result, struct: undefined });
  return { label, call, observation: observed(result, []) };
};

/**
 * Maps the arena and makes the calls of the program in order, each on demand. The machine must be
 * fresh.
 */
export function* stepsOfProgram(
  program: Program,
  machine: Machine,
  base: bigint = ARENA_BASE,
): Generator<Step> {
  mapArena(machine, base);
  const run: Execution = { base, given: new Map() };
  for (const operation of program) yield perform(operation, machine, run);
}

/** Like stepsOfProgram, all calls at once. */
export const runProgram = (
  program: Program,
  machine: Machine,
  base: bigint = ARENA_BASE,
): readonly Step[] => [...stepsOfProgram(program, machine, base)];
