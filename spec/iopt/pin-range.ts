// SPDX-License-Identifier: MIT
// Pinning a range of pages for a user, a domain or an access, and unpinning it: iopt_area_fill_domain(),
// iopt_area_add_access() and their counterparts in drivers/iommu/iommufd/pages.c.

import { PAGE_SIZE_BYTES, type PageIndex, pageIndex } from '../abi/units.ts';
import { atOrAfter } from '../collections/ordered-map.ts';
import { charged, uncharged } from '../memory/accounting.ts';
import { pagesToPin, pinningRules } from '../memory/pin.ts';
import type { PageSpan } from '../state/address-space.ts';
import type { Memory } from '../state/memory.ts';
import {
  type Pages,
  type PagesSource,
  type Pinned,
  type PinnedRun,
  runAt,
  withPinned,
} from '../state/pages.ts';
import { isRefused, type Refused, refused } from '../terms/rule.ts';
import { cutOut, part, putRun, runWithUsers } from './pinned-runs.ts';

/** Pages, and the memory of the world. Pinning changes both. */
export type PagesAndMemory = { readonly pages: Pages; readonly memory: Memory };

const pagesOfFile = (
  source: Extract<PagesSource, { kind: 'file' }>,
  first: PageIndex,
  count: number,
): readonly PageSpan[] | Refused => {
  const page = source.start / PAGE_SIZE_BYTES + BigInt(first);
  const end = (page + BigInt(count)) * PAGE_SIZE_BYTES;
  return end > source.length
    ? refused(pinningRules.fileTooShort)
    : [{ backing: source.backing, page: pageIndex(Number(page)), count }];
};

const spansFor = (
  memory: Memory,
  pages: Pages,
  first: PageIndex,
  count: number,
): readonly PageSpan[] | Refused =>
  pages.source.kind === 'user'
    ? pagesToPin(
        memory,
        pages.process,
        pages.source.start + BigInt(first) * PAGE_SIZE_BYTES,
        count,
        pages.writable,
      )
    : pagesOfFile(pages.source, first, count);

/** A part of a range, up to `last` (inclusive), that is in one pinned run or is not pinned. */
type Piece =
  | {
      readonly kind: 'pinned';
      readonly last: PageIndex;
      readonly run: PinnedRun;
      readonly runFirst: PageIndex;
    }
  | { readonly kind: 'hole'; readonly last: PageIndex };

const pieceAt = (pinned: Pinned, first: PageIndex, last: PageIndex): Piece => {
  const found = runAt(pinned, first);
  if (found !== undefined) {
    const { run } = found;
    return { kind: 'pinned', last: run.last < last ? run.last : last, run, runFirst: found.first };
  }
  const next = atOrAfter(pinned, first);
  const isFree = next === undefined || next.key > last;
  return { kind: 'hole', last: isFree ? last : pageIndex(next.key - 1) };
};

/** The runs with another number of users for the piece that starts at `first`. 0 unpins it. */
const withUserCount = (
  pinned: Pinned,
  first: PageIndex,
  { last, run, runFirst }: Extract<Piece, { kind: 'pinned' }>,
  users: number,
): Pinned => {
  const without = cutOut(pinned, runFirst, run, first, last);
  if (users === 0) return without;
  return putRun(without, first, runWithUsers(part(runFirst, run, first, last), users));
};

/** The runs with the spans pinned at page `first`, for one user. */
const withPinnedSpans = (pinned: Pinned, first: PageIndex, spans: readonly PageSpan[]): Pinned => {
  let result = pinned;
  let at: number = first;
  for (const { backing, page, count } of spans) {
    const run = { last: pageIndex(at + count - 1), users: 1, backing, page };
    result = putRun(result, pageIndex(at), run);
    at += count;
  }
  return result;
};

/**
 * Pins the pages from `first` to `last`, both inclusive, for one more user, and charges those that were not pinned.
 * Refused, in this order, if memory cannot be pinned, if the domain cannot map it (`unfit`), or if a limit would be
 * exceeded; then nothing changes. The kernel pins and maps in batches, whose size depends on how scattered the pages
 * are. So a domain that cannot map the first page may refuse before a later page cannot be pinned.
 */
export const pinRange = (
  { pages, memory }: PagesAndMemory,
  first: PageIndex,
  last: PageIndex,
  unfit?: Refused,
): PagesAndMemory | Refused => {
  let { pinned } = pages;
  let added = 0;
  for (let at = first; at <= last; ) {
    const piece = pieceAt(pinned, at, last);
    if (piece.kind === 'pinned') {
      pinned = withUserCount(pinned, at, piece, piece.run.users + 1);
    } else {
      const count = piece.last - at + 1;
      const spans = spansFor(memory, pages, at, count);
      if (isRefused(spans)) return orUnfit(spans, memory, pages, first, at, unfit);
      pinned = withPinnedSpans(pinned, at, spans);
      added += count;
    }
    at = pageIndex(piece.last + 1);
  }
  if (unfit !== undefined) return unfit;
  const paid = charged(memory, pages.process, pages.charge, added);
  return isRefused(paid) ? paid : { pages: withPinned(pages, pinned), memory: paid };
};

/** A page at or after `at` cannot be pinned. The domain may refuse first if the kernel has pinned the first page. */
const orUnfit = (
  failure: Refused,
  memory: Memory,
  pages: Pages,
  first: PageIndex,
  at: PageIndex,
  unfit: Refused | undefined,
): Refused => {
  if (unfit === undefined) return failure;
  const isFirstPinned = at > first || !isRefused(spansFor(memory, pages, first, 1));
  return isFirstPinned ? { ...failure, or: unfit.refused } : failure;
};

/** Unpins the pages from `first` to `last`, both inclusive, for one user, and uncharges those without other users. */
export const unpinRange = (
  { pages, memory }: PagesAndMemory,
  first: PageIndex,
  last: PageIndex,
): PagesAndMemory => {
  let { pinned } = pages;
  let unpinned = 0;
  for (let at = first; at <= last; ) {
    const piece = pieceAt(pinned, at, last);
    if (piece.kind === 'hole') {
      throw new Error(
        `Page ${at} is unpinned and was not pinned; most likely it was unpinned twice.`,
      );
    }
    pinned = withUserCount(pinned, at, piece, piece.run.users - 1);
    if (piece.run.users === 1) unpinned += piece.last - at + 1;
    at = pageIndex(piece.last + 1);
  }
  return {
    pages: withPinned(pages, pinned),
    memory: uncharged(memory, pages.process, pages.charge, unpinned),
  };
};
