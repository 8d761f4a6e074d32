// SPDX-License-Identifier: MIT
// Struct layouts as data, and the functions that decode and encode structs. All layouts are little-endian, as x86-64
// and arm64 are.

import { copyOfBytes, putU16, putU32, putU64, u16At, u32At, u64At, zeroBytes } from './bytes.ts';
import type { ByteLength, Fd, Iova, ObjectId, UserAddress } from './units.ts';

/** The kinds of fields. A kind determines the width of a field and the type of its value. */
type Kinds = {
  /** A plain number of 16 or 32 bits. */
  readonly u16: number;
  readonly u32: number;
  /** The first member of every native struct: the size of the program's struct in bytes. */
  readonly size: number;
  /** The first member of every VFIO struct, with the same meaning. */
  readonly argsz: number;
  readonly flags: number;
  /** The operation, in calls that have several. */
  readonly operation: number;
  /** Must be zero. */
  readonly reserved: number;
  readonly reserved16: number;
  readonly id: ObjectId;
  readonly fd: Fd;
  readonly u64: bigint;
  readonly iova: Iova;
  readonly address: UserAddress;
  readonly length: ByteLength;
};

export type Kind = keyof Kinds;

const WIDTH: Readonly<Record<Kind, 2 | 4 | 8>> = {
  u16: 2,
  reserved16: 2,
  u32: 4,
  size: 4,
  argsz: 4,
  flags: 4,
  operation: 4,
  reserved: 4,
  id: 4,
  fd: 4,
  u64: 8,
  iova: 8,
  address: 8,
  length: 8,
};

export type Field = {
  readonly name: string;
  readonly kind: Kind;
  /** Bytes from the start of the struct. */
  readonly offset: number;
  readonly width: 2 | 4 | 8;
};

type FieldTable = Readonly<Record<string, readonly [kind: Kind, offset: number]>>;

/** A struct of the ABI. `size` is its sizeof, padding included. */
export type Layout<Table extends FieldTable = FieldTable> = {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly Field[];
  readonly table: Table;
};

/** The values of a struct's fields by name. */
export type Values<L extends Layout> = {
  readonly [Name in keyof L['table']]: Kinds[L['table'][Name][0]];
};

export const struct = <const Table extends FieldTable>(
  name: string,
  size: number,
  table: Table,
): Layout<Table> => ({
  name,
  size,
  table,
  fields: Object.entries(table).map(([field, [kind, offset]]) => ({
    name: field,
    kind,
    offset,
    width: WIDTH[kind],
  })),
});

/** The field with the name. Throws if the layout has none, which is a mistake in this project. */
export const fieldOf = (layout: Layout, name: string): Field => {
  const field = layout.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`${layout.name} has no field ${name}`);
  return field;
};

const readField = (bytes: Uint8Array, { kind, width, offset }: Field): number | bigint => {
  if (width === 8) return u64At(bytes, offset);
  if (width === 2) return u16At(bytes, offset);
  return kind === 'fd' ? u32At(bytes, offset) | 0 : u32At(bytes, offset);
};

/** The values of the fields. Missing bytes count as 0, as in the kernel if a program passes a shorter struct. */
export const decode = <L extends Layout>(layout: L, bytes: Uint8Array): Values<L> => {
  let whole = bytes;
  if (bytes.length < layout.size) {
    whole = zeroBytes(layout.size);
    whole.set(bytes);
  }
  const values: Record<string, number | bigint> = {};
  for (const field of layout.fields) values[field.name] = readField(whole, field);
  return values as Values<L>;
};

const storeInto = (
  bytes: Uint8Array,
  { width }: Field,
  offset: number,
  value: number | bigint,
): void => {
  if (width === 8) putU64(bytes, offset, BigInt(value));
  else if (width === 4) putU32(bytes, offset, Number(value));
  else putU16(bytes, offset, Number(value));
};

/** A copy of the struct's bytes with one field changed. The value wraps to the width. */
export const withField = (
  bytes: Uint8Array,
  field: Field,
  value: number | bigint,
): Uint8Array<ArrayBuffer> => {
  const copy = copyOfBytes(bytes);
  storeInto(copy, field, field.offset, value);
  return copy;
};

/** The bytes of one field. The value wraps to the width. */
export const fieldBytes = (field: Field, value: number | bigint): Uint8Array => {
  const bytes = zeroBytes(field.width);
  storeInto(bytes, field, 0, value);
  return bytes;
};

/** Values for some fields of a struct. Each wraps to the width of its field. */
export type SomeValues<L extends Layout> = Partial<{
  readonly [Name in keyof Values<L>]: number | bigint;
}>;

const storeFields = (layout: Layout, bytes: Uint8Array, values: SomeValues<Layout>): void => {
  for (const field of layout.fields) {
    const value = values[field.name];
    if (value !== undefined) storeInto(bytes, field, field.offset, value);
  }
};

/** The bytes of the struct, `layout.size` of them. Other fields are 0. */
export const encode = <L extends Layout>(
  layout: L,
  values: SomeValues<L>,
): Uint8Array<ArrayBuffer> => {
  const bytes = zeroBytes(layout.size);
  storeFields(layout, bytes, values);
  return bytes;
};

/** A copy of the struct's bytes with some fields changed. */
export const withFields = <L extends Layout>(
  layout: L,
  bytes: Uint8Array,
  changes: SomeValues<L>,
): Uint8Array<ArrayBuffer> => {
  const copy = copyOfBytes(bytes);
  storeFields(layout, copy, changes);
  return copy;
};
