// SPDX-License-Identifier: MIT
// What a process has mapped. A page of memory is named by the backing of the mapping and its position
// there, so that the same page is known again under another address, and after it was unmapped while pinned.

import { PAGE_SIZE_BYTES, type PageIndex, pageIndex } from '../abi/units.ts';
import { atOrAfter, atOrBefore, drop, type OrderedMap, put } from '../collections/ordered-map.ts';
import type { Protection } from '../terms/call.ts';

/** The backing of mappings: an anonymous mapping's own memory, or a file's. */
export type BackingId = number;

export type Mapping = {
  /** The last byte's address, inclusive. The first is the key. */
  readonly last: bigint;
  readonly protection: Protection;
  readonly shared: boolean;
  /**
   * A device's BAR can be read and written by the program, and not pinned. Pages after the end of their file can
   * be touched by nobody.
   */
  readonly kind: 'memory' | 'device' | 'beyond';
  /** It is made of huge pages, and cut only between them. */
  readonly huge?: true;
  readonly backing: BackingId;
  /** Position of the mapping's first page in the backing, in pages. */
  readonly page: PageIndex;
};

/** Mappings by their first address. They never overlap; both ends are at page bounds. */
export type AddressSpace = OrderedMap<bigint, Mapping>;

/** The mapping that holds the address, with its first address. */
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

/** The space without anything from `start` to `last`, both inclusive, at page bounds. */
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

/** The space with a mapping from `start` on; what was there before is gone. */
export const mapped = (space: AddressSpace, start: bigint, mapping: Mapping): AddressSpace =>
  put(carved(space, start, mapping.last), start, mapping);

/** Consecutive pages of one backing. */
export type PageSpan = {
  readonly backing: BackingId;
  readonly page: PageIndex;
  /** How many pages. */
  readonly count: number;
};
