// SPDX-License-Identifier: MIT
// The hole around the arena: addresses that pointers of a program may name. They are reserved before the first program
// runs, so that neither the kernel nor a library ever puts memory of this process there.

import { readFileSync } from 'node:fs';
import { HOLE_END, HOLE_START, LONGEST_MAPPING } from '../../safety/permitted.ts';
import { EnvironmentError } from '../../vm/environment-error.ts';
import * as libc from './libc.ts';

/** A mapping that starts in the hole ends before this. */
const RESERVED_END = HOLE_END + LONGEST_MAPPING;
const RESERVATION =
  libc.MAP_PRIVATE | libc.MAP_ANONYMOUS | libc.MAP_NORESERVE | libc.MAP_FIXED_NOREPLACE;
const EEXIST = 17;
const MOST_SHOWN = 5;

const hex = (address: bigint): string => `0x${address.toString(16)}`;

/** Lines of /proc/self/maps that lie in the hole, as "0x...-0x... path". */
const mappingsThere = (): readonly string[] =>
  readFileSync('/proc/self/maps', 'latin1')
    .split('\n')
    .flatMap((line) => {
      const found = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)$/.exec(line);
      if (found === null) return [];
      const [start, end] = [BigInt(`0x${found[1]}`), BigInt(`0x${found[2]}`)];
      const isThere = start < RESERVED_END && end > HOLE_START;
      return isThere ? [`${hex(start)}-${hex(end)} ${found[3] || 'anonymous memory'}`] : [];
    });

const refusal = (errno: number): EnvironmentError => {
  const range = `${hex(HOLE_START)} to ${hex(RESERVED_END)}`;
  if (errno !== EEXIST) {
    return new EnvironmentError(
      `The addresses around the memory of programs, ${range}, cannot be reserved (errno ${errno}): ` +
        'most likely the address space is limited (ulimit -v). No program was run.',
    );
  }
  const there = mappingsThere();
  const shown = there.slice(0, MOST_SHOWN).map((line) => `\n  ${line}`);
  const rest = there.length > shown.length ? `\n  and ${there.length - shown.length} more` : '';
  return new EnvironmentError(
    `This process has memory at the addresses that programs use, ${range}:${shown.join('')}${rest}\n` +
      'A kernel under test could write there, so no program was run. Most likely the kernel places mappings at ' +
      'random over a wide range: start the command with "setarch -R", or set the sysctl vm.mmap_rnd_bits to 28.',
  );
};

let isReserved = false;

/**
 * Reserves the hole with its arena until the process ends. Throws EnvironmentError if anything is mapped there already.
 */
export const reserveHole = (): void => {
  if (isReserved) return;
  const taken = libc.mapMemory(
    HOLE_START,
    RESERVED_END - HOLE_START,
    libc.PROT_NONE,
    RESERVATION,
    -1,
    0,
  );
  if (BigInt(taken) < 0n) throw refusal(libc.errno());
  // A kernel older than MAP_FIXED_NOREPLACE takes the address as a hint.
  if (BigInt(taken) !== HOLE_START) {
    libc.unmapMemory(taken, RESERVED_END - HOLE_START);
    throw refusal(EEXIST);
  }
  isReserved = true;
};
