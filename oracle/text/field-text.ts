// SPDX-License-Identifier: MIT
// One field's value as text, by the field's kind.

import { match } from 'ts-pattern';
import { hexOf } from '../../spec/abi/bytes-text.ts';
import type { Field } from '../../spec/abi/layout.ts';
import { hex, length, size } from './quantities.ts';
import { flagsText, valueName } from './value-names.ts';

/** Fields of 64 bits that have a meaning of their own. */
const PAGE_SIZES = new Set(['iova_pgsizes']);
const LENGTHS = new Set(['out_iova_alignment', 'page_size']);

/** "4 KiB, 2 MiB" of a bitmap in which bit n stands for 2^n bytes; neighbouring sizes are a range. */
export const pageSizesText = (bitmap: bigint): string => {
  const parts: string[] = [];
  for (let bit = 0n; bit < 64n; ) {
    if (((bitmap >> bit) & 1n) === 0n) {
      bit += 1n;
      continue;
    }
    let end = bit;
    while (((bitmap >> (end + 1n)) & 1n) === 1n && end < 63n) end += 1n;
    if (end - bit >= 2n) parts.push(`${size(1n << bit)} to ${size(1n << end)}`);
    else for (let each = bit; each <= end; each += 1n) parts.push(size(1n << each));
    bit = end + 1n;
  }
  return parts.length === 0 ? 'none' : parts.join(', ');
};

const small = (value: number): string => (value < 0x1_0000 ? `${value}` : hex(value));

const wide = (name: string, value: bigint): string => {
  if (PAGE_SIZES.has(name)) return `${hex(value)} (${pageSizesText(value)})`;
  if (LENGTHS.has(name)) return length(value);
  return value < 10n ? `${value}` : hex(value);
};

const numberAt = (field: Field, bytes: Uint8Array): number | bigint => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (field.width) {
    case 2:
      return view.getUint16(0, true);
    case 4:
      return field.kind === 'fd' ? view.getInt32(0, true) : view.getUint32(0, true);
    default:
      return view.getBigUint64(0, true);
  }
};

/** The value of a field as text; its bytes in hexadecimal if the memory ends within the field. */
export const fieldText = (call: string, field: Field, bytes: Uint8Array): string => {
  if (bytes.length < field.width) {
    return `${hexOf(bytes)}, ${bytes.length} of its ${field.width} bytes`;
  }
  const value = numberAt(field, bytes);
  return match(field)
    .with({ kind: 'flags' }, ({ name }) => flagsText(call, name, Number(value)))
    .with(
      { kind: 'operation' },
      { kind: 'u16' },
      { kind: 'u32' },
      ({ name }) => valueName(call, name, Number(value)) ?? small(Number(value)),
    )
    .with({ kind: 'size' }, { kind: 'argsz' }, { kind: 'id' }, { kind: 'fd' }, () => `${value}`)
    .with({ kind: 'reserved' }, { kind: 'reserved16' }, () => (value === 0 ? '0' : hex(value)))
    .with({ kind: 'length' }, () => length(BigInt(value)))
    .with({ kind: 'iova' }, { kind: 'address' }, () => hex(value))
    .with({ kind: 'u64' }, ({ name }) => wide(name, BigInt(value)))
    .exhaustive();
};
