// SPDX-License-Identifier: MIT
// copy_from_user() and copy_to_user(). In a recording, only the bytes that it shows are known.

import { u32At } from '../abi/bytes.ts';
import { userAddress } from '../abi/units.ts';
import { bytesAt } from '../memory/contents.ts';
import { accessible } from '../memory/user-access.ts';
import type { Memory } from '../state/memory.ts';
import type { IoctlCall, Segment } from '../terms/call.ts';

export type Loaded =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** A byte is not mapped, or may not be read. */
  | { readonly kind: 'fault' }
  /** The recording does not show all of the bytes; `bytes` has those that it shows. */
  | { readonly kind: 'unknown'; readonly bytes: Uint8Array };

const segmentHolding = (call: IoctlCall, address: bigint): Segment | undefined => {
  for (const segment of call.memory) {
    if (address === segment.address) return segment;
    const from = address - segment.address;
    if (from >= 0n && from <= BigInt(segment.bytes.length)) return segment;
  }
  return undefined;
};

/** `length` bytes of a segment; undefined if the segment does not have all of them. */
const partOf = (
  { address, bytes }: Segment,
  start: bigint,
  length: number,
): Uint8Array | undefined => {
  const from = start === address ? 0 : Number(start - address);
  if (from + length > bytes.length) return undefined;
  return length === bytes.length ? bytes : bytes.subarray(from, from + length);
};

// A recording shows as many bytes of a struct as its first member says, between 4 and 8192, and fewer only if the
// memory could not be read.
const RECORDED_MINIMUM = 4;
const RECORDED_MAXIMUM = 8192;

const recordedBeyond = (segment: Segment, from: number): Loaded => {
  const { bytes } = segment;
  if (bytes.length < RECORDED_MINIMUM) return { kind: 'fault' };
  const declared = Math.min(Math.max(u32At(bytes, 0), RECORDED_MINIMUM), RECORDED_MAXIMUM);
  return bytes.length < declared
    ? { kind: 'fault' }
    : { kind: 'unknown', bytes: bytes.subarray(from) };
};

/** The kernel's read of `length` bytes at an address of the calling process. */
export const load = (memory: Memory, call: IoctlCall, address: bigint, length: number): Loaded => {
  if (length === 0) return { kind: 'bytes', bytes: new Uint8Array() };
  const segment = segmentHolding(call, address);
  if (memory.knowledge === 'complete') {
    if (accessible(memory, call.process, address, length, false) < length) return { kind: 'fault' };
    if (segment !== undefined) {
      const bytes = partOf(segment, address, length);
      if (bytes !== undefined) return { kind: 'bytes', bytes };
    }
    return { kind: 'bytes', bytes: bytesAt(memory, call.process, address, length) };
  }
  if (segment === undefined) return { kind: 'unknown', bytes: new Uint8Array() };
  const bytes = partOf(segment, address, length);
  return bytes === undefined
    ? recordedBeyond(segment, Number(address - segment.address))
    : { kind: 'bytes', bytes };
};

/** The bytes from an address up to the first that cannot be read. */
export const readablePrefix = (
  memory: Memory,
  call: IoctlCall,
  address: bigint,
  length: number,
): { readonly bytes: Uint8Array; readonly fault: boolean } => {
  if (memory.knowledge === 'complete') {
    const count = accessible(memory, call.process, address, length, false);
    const loaded = load(memory, call, address, count);
    const bytes = loaded.kind === 'bytes' ? loaded.bytes : new Uint8Array();
    return { bytes, fault: count < length };
  }
  const loaded = load(memory, call, address, length);
  if (loaded.kind === 'bytes') return { bytes: loaded.bytes, fault: false };
  const segment = segmentHolding(call, address);
  const bytes = segment?.bytes.subarray(Number(address - segment.address)) ?? new Uint8Array();
  return { bytes, fault: loaded.kind === 'fault' };
};

/** How many of `length` bytes at an address of the process the kernel can write. */
export const writableLength = (
  memory: Memory,
  process: number,
  address: bigint,
  length: number,
): number =>
  memory.knowledge === 'recorded' ? length : accessible(memory, process, address, length, true);

export type Written = {
  /** False if a byte is not mapped, or may not be written. */
  readonly whole: boolean;
  /** The bytes that were written. */
  readonly write: Segment;
};

/** The kernel's write at an address of the calling process. The memory of a recording is assumed to be writable. */
export const write = (
  memory: Memory,
  process: number,
  address: bigint,
  bytes: Uint8Array,
): Written => {
  const at = userAddress(address);
  const length = writableLength(memory, process, address, bytes.length);
  return length === bytes.length
    ? { whole: true, write: { address: at, bytes } }
    : { whole: false, write: { address: at, bytes: bytes.subarray(0, length) } };
};
