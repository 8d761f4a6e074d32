// SPDX-License-Identifier: MIT
// The contents of memory, from the stores of the program and the writes of the kernel. Only with complete knowledge: a
// recording does not show what a program stores.

import { zeroBytes } from '../abi/bytes.ts';
import { PAGE_SIZE_BYTES } from '../abi/units.ts';
import { type BackingId, mappingAt } from '../state/address-space.ts';
import { type Memory, type Stores, spaceOf, withStored } from '../state/memory.ts';

/** `length` bytes of a backing from byte `offset`; bytes that were never stored are 0. */
export const contentsOf = (
  stores: Stores,
  backing: BackingId,
  offset: bigint,
  length: number,
): Uint8Array => {
  const bytes = zeroBytes(length);
  const overlapping: NonNullable<Stores>[] = [];
  const end = offset + BigInt(length);
  for (let store = stores; store !== undefined; store = store.earlier) {
    if (store.backing !== backing) continue;
    if (store.offset < end && store.offset + BigInt(store.bytes.length) > offset) {
      overlapping.push(store);
    }
  }
  for (const store of overlapping.reverse()) {
    const from = store.offset - offset;
    if (from >= 0n) {
      bytes.set(store.bytes.subarray(0, length - Number(from)), Number(from));
    } else {
      bytes.set(store.bytes.subarray(Number(-from), Number(-from) + length));
    }
  }
  return bytes;
};

/** The memory with bytes stored at an offset of a backing. */
export const stored = (
  memory: Memory,
  backing: BackingId,
  offset: bigint,
  bytes: Uint8Array,
): Memory =>
  memory.knowledge === 'recorded' || bytes.length === 0
    ? memory
    : withStored(memory, { backing, offset, bytes, earlier: memory.stores });

/** The part of an address range in one mapping. */
type BackingRange = {
  readonly backing: BackingId;
  /** Bytes into the backing. */
  readonly offset: bigint;
  readonly length: number;
};

/** The parts of a range of a process's memory, up to the first byte that is not mapped. */
export const partsOf = (
  memory: Memory,
  process: number,
  address: bigint,
  length: number,
): readonly BackingRange[] => {
  const space = spaceOf(memory, process);
  const parts: BackingRange[] = [];
  let at = address;
  let left = length;
  while (left > 0) {
    const found = mappingAt(space, at);
    if (found === undefined) break;
    const here = Math.min(left, Number(found.mapping.last - at) + 1);
    parts.push({
      backing: found.mapping.backing,
      offset: BigInt(found.mapping.page) * PAGE_SIZE_BYTES + (at - found.start),
      length: here,
    });
    at += BigInt(here);
    left -= here;
  }
  return parts;
};

/** The bytes at a process's address, up to the first that is not mapped. */
export const bytesAt = (
  memory: Memory,
  process: number,
  address: bigint,
  length: number,
): Uint8Array => {
  const bytes = zeroBytes(length);
  let done = 0;
  for (const part of partsOf(memory, process, address, length)) {
    bytes.set(contentsOf(memory.stores, part.backing, part.offset, part.length), done);
    done += part.length;
  }
  return bytes.subarray(0, done);
};

/**
 * The memory with bytes stored at a process's address, up to the first that is not mapped. Protection is not checked.
 */
export const storedAt = (
  memory: Memory,
  process: number,
  address: bigint,
  bytes: Uint8Array,
): Memory => {
  if (memory.knowledge === 'recorded') return memory;
  let result = memory;
  let done = 0;
  for (const part of partsOf(memory, process, address, bytes.length)) {
    const isAll = part.length === bytes.length;
    const slice = isAll ? bytes : bytes.subarray(done, done + part.length);
    result = stored(result, part.backing, part.offset, slice);
    done += part.length;
  }
  return result;
};
