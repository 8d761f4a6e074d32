// SPDX-License-Identifier: MIT
// How two answers to one request differ: in the result, in each field written, in each capability reported. Each
// difference is listed by itself.

import { LAYOUTS, type Operation } from '../../model/programs/program.ts';
import { errnoName } from '../../spec/abi/errno.ts';
import type { Field } from '../../spec/abi/layout.ts';
import { VFIO_GROUP_GET_DEVICE_FD } from '../../spec/abi/vfio.ts';
import type { Answered, DifferenceKind } from './answer-difference.ts';
import { infoDifferences } from './info-differences.ts';

/** Descriptor numbers depend on what the process has open, so they are not compared. */
const opens = (operation: Operation): boolean =>
  operation.op === 'open' ||
  (operation.op === 'ioctl' && operation.command === VFIO_GROUP_GET_DEVICE_FD);

const resultText = (operation: Operation, result: number): string => {
  if (result < 0) return `-1 ${errnoName(-result)}`;
  return opens(operation) ? 'a descriptor' : `${result}`;
};

const firstBytes = ({ after }: Answered): Uint8Array => after[0]?.bytes ?? new Uint8Array();

const numberAt = (bytes: Uint8Array, { offset, width }: Field): bigint | undefined => {
  if (offset + width > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 8) return view.getBigUint64(offset, true);
  return BigInt(width === 4 ? view.getUint32(offset, true) : view.getUint16(offset, true));
};

/** Most fields are: their numbers need not be made. */
const hasSameBytes = (one: Uint8Array, other: Uint8Array, { offset, width }: Field): boolean => {
  for (let at = offset; at < offset + width; at += 1) if (one[at] !== other[at]) return false;
  return true;
};

const words = (value: bigint | undefined): string =>
  value === undefined ? 'unreadable' : `0x${value.toString(16)}`;

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

/** Fields of the struct that differ after the call. */
function* fieldDifferences(
  layout: string,
  legacy: Uint8Array,
  compat: Uint8Array,
): Generator<DifferenceKind> {
  for (const field of LAYOUTS.get(layout)?.fields ?? []) {
    if (hasSameBytes(legacy, compat, field)) continue;
    const [one, other] = [numberAt(legacy, field), numberAt(compat, field)];
    if (one !== other) yield { what: field.name, legacy: words(one), compat: words(other) };
  }
}

/** Memory outside the struct: arrays and bitmaps that it points to. */
function* otherMemory(legacy: Answered, compat: Answered): Generator<DifferenceKind> {
  for (let index = 1; index < legacy.after.length; index += 1) {
    const one = hex(legacy.after[index]?.bytes ?? new Uint8Array());
    const other = hex(compat.after[index]?.bytes ?? new Uint8Array());
    if (one !== other) yield { what: 'memory beside the struct', legacy: one, compat: other };
  }
}

/** All differences between the two answers to the operation. */
export function* differenceKindsOf(
  operation: Operation,
  legacy: Answered,
  compat: Answered,
): Generator<DifferenceKind> {
  const results = [legacy.result, compat.result].map((result) => resultText(operation, result));
  if (results[0] !== results[1]) {
    yield { what: 'result', legacy: `${results[0]}`, compat: `${results[1]}` };
  }
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return;
  const { layout } = operation.argument;
  if (layout === 'VFIO_IOMMU_GET_INFO') {
    yield* infoDifferences(firstBytes(legacy), firstBytes(compat));
  } else {
    yield* fieldDifferences(layout, firstBytes(legacy), firstBytes(compat));
  }
  yield* otherMemory(legacy, compat);
}
