// SPDX-License-Identifier: MIT
// The mappings of a process. A page is identified by its backing and its position there, so that it is the same page at
// another address, and after it was unmapped while pinned.

import { PAGE_SIZE_BYTES, type PageIndex, pageIndex } from '../abi/units.ts';
import { atOrAfter, atOrBefore, drop, type OrderedMap, put } from '../collections/ordered-map.ts';
import type { Protection } from '../terms/call.ts';

/** The backing of mappings: the memory of an anonymous mapping, or of a file. */
export type BackingId = number;

export type Mapping = {
  /** The address of the last byte, inclusive. The key is the first address. */
  readonly last: bigint;
  readonly protection: Protection;
  readonly shared: boolean;
  /**
   * 'device' is a BAR, which the program can access and the kernel cannot pin. 'beyond' are pages beyond the end of the
   * file, which cannot be accessed.
   */
  readonly kind: 'memory' | 'device' | 'beyond';
  /** It consists of huge pages, and can be split only between them. */
  readonly huge?: true;
  readonly backing: BackingId;
  /** Position of the mapping's first page in the backing, in pages. */
  readonly page: PageIndex;
};

/** Mappings by first address. They never overlap, and are page-aligned. */
export type AddressSpace = OrderedMap<bigint, Mapping>;

/** The mapping that contains the address, with its first address. */
export const mappingAt = (
  space: AddressSpace,
  address: bigint,
): { readonly start: bigint; readonly mapping: Mapping } | undefined => {
  const found = atOrBefore(space, address);
  if (found === undefined || found.value.last < address) return undefined;
  return { start: found.key, mapping: found.value };
};

const pagesBetween = (start: bigint, end: bigint): number =>
  Number((end - start) / PAGE_SIZE_BYTES);

/** The space with nothing mapped from `start` to `last`, both inclusive and page-aligned. */
export const carved = (space: AddressSpace, start: bigint, last: bigint): AddressSpace => {
  let result = space;
  const before = atOrBefore(result, start);
  if (before !== undefined && before.key < start && before.value.last >= start) {
    const { key, value } = before;
    result = put(result, key, { ...value, last: start - 1n });
    if (value.last > last) {
      const page = pageIndex(value.page + pagesBetween(key, last + 1n));
      result = put(result, last + 1n, { ...value, page });
    }
  }
  for (;;) {
    const next = atOrAfter(result, start);
    if (next === undefined || next.key > last) return result;
    const { key, value } = next;
    result = drop(result, key);
    if (value.last > last) {
      const page = pageIndex(value.page + pagesBetween(key, last + 1n));
      result = put(result, last + 1n, { ...value, page });
    }
  }
};

/** The space with a mapping at `start`, which replaces what was mapped there. */
export const mapped = (space: AddressSpace, start: bigint, mapping: Mapping): AddressSpace =>
  put(carved(space, start, mapping.last), start, mapping);

/** Consecutive pages of one backing. */
export type PageSpan = {
  readonly backing: BackingId;
  readonly page: PageIndex;
  /** How many pages. */
  readonly count: number;
};
