// SPDX-License-Identifier: MIT
// The memory that the operations of a program name: their structs, and what those point at.

import {
  type Argument,
  LAYOUTS,
  type Operation,
  type Value,
} from '../../model/programs/program.ts';

/** Bytes from the start of the arena or of the data area. */
export type Span = { readonly offset: bigint; readonly length: bigint };

/** As much as a kernel reads or writes of a struct whose size the program says. */
const STRUCT_MAX = 8192n;
/** Of an argument of which nothing is known. */
const UNKNOWN = 72n;
const PAGE = 4096n;

type Struct = Extract<Argument, { kind: 'struct' }>;

const numberOf = (value: Value | undefined): bigint | undefined =>
  typeof value === 'bigint' ? BigInt.asUintN(64, value) : undefined;

/** A field that is not there is 0; of a result nothing is known. */
const lengthOf = ({ fields }: Struct, name: string, unit = 1n): bigint => {
  const value = fields[name];
  return value === undefined ? 0n : (numberOf(value) ?? PAGE) * unit;
};

/** Bytes behind an address of a struct. */
const pointedLength = (struct: Struct, field: string): bigint => {
  switch (field) {
    case 'allowed_iovas':
      return lengthOf(struct, 'num_iovas', 16n);
    case 'data_uptr':
      return lengthOf(struct, 'data_len');
    case 'vaddr':
      return lengthOf(struct, 'size');
    case 'bitmap_data':
      return lengthOf(struct, 'bitmap_size');
    case 'data':
      return PAGE;
    default:
      return lengthOf(struct, 'length');
  }
};

const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);
const most = (one: bigint, other: bigint): bigint => (one > other ? one : other);

const spanAt = (at: Value, length: bigint): readonly Span[] =>
  typeof at === 'object' && 'arena' in at ? [{ offset: at.arena, length }] : [];

function* spansOfStruct(struct: Struct): Generator<Span> {
  const layout = LAYOUTS.get(struct.layout);
  const size = numberOf(struct.fields.size ?? struct.fields.argsz) ?? 0n;
  const tail = BigInt((struct.tail ?? '').length >> 1);
  const put = BigInt(struct.length ?? layout?.size ?? 0) + tail;
  yield* spanAt(struct.at, most(put, least(size, STRUCT_MAX)));
  for (const { at, words } of struct.also ?? []) yield* spanAt(at, BigInt(8 * words.length));
  for (const [name, value] of Object.entries(struct.fields)) {
    yield* spanAt(value, pointedLength(struct, name));
  }
}

/** Without the ranges that mmap and munmap change. */
export function* spansOf(operation: Operation): Generator<Span> {
  if (operation.op === 'store') {
    yield { offset: operation.offset, length: BigInt(operation.hex.length >> 1) };
  }
  if (operation.op !== 'ioctl') return;
  const { argument } = operation;
  switch (argument.kind) {
    case 'struct':
      yield* spansOfStruct(argument);
      return;
    case 'bytes':
      yield* spanAt(argument.at, most(BigInt(argument.hex.length >> 1), UNKNOWN));
      return;
    case 'plain':
      yield* spanAt(argument.value, UNKNOWN);
      return;
  }
}
