// SPDX-License-Identifier: MIT
// Allocating, reading and writing bytes. Structs are short and many, and a buffer for each would cost ten times as
// much: they are allocated from a pool, one after another. No byte of a pool is allocated twice.

const POOL = 1 << 14;

/** Longer ones get their own buffer. */
const LONGEST_POOLED = POOL >> 3;

let pool = new Uint8Array(POOL);
let used = 0;

/** `length` zero bytes. */
export const zeroBytes = (length: number): Uint8Array<ArrayBuffer> => {
  if (length > LONGEST_POOLED) return new Uint8Array(length);
  if (used + length > POOL) {
    pool = new Uint8Array(POOL);
    used = 0;
  }
  const start = used;
  used += length;
  return pool.subarray(start, used);
};

export const copyOfBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
  const copy = zeroBytes(bytes.length);
  copy.set(bytes);
  return copy;
};

export const u16At = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8);

export const u32At = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)) >>>
  0;

// One view for all: making a view for each access would cost more than the access.
const word = new DataView(new ArrayBuffer(8));

/** The 64-bit number with these halves. */
export const u64Of = (high: number, low: number): bigint => {
  word.setUint32(0, low, true);
  word.setUint32(4, high, true);
  return word.getBigUint64(0, true);
};

export const u64At = (bytes: Uint8Array, at: number): bigint =>
  u64Of(u32At(bytes, at + 4), u32At(bytes, at));

/** Stores the low 16 bits. The bytes must not be shared yet. */
export const putU16 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
};

/** Stores the low 32 bits. */
export const putU32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
};

/** Stores the low 64 bits. */
export const putU64 = (bytes: Uint8Array, at: number, value: bigint): void => {
  word.setBigUint64(0, value, true);
  putU32(bytes, at, word.getUint32(0, true));
  putU32(bytes, at + 4, word.getUint32(4, true));
};

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
};
