// Runs a program against a machine: resolves handles, prepares memory, makes the calls and writes down what
// was seen. It judges nothing, so that it can stand inside a virtual machine.

import { encode, fieldOf, type Layout } from '../../spec/abi/layout.ts';
import { fileDescriptor, userAddress } from '../../spec/abi/units.ts';
import type { Backing, Call, Observation, Segment } from '../../spec/call.ts';
import type { Machine } from '../machine.ts';
import { ARENA_BASE, mapArena } from './arena.ts';
import { type Argument, LAYOUTS, type Operation, type Program, type Value } from './program.ts';

/** One operation as it was made, and what came of it. */
export type Step = {
  readonly label: string;
  readonly call: Call;
  readonly observation: Observation;
};

/** What operations gave, for those that come later. */
export type Results = Map<string, Readonly<Record<string, bigint>>>;

export type Place = { readonly base: bigint; readonly results: Results };

/** Programs run in one process. */
export const PROCESS = 1;

/** The number that a value stands for, now that the operations before it have given what they gave. */
export const resolve = (value: Value, place: Place): bigint => {
  if (typeof value === 'bigint') return value;
  if ('arena' in value) return BigInt.asUintN(64, place.base + value.arena);
  return place.results.get(value.from)?.[value.out] ?? 0n;
};

const bytesOfHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

const layoutNamed = (name: string): Layout => {
  const layout = LAYOUTS.get(name);
  if (layout === undefined)
    throw new Error(`No struct is called ${name}; the program is not of this version.`);
  return layout;
};

const structBytes = (
  argument: Extract<Argument, { kind: 'struct' }>,
  layout: Layout,
  place: Place,
): Uint8Array => {
  const values: Record<string, bigint> = {};
  for (const [name, value] of Object.entries(argument.fields)) values[name] = resolve(value, place);
  const whole = encode(layout, values);
  const head = argument.length === undefined ? whole : whole.subarray(0, argument.length);
  if (argument.tail === undefined) return head;
  const tail = bytesOfHex(argument.tail);
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
};

const wordsBytes = (words: readonly Value[], place: Place): Uint8Array => {
  const bytes = new Uint8Array(words.length * 8);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => {
    view.setBigUint64(index * 8, BigInt.asUintN(64, resolve(word, place)), true);
  });
  return bytes;
};

type Prepared = { readonly argument: bigint; readonly stretches: readonly Segment[] };

/** The ioctl's argument, and the bytes to be put into memory before the call. */
export const prepare = (argument: Argument, place: Place): Prepared => {
  if (argument.kind === 'plain') return { argument: resolve(argument.value, place), stretches: [] };
  const at = resolve(argument.at, place);
  if (argument.kind === 'bytes') {
    return {
      argument: at,
      stretches: [{ address: userAddress(at), bytes: bytesOfHex(argument.hex) }],
    };
  }
  const bytes = structBytes(argument, layoutNamed(argument.layout), place);
  return {
    argument: at,
    stretches: [
      { address: userAddress(at), bytes },
      ...(argument.also ?? []).map((words) => ({
        address: userAddress(resolve(words.at, place)),
        bytes: wordsBytes(words.words, place),
      })),
    ],
  };
};

const observed = (result: number, memory: readonly Segment[]): Observation =>
  result < 0 ? { result: -1, errno: -result, memory } : { result, errno: 0, memory };

const loadAll = (machine: Machine, stretches: readonly Segment[]): Segment[] =>
  stretches.map(({ address, bytes }) => ({ address, bytes: machine.load(address, bytes.length) }));

/** What later operations may refer to: the result, and the struct's fields as they stand after the call. */
export const outputsOf = (
  argument: Argument,
  after: readonly Segment[],
  result: number,
): Readonly<Record<string, bigint>> => {
  const outputs: Record<string, bigint> = { result: BigInt(Math.max(result, 0)) };
  if (argument.kind !== 'struct' || result < 0) return outputs;
  const layout = layoutNamed(argument.layout);
  const bytes = after[0]?.bytes ?? new Uint8Array();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const { name } of layout.fields) {
    const field = fieldOf(layout, name);
    if (field.offset + field.width > bytes.length) continue;
    outputs[name] =
      field.width === 8
        ? view.getBigUint64(field.offset, true)
        : BigInt(
            field.width === 4
              ? view.getUint32(field.offset, true)
              : view.getUint16(field.offset, true),
          );
  }
  return outputs;
};

const ioctl = (
  operation: Extract<Operation, { op: 'ioctl' }>,
  machine: Machine,
  place: Place,
): Step => {
  const { argument, stretches } = prepare(operation.argument, place);
  for (const { address, bytes } of stretches) machine.store(address, bytes);
  const memory = loadAll(machine, stretches);
  const fd = fileDescriptor(Number(BigInt.asIntN(32, resolve(operation.fd, place))));
  const result = machine.ioctl(fd, operation.command, argument);
  const after = loadAll(machine, stretches);
  place.results.set(operation.label, outputsOf(operation.argument, after, result));
  return {
    label: operation.label,
    call: { kind: 'ioctl', process: PROCESS, fd, command: operation.command, argument, memory },
    observation: observed(result, after),
  };
};

const perform = (operation: Operation, machine: Machine, place: Place): Step => {
  const { label } = operation;
  const remember = (call: Call, result: number): Step => {
    place.results.set(label, { result: BigInt(Math.max(result, 0)) });
    return { label, call, observation: observed(result, []) };
  };
  switch (operation.op) {
    case 'open':
      return remember(
        { kind: 'open', process: PROCESS, path: operation.path },
        machine.open(operation.path),
      );
    case 'close': {
      const fd = fileDescriptor(Number(resolve(operation.fd, place)));
      return remember({ kind: 'close', process: PROCESS, fd }, machine.close(fd));
    }
    case 'ioctl':
      return ioctl(operation, machine, place);
    case 'memfd':
      return remember(
        { kind: 'memfd', process: PROCESS, length: operation.length },
        machine.memfd(operation.length),
      );
    case 'mmap': {
      const { protection, shared, length } = operation;
      const address = userAddress(place.base + operation.offset);
      const backing: Backing =
        operation.backing.kind === 'memfd'
          ? {
              kind: 'memfd',
              fd: fileDescriptor(Number(resolve(operation.backing.fd, place))),
              offset: operation.backing.offset,
            }
          : operation.backing;
      return remember(
        { kind: 'mmap', process: PROCESS, address, length, protection, shared, backing },
        machine.mmap(address, length, protection, shared, backing),
      );
    }
    case 'munmap': {
      const address = userAddress(place.base + operation.offset);
      return remember(
        { kind: 'munmap', process: PROCESS, address, length: operation.length },
        machine.munmap(address, operation.length),
      );
    }
    case 'store': {
      const address = userAddress(place.base + operation.offset);
      const bytes = bytesOfHex(operation.hex);
      return remember(
        { kind: 'store', process: PROCESS, memory: { address, bytes } },
        machine.store(address, bytes),
      );
    }
  }
};

/** Maps the arena and makes every call of the program, in order. The machine must be fresh. */
export const runProgram = (
  program: Program,
  machine: Machine,
  base: bigint = ARENA_BASE,
): readonly Step[] => {
  mapArena(machine, base);
  const place: Place = { base, results: new Map() };
  return program.map((operation) => perform(operation, machine, place));
};
