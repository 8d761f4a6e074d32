// SPDX-License-Identifier: MIT
// Which user memory the kernel can read and write. A copy stops at the first byte that the process may not access, and
// has copied the bytes before it. access_ok() and the exception tables of copy_from_user() and copy_to_user().

import { mappingAt } from '../state/address-space.ts';
import { type Memory, spaceOf } from '../state/memory.ts';
import type { Segment } from '../terms/call.ts';

/** How many of `length` bytes at the address the process may read, or write, before the first that it may not. */
export const accessible = (
  memory: Memory,
  process: number,
  address: bigint,
  length: number,
  writing: boolean,
): number => {
  const space = spaceOf(memory, process);
  let at = address;
  const end = address + BigInt(length);
  while (at < end) {
    const found = mappingAt(space, at);
    if (found === undefined) break;
    const { protection, kind } = found.mapping;
    if (kind === 'beyond') break;
    if (protection === 'none' || (writing && protection === 'read')) break;
    at = found.mapping.last + 1n;
  }
  const reached = at < end ? at : end;
  return Number(reached - address);
};

/** The bytes of a segment up to the first that the process may not read. */
export const loadable = (
  memory: Memory,
  process: number,
  { address, bytes }: Segment,
): Uint8Array => bytes.subarray(0, accessible(memory, process, address, bytes.length, false));
