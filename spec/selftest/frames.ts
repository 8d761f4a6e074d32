// SPDX-License-Identifier: MIT
// The page of memory that the calling process has at an address, as get_user_pages_fast() returns it to the test
// commands.

import { PAGE_SIZE, PAGE_SIZE_BYTES } from '../abi/units.ts';
import { nodesOf } from '../collections/ordered-map.ts';
import { type BackingId, mappingAt } from '../state/address-space.ts';
import { type Memory, spaceOf } from '../state/memory.ts';
import type { Process } from '../terms/call.ts';
import { refuses, rulesOf } from '../terms/rule.ts';

export const callerPagesRules = rulesOf(
  { id: 'caller-pages', title: 'pages of the caller', source: 'get_user_pages_fast() in mm/gup.c' },
  {
    notAccessible: refuses(
      'EFAULT',
      'Nothing is mapped at the address, or the process may not read it.',
    ),
    wraps: refuses(
      'EOVERFLOW',
      'The address is in the last page of the address space.',
      'gup_fast_fallback() in mm/gup.c',
    ),
  },
);

/** A page of memory: its backing, and its position there. */
export type Frame = { readonly backing: BackingId; readonly page: number };

export type PageAtAddress =
  | { readonly kind: 'frame'; readonly frame: Frame; readonly huge?: true }
  | { readonly kind: 'none' }
  /** The recording does not show what is mapped there. */
  | { readonly kind: 'unknown' };

const LAST_PAGE = 0xffff_ffff_ffff_f000n;

/** Whether the page is the last of the address space, whose end wraps to 0. */
export const isLastPage = (address: bigint): boolean => address >= LAST_PAGE;

const pageIn = (memory: Memory, process: Process, address: bigint): PageAtAddress | undefined => {
  const found = mappingAt(spaceOf(memory, process), address);
  if (found === undefined) return undefined;
  const { start, mapping } = found;
  if (mapping.kind !== 'memory' || mapping.protection === 'none') return { kind: 'none' };
  const page = mapping.page + Number((address - start) / PAGE_SIZE_BYTES);
  const frame = { backing: mapping.backing, page };
  return mapping.huge ? { kind: 'frame', frame, huge: true } : { kind: 'frame', frame };
};

/** The page of memory at the process's address. */
export const frameAt = (memory: Memory, process: Process, address: bigint): PageAtAddress => {
  const own = pageIn(memory, process, address);
  if (own !== undefined) return own;
  if (memory.knowledge === 'complete') return { kind: 'none' };
  // Shared memory from before a fork is at the same address in both processes.
  for (const { key } of nodesOf(memory.spaces)) {
    const found = mappingAt(spaceOf(memory, key), address);
    if (found?.mapping.shared === true) return pageIn(memory, key, address) ?? { kind: 'unknown' };
  }
  return { kind: 'unknown' };
};

export const sameFrame = (a: Frame, b: Frame): boolean =>
  a.backing === b.backing && a.page === b.page;

export const pageStart = (address: bigint): bigint => address - (address % BigInt(PAGE_SIZE));
