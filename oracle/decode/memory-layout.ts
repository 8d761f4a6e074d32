// SPDX-License-Identifier: MIT
// The layout of a call's memory: the fields of its struct, the padding between and after them, and the arrays
// and buffers that it points at. Bytes are shown and compared by these names.

import { decode, type Layout } from '../../spec/abi/layout.ts';
import * as native from '../../spec/abi/native.ts';
import { ACCESS_RW, DIRTY } from '../../spec/abi/test.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import type { IoctlCall } from '../../spec/terms/call.ts';
import { fieldText } from '../text/field-text.ts';
import { bytesText, hex, range } from '../text/quantities.ts';
import { BUFFER_BYTES_SHOWN } from '../text/verbosity.ts';
import type { CallShape } from './call-shape.ts';

export type MemoryPart = {
  readonly name: string;
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
  /** The value of these bytes, `length` of them. */
  readonly text: (bytes: Uint8Array) => string;
  /** Whether the bytes are not worth showing. */
  readonly idle: (bytes: Uint8Array) => boolean;
};

const never = (): boolean => false;
const allZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);
const always = (): boolean => true;
const digits = (bytes: Uint8Array): string => bytesText(bytes, BUFFER_BYTES_SHOWN);

const gap = (at: bigint, from: number, to: number): MemoryPart => ({
  name: to - from === 1 ? `byte ${from} (padding)` : `bytes ${from} to ${to - 1} (padding)`,
  address: at + BigInt(from),
  length: to - from,
  text: digits,
  idle: always,
});

/** The fields of a struct at an address, and the padding between and after them. */
const fieldsOf = (call: string, layout: Layout, at: bigint, prefix = ''): readonly MemoryPart[] => {
  const parts: MemoryPart[] = [];
  let end = 0;
  for (const field of [...layout.fields].sort((a, b) => a.offset - b.offset)) {
    if (field.offset > end) parts.push(gap(at, end, field.offset));
    const { kind } = field;
    const idle =
      kind === 'reserved' || kind === 'reserved16' || field.name === '__reserved'
        ? allZero
        : kind === 'size' || kind === 'argsz'
          ? (bytes: Uint8Array) =>
              bytes.length === 4 &&
              new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === layout.size
          : never;
    parts.push({
      name: `${prefix}${field.name}`,
      address: at + BigInt(field.offset),
      length: field.width,
      text: (bytes) => fieldText(call, field, bytes),
      idle,
    });
    end = field.offset + field.width;
  }
  if (end < layout.size) parts.push(gap(at, end, layout.size));
  return parts;
};

const rangeText = (bytes: Uint8Array): string => {
  const { start, last } = decode(native.IOVA_RANGE, bytes);
  return range(start, last);
};

const ranges = (name: string, at: bigint, count: number): readonly MemoryPart[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `${name}[${index}]`,
    address: at + BigInt(index * native.IOVA_RANGE.size),
    length: native.IOVA_RANGE.size,
    text: rangeText,
    idle: never,
  }));

const buffer = (name: string, address: bigint, length: number): MemoryPart => ({
  name,
  address,
  length,
  text: digits,
  idle: never,
});

/** The known bytes of a bitmap of so many bits. */
const bitmap = (call: IoctlCall, address: bigint, bits: bigint): readonly MemoryPart[] => {
  const length = (bits + 7n) / 8n;
  const known = bytesIn(call.memory, address, KNOWN_AT_MOST).length;
  const shown = length < BigInt(known) ? Number(length) : known;
  return shown === 0 ? [] : [buffer('the bitmap', address, shown)];
};

/** More than any call passes. */
const KNOWN_AT_MOST = 2 ** 31 - 1;

const bitsOf = (length: bigint, pageSize: bigint): bigint =>
  pageSize === 0n ? 0n : (length + pageSize - 1n) / pageSize;

const roundUp = (length: number): number => (length + 7) & ~7;

/** The capabilities after VFIO_IOMMU_GET_INFO's struct; a legacy container has MIGRATION before the others. */
const capabilities = (call: IoctlCall, isLegacy: boolean): readonly MemoryPart[] => {
  const info = vfio.VFIO_IOMMU_TYPE1_INFO;
  const room = call.memory[0]?.bytes.length ?? 0;
  const migration = call.argument + BigInt(info.size);
  const available = isLegacy ? migration + BigInt(vfio.VFIO_CAP_MIGRATION.size) : migration;
  const first = available + BigInt(roundUp(vfio.VFIO_CAP_DMA_AVAIL.size));
  const elements = first + BigInt(vfio.VFIO_CAP_IOVA_RANGE.size);
  const end = call.argument + BigInt(room);
  const count = elements < end ? Number((end - elements) / BigInt(native.IOVA_RANGE.size)) : 0;
  const parts = [
    ...(isLegacy ? fieldsOf('', vfio.VFIO_CAP_MIGRATION, migration, 'MIGRATION.') : []),
    ...fieldsOf('', vfio.VFIO_CAP_DMA_AVAIL, available, 'DMA_AVAIL.'),
    gap(available, vfio.VFIO_CAP_DMA_AVAIL.size, roundUp(vfio.VFIO_CAP_DMA_AVAIL.size)),
    ...fieldsOf('', vfio.VFIO_CAP_IOVA_RANGE, first, 'IOVA_RANGE.'),
    ...ranges('IOVA_RANGE.iova_ranges', elements, count),
  ];
  // The program passes nothing there.
  return parts.map((part) => ({ ...part, idle: always }));
};

