// SPDX-License-Identifier: MIT
// The memory of a syzkaller program: 16 MiB that can be read and written, with a hole on either side. A program writes its
// addresses from 0x7f0000000000 on; numbers may have the address at which syzkaller's executor maps it.

/** Bytes of the area: 4096 pages. */
export const AREA_LENGTH = 0x100_0000n;

/** The area's address in the text. */
export const TEXT_BASE = 0x7f00_0000_0000n;

/** The area's addresses when a program runs on x86-64, as executors had it and have it. */
const EXECUTOR_BASES = [0x2000_0000n, 0x2000_0000_0000n] as const;

/** From here on offsets are of memory for which the program leaves the place open. */
export const OPEN_OFFSET = 1n << 40n;

const BASES = [TEXT_BASE, ...EXECUTOR_BASES] as const;

const NEAR = AREA_LENGTH;

/** Bytes from the area's start to the address of a pointer; undefined for an address that is far from the area. */
export const offsetOfPointer = (address: bigint): bigint | undefined => {
  for (const base of BASES) {
    const offset = address - base;
    if (offset >= -NEAR && offset < AREA_LENGTH + NEAR) return offset;
  }
  return undefined;
};

/** The same of a number, which is an address only if it lies within the area. */
export const offsetOfNumber = (value: bigint): bigint | undefined => {
  const offset = offsetOfPointer(value);
  return offset !== undefined && offset >= 0n && offset < AREA_LENGTH ? offset : undefined;
};

/** What a pointer is for which a program has the number -1, -2, ...: by what remains of its absolute value. */
const SPECIAL_POINTERS = [
  0n,
  0xffff_ffff_ffff_ffffn,
  0x9999_9999_9999_9999n,
  0xffff_ffff_8100_0000n,
  0xffff_ffff_ff60_0000n,
] as const;

const SPECIAL_NUMBERS = 15n;

/** The address of a pointer that is written as a number, on x86-64. */
export const addressOfNumber = (value: bigint): bigint => {
  const index = BigInt.asUintN(64, -value);
  return index > SPECIAL_NUMBERS
    ? value
    : (SPECIAL_POINTERS[Number(index) % SPECIAL_POINTERS.length] ?? value);
};
