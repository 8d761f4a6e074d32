// SPDX-License-Identifier: MIT
// Arithmetic on 64 bits as C does it.

import { U64_MAX } from '../../spec/abi/units.ts';

/** The value modulo 2^64. */
export const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);

/**
 * The last byte of `length` bytes from `start`, or undefined if it exceeds 2^64 - 1. Length is not
 * 0.
 */
export const lastOf = (start: bigint, length: bigint): bigint | undefined => {
  const last = start + length - 1n;
  return last > U64_MAX ? undefined : last;
};

/** Count of zero bits below the lowest set bit; 64 for 0, as the processor counts. */
export const trailingZeros = (value: bigint): number => {
  if (value === 0n) return 64;
  let bits = 0;
  let rest = value;
  while ((rest & 0xffff_ffffn) === 0n) {
    rest >>= 32n;
    bits += 32;
  }
  const low = Number(rest & 0xffff_ffffn);
  return bits + 31 - Math.clz32(low & -low);
};

/** The least power of two that is at least the value. */
export const roundUpToPowerOfTwo = (value: bigint): bigint => {
  if (value <= 1n) return 1n;
  return 1n << BigInt((value - 1n).toString(2).length);
};