/** The memory that the struct points at. */
const pointedAt = (
  shape: CallShape,
  call: IoctlCall,
  struct: Uint8Array,
): readonly MemoryPart[] => {
  switch (shape.name) {
    case 'IOMMU_IOAS_ALLOW_IOVAS':
    case 'IOMMU_IOAS_IOVA_RANGES': {
      const values = decode(native.IOMMU_IOAS_ALLOW_IOVAS, struct);
      const known = call.memory
        .filter(({ address }) => address === values.allowed_iovas)
        .map(({ bytes }) => Math.floor(bytes.length / native.IOVA_RANGE.size));
      return ranges(
        'allowed_iovas',
        values.allowed_iovas,
        Math.min(values.num_iovas, Math.max(0, ...known)),
      );
    }
    case 'IOMMU_HWPT_ALLOC': {
      const { data_uptr, data_len } = decode(native.IOMMU_HWPT_ALLOC, struct);
      return data_len === 0 ? [] : [buffer('data', data_uptr, data_len)];
    }
    case 'IOMMU_TEST_CMD ACCESS_RW': {
      const { uptr, length } = decode(ACCESS_RW, struct);
      return length === 0n ? [] : [buffer('the buffer', uptr, Number(length & 0xff_ffffn))];
    }
    case 'IOMMU_HWPT_GET_DIRTY_BITMAP': {
      const { data, length, page_size } = decode(native.IOMMU_HWPT_GET_DIRTY_BITMAP, struct);
      return bitmap(call, data, bitsOf(length, page_size));
    }
    case 'IOMMU_TEST_CMD DIRTY': {
      const { uptr, length, page_size } = decode(DIRTY, struct);
      return bitmap(call, uptr, bitsOf(length, page_size));
    }
    case 'VFIO_IOMMU_UNMAP_DMA':
    case 'VFIO_IOMMU_DIRTY_PAGES': {
      // Without a bitmap the struct ends before it.
      const layout = vfio.VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET;
      if (shape.layout?.size !== layout.size) return [];
      const { bitmap_data, bitmap_size } = decode(layout, struct);
      return bitmap(call, bitmap_data, bitmap_size * 8n);
    }
    case 'VFIO_IOMMU_GET_INFO':
      return capabilities(call, shape.legacy === true);
    default:
      return [];
  }
};

const nameText = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  const text = String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
  return `"${text.replace(/[^ -~]/g, '?')}"${end < 0 ? ' ...' : ''}`;
};

/** The bytes at an address in one of the segments, up to `length`. */
export const bytesIn = (
  segments: readonly { readonly address: bigint; readonly bytes: Uint8Array }[],
  address: bigint,
  length: number,
): Uint8Array => {
  for (const { address: start, bytes } of segments) {
    const from = address - start;
    if (from >= 0n && from < BigInt(bytes.length)) {
      return bytes.subarray(Number(from), Number(from) + length);
    }
  }
  return new Uint8Array();
};

/** The name of bytes that no part covers. `length` in bytes. */
export const partName = (call: IoctlCall | undefined, address: bigint, length: number): string => {
  const from = call === undefined ? -1n : address - call.argument;
  const known = BigInt(call?.memory[0]?.bytes.length ?? 0);
  if (from < 0n || from >= known) return `memory at ${hex(address)}`;
  const last = from + BigInt(Math.max(length, 1)) - 1n;
  return from === last
    ? `byte ${from} of the argument`
    : `bytes ${from} to ${last} of the argument`;
};

/** Every known part of the call's memory, by address; bytes after the struct come last. */
export const memoryPartsOf = (shape: CallShape, call: IoctlCall): readonly MemoryPart[] => {
  const segment = call.memory[0];
  if (shape.argument === 'text') {
    const length = segment?.bytes.length ?? 0;
    const name = { name: 'name', address: call.argument, length, text: nameText, idle: never };
    return length === 0 ? [] : [name];
  }
  if (shape.layout === undefined) {
    const length = segment?.bytes.length ?? 0;
    return length === 0 ? [] : [buffer('bytes', call.argument, length)];
  }
  const { layout } = shape;
  const struct = bytesIn(call.memory, call.argument, layout.size);
  const pointed = pointedAt(shape, call, struct);
  const tail = (segment?.bytes.length ?? 0) - layout.size;
  const parts = [...fieldsOf(shape.name, layout, call.argument), ...pointed];
  if (tail <= 0 || shape.name === 'VFIO_IOMMU_GET_INFO') return parts;
  return [
    ...parts,
    {
      name: `${tail} ${tail === 1 ? 'byte' : 'bytes'} after the struct`,
      address: call.argument + BigInt(layout.size),
      length: tail,
      text: digits,
      idle: shape.name.startsWith('VFIO_') ? always : allZero,
    },
  ];
};
