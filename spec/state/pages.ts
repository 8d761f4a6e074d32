// SPDX-License-Identifier: MIT
// The memory that areas map, in whole pages; copies of an area share it (struct iopt_pages). A page is pinned once,
// however many domains and accesses use it.

import type { PageIndex, UserAddress } from '../abi/units.ts';
import { atOrBefore, nodesOf, type OrderedMap } from '../collections/ordered-map.ts';
import type { Process } from '../terms/call.ts';
import type { BackingId } from './address-space.ts';
import type { ChargeMode } from './memory.ts';

export type PagesId = number;

export type PagesSource =
  /** Memory of a process, from a page-aligned address. */
  | { readonly kind: 'user'; readonly start: UserAddress }
  /** A memfd, from a page-aligned byte offset. */
  | {
      readonly kind: 'file';
      readonly backing: BackingId;
      readonly start: bigint;
      /** Length of the file in bytes. */
      readonly length: bigint;
    };

/** Consecutive pinned pages of one backing; the key in `pinned` is the first page. */
export type PinnedRun = {
  /** Inclusive. */
  readonly last: PageIndex;
  /** How many users these pages have: areas in domains, and pins of accesses. At least 1. */
  readonly users: number;
  readonly backing: BackingId;
  /** Position of the first page in the backing. */
  readonly page: PageIndex;
};

export type Pages = {
  readonly source: PagesSource;
  /** The process that mapped it first, whose addresses they are and which is charged. */
  readonly process: Process;
  readonly charge: ChargeMode;
  readonly pageCount: number;
  /** Whether areas of it may be writable. */
  readonly writable: boolean;
  /** How many areas refer to it. */
  readonly areas: number;
  /** Runs by first page. They do not overlap, and adjacent runs are merged if possible. */
  readonly pinned: OrderedMap<PageIndex, PinnedRun>;
};

export type Pinned = Pages['pinned'];

/** Written out because most steps call it: a spread costs many times as much. */
const pagesWith = (pages: Pages, areas: number, pinned: Pinned): Pages => ({
  source: pages.source,
  process: pages.process,
  charge: pages.charge,
  pageCount: pages.pageCount,
  writable: pages.writable,
  areas,
  pinned,
});

export const withAreaCount = (pages: Pages, areas: number): Pages =>
  pagesWith(pages, areas, pages.pinned);

export const withPinned = (pages: Pages, pinned: Pinned): Pages =>
  pagesWith(pages, pages.areas, pinned);

/** The pinned run that contains the page, with its first page. */
export const runAt = (
  pinned: Pinned,
  index: PageIndex,
): { readonly first: PageIndex; readonly run: PinnedRun } | undefined => {
  const found = atOrBefore(pinned, index);
  return found === undefined || found.value.last < index
    ? undefined
    : { first: found.key, run: found.value };
};

/** How many pages are pinned. */
export const pinnedCount = (pages: Pages): number => {
  let count = 0;
  for (const { key, value } of nodesOf(pages.pinned)) count += value.last - key + 1;
  return count;
};
