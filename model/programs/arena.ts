// SPDX-License-Identifier: MIT
// The memory that programs use: one span of addresses with every kind of page that matters.
// Addresses in a program are relative to its base, so that a program runs on any machine.

import type { Protection } from '../../spec/terms/call.ts';
import type { Machine } from '../machine/machine.ts';

export type Region = {
  readonly name: string;
  /** Bytes from the arena's base; whole pages, as is the length. */
  readonly offset: bigint;
  readonly length: bigint;
  readonly protection: Protection;
  readonly shared: boolean;
  readonly backing: 'anonymous' | 'device';
};

const PAGE = 4096n;

/** The default base; away from the addresses that a kernel chooses itself. */
export const ARENA_BASE = 0x7000_0000_0000n;
export const ARENA_LENGTH = 1536n * PAGE;

/** Two pages for the calls' structs, then a hole: a struct can straddle the end. */
export const STRUCT_OFFSET = 0n;
export const STRUCT_LENGTH = 2n * PAGE;
/** Structs that can be read but not written. */
export const READ_ONLY_STRUCT_OFFSET = 4n * PAGE;
/** Arrays and buffers that a struct points to. */
export const ARRAY_OFFSET = 6n * PAGE;
export const ARRAY_LENGTH = 4n * PAGE;
/** Memory to map: 64 pages of anonymous memory. */
export const DATA_OFFSET = 16n * PAGE;
export const DATA_LENGTH = 64n * PAGE;
export const SHARED_OFFSET = 96n * PAGE;
export const SHARED_LENGTH = 16n * PAGE;
export const READ_ONLY_OFFSET = 128n * PAGE;
export const READ_ONLY_LENGTH = 8n * PAGE;
export const NO_ACCESS_OFFSET = 144n * PAGE;
export const NO_ACCESS_LENGTH = 4n * PAGE;

/** Where programs map huge pages, two of 2 MiB; a hole at the start of a program. */
export const HUGE_PAGE = 512n * PAGE;
export const HUGE_OFFSET = HUGE_PAGE;
export const HUGE_LENGTH = 2n * HUGE_PAGE;

/**
 * The mappings at the start of every program, in ascending order. The rest of the arena is a hole.
 */
export const REGIONS: readonly Region[] = [
  {
    name: 'structs',
    offset: STRUCT_OFFSET,
    length: STRUCT_LENGTH,
    protection: 'read-write',
    shared: false,
    backing: 'anonymous',
  },
  {
    name: 'read-only structs',
    offset: READ_ONLY_STRUCT_OFFSET,
    length: PAGE,
    protection: 'read',
    shared: false,
    backing: 'anonymous',
  },
  {
    name: 'arrays',
    offset: ARRAY_OFFSET,
    length: ARRAY_LENGTH,
    protection: 'read-write',
    shared: false,
    backing: 'anonymous',
  },
  {
    name: 'data',
    offset: DATA_OFFSET,
    length: DATA_LENGTH,
    protection: 'read-write',
    shared: false,
    backing: 'anonymous',
  },
  {
    name: 'shared',
    offset: SHARED_OFFSET,
    length: SHARED_LENGTH,
    protection: 'read-write',
    shared: true,
    backing: 'anonymous',
  },
  {
    name: 'read-only',
    offset: READ_ONLY_OFFSET,
    length: READ_ONLY_LENGTH,
    protection: 'read',
    shared: false,
    backing: 'anonymous',
  },
  {
    name: 'no access',
    offset: NO_ACCESS_OFFSET,
    length: NO_ACCESS_LENGTH,
    protection: 'none',
    shared: false,
    backing: 'anonymous',
  },
];

/** Maps the arena on a machine. Throws if the machine refuses: the addresses are in use there. */
export const mapArena = (machine: Machine, base: bigint): void => {
  for (const region of REGIONS) {
    const result = machine.mmap(
      base + region.offset,
      region.length,
      region.protection,
      region.shared,
      { kind: region.backing },
    );
    if (result < 0) {
      throw new Error(
        `The arena's region "${region.name}" cannot be mapped at 0x${(base + region.offset).toString(16)} ` +
          `(errno ${-result}); most likely something else is mapped there.`,
      );
    }
  }
};
