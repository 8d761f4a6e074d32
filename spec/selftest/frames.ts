// SPDX-License-Identifier: MIT
// The page of memory that the calling process has at an address, as get_user_pages_fast() returns it to the test
// commands.

import { PAGE_SIZE, PAGE_SIZE_BYTES } from '../abi/units.ts';
import { atOrAfter, nodesOf } from '../collections/ordered-map.ts';
import { type AddressSpace, type BackingId, mappingAt } from '../state/address-space.ts';
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

/** Consecutive pages of a process: the first one, and the last address (inclusive) to which they continue. */
export type PagesFrom = { readonly first: PageAtAddress; readonly last: bigint };

const pagesIn = (space: AddressSpace, address: bigint): PagesFrom | undefined => {
  const found = mappingAt(space, address);
  if (found === undefined) return undefined;
  const { start, mapping } = found;
  const { last } = mapping;
  if (mapping.kind !== 'memory' || mapping.protection === 'none') {
    return { first: { kind: 'none' }, last };
  }
  const page = mapping.page + Number((address - start) / PAGE_SIZE_BYTES);
  const frame = { backing: mapping.backing, page };
  return {
    first: mapping.huge ? { kind: 'frame', frame, huge: true } : { kind: 'frame', frame },
    last,
  };
};

const lower = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** The last address before the next mapping, or before `end` if there is none. */
const lastBefore = (space: AddressSpace, address: bigint, end: bigint): bigint => {
  const next = atOrAfter(space, address);
  return next === undefined ? end : lower(end, next.key - 1n);
};

/** The pages at the process's address and after it, up to `limit` (inclusive) and not into the last page. */
export const pagesFrom = (
  memory: Memory,
  process: Process,
  address: bigint,
  limit: bigint,
): PagesFrom => {
  const end = lower(limit, LAST_PAGE - 1n);
  const own = spaceOf(memory, process);
  const pages = pagesIn(own, address);
  if (pages !== undefined) return { first: pages.first, last: lower(pages.last, end) };
  let last = lastBefore(own, address, end);
  if (memory.knowledge === 'complete') return { first: { kind: 'none' }, last };
  // Shared memory from before a fork is at the same address in both processes.
  for (const { key } of nodesOf(memory.spaces)) {
    const space = spaceOf(memory, key);
    const found = mappingAt(space, address);
    if (found === undefined) {
      last = lastBefore(space, address, last);
    } else {
      const shared = found.mapping.shared ? pagesIn(space, address) : undefined;
      last = lower(last, found.mapping.last);
      if (shared !== undefined) return { first: shared.first, last };
    }
  }
  return { first: { kind: 'unknown' }, last };
};

/** The page at the process's address. */
export const frameAt = (memory: Memory, process: Process, address: bigint): PageAtAddress =>
  pagesFrom(memory, process, address, address).first;

export const sameFrame = (a: Frame, b: Frame): boolean =>
  a.backing === b.backing && a.page === b.page;

export const pageStart = (address: bigint): bigint => address - (address % BigInt(PAGE_SIZE));
