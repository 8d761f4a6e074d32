// SPDX-License-Identifier: MIT
// The bytes of an ioctl's argument as the argument of an operation: fields by their names, and bytes where there are none.

import {
  type Argument,
  LAYOUTS,
  type Value,
  type WordsInMemory,
} from '../../model/programs/program.ts';
import { hexOf } from '../../spec/abi/bytes-text.ts';
import type { Field, Layout } from '../../spec/abi/layout.ts';
import { offsetOfNumber } from './data-area.ts';
import { NotCarriedOver } from './not-carried-over.ts';
import type { Cell, Image } from './struct-image.ts';

const numberAt = (bytes: Uint8Array, { offset, width }: Field): bigint => {
  let value = 0n;
  for (let at = offset + width - 1; at >= offset; at -= 1) {
    value = (value << 8n) | BigInt(bytes[at] ?? 0);
  }
  return value;
};

/** A result may be narrower than the field if nothing else is in it. */
const fills = ({ offset, width }: Cell, field: Field): boolean =>
  offset === field.offset && width <= field.width;

const fieldValue = ({ bytes, cells }: Image, field: Field): Value => {
  const cell = cells.find((candidate) => fills(candidate, field));
  const number = numberAt(bytes, field);
  if (cell !== undefined && number === 0n) return cell.value;
  const area = field.kind === 'address' ? offsetOfNumber(number) : undefined;
  return area === undefined ? number : { arena: area };
};

/** The first byte that is not 0 and in no field; the length where there is none. */
const gapOf = (bytes: Uint8Array, { fields, size }: Layout): number => {
  const end = Math.min(bytes.length, size);
  const isInField = new Array<boolean>(end).fill(false);
  for (const { offset, width } of fields) isInField.fill(true, offset, offset + width);
  const gap = isInField.findIndex((inField, at) => !inField && bytes[at] !== 0);
  return gap < 0 ? end : gap;
};

const structArgument = (
  image: Image,
  at: Value,
  struct: string,
  layout: Layout,
  also: readonly WordsInMemory[],
): Argument => {
  const { bytes, cells } = image;
  const length = gapOf(bytes, layout);
  const stray = cells.find(
    (cell) => cell.offset >= length || !layout.fields.some((field) => fills(cell, field)),
  );
  if (stray !== undefined) {
    throw new NotCarriedOver(
      `a result or a pointer at byte ${stray.offset} is in no field of ${struct}`,
    );
  }
  const fields: Record<string, Value> = {};
  for (const field of layout.fields) {
    if (field.offset >= length) continue;
    const value = fieldValue(image, field);
    if (value !== 0n) fields[field.name] = value;
  }
  const tail = bytes.subarray(length);
  return {
    kind: 'struct',
    at,
    layout: struct,
    fields,
    ...(length < layout.size ? { length } : {}),
    ...(tail.length > 0 ? { tail: hexOf(tail) } : {}),
    ...(also.length > 0 ? { also } : {}),
  };
};

/** `struct` is a name in LAYOUTS; undefined where the bytes are those of no struct. Throws NotCarriedOver. */
export const argumentOf = (
  image: Image,
  at: Value,
  struct: string | undefined,
  also: readonly WordsInMemory[],
): Argument => {
  const layout = struct === undefined ? undefined : LAYOUTS.get(struct);
  if (struct !== undefined && layout !== undefined) {
    return structArgument(image, at, struct, layout, also);
  }
  if (image.cells.length > 0) {
    throw new NotCarriedOver('a result or a pointer is in bytes whose fields are not known');
  }
  return { kind: 'bytes', at, hex: hexOf(image.bytes) };
};
