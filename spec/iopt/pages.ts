// A stretch of memory that areas map, in whole pages, shared by the areas of every copy: struct iopt_pages. Its
// pages are pinned as long as a domain or an in-kernel user can reach them, each once however many do.

import type { PageIndex, UserAddress } from '../abi/units.ts';
import { PAGE_SIZE_BYTES, pageIndex } from '../abi/units.ts';
import type { Process } from '../call.ts';
import {
  atOrAfter,
  atOrBefore,
  drop,
  nodesOf,
  type OrderedMap,
  put,
} from '../collections/ordered-map.ts';
import { type ChargeMode, charged, discharged } from '../memory/accounting.ts';
import type { BackingId } from '../memory/address-space.ts';
import type { Memory } from '../memory/memory.ts';
import { type PageStretch, pagesToPin, pinRules } from '../memory/pin.ts';
import { isRefused, type Refused, refused } from '../rule.ts';

export type PagesId = number;

export type PagesSource =
  /** Addresses of a process from a page bound on. */
  | { readonly kind: 'user'; readonly start: UserAddress }
  /** A memfd from a byte offset at a page bound on. */
  | {
      readonly kind: 'file';
      readonly backing: BackingId;
      readonly start: bigint;
      /** Length of the file in bytes. */
      readonly length: bigint;
    };

/** Consecutive pinned pages of one backing; the key in `pinned` is the first. */
export type PinnedRun = {
  /** Inclusive. */
  readonly last: PageIndex;
  /** How many holders reach these pages: areas in filled domains, and accesses. At least 1. */
  readonly holders: number;
  readonly backing: BackingId;
  /** The first page's position in the backing. */
  readonly page: PageIndex;
};

export type Pages = {
  readonly source: PagesSource;
  /** Who mapped it first: whose addresses they are, and who is charged. */
  readonly process: Process;
  readonly charge: ChargeMode;
  readonly pageCount: number;
  /** Whether areas of it may be written. */
  readonly writable: boolean;
  /** How many areas refer to it. */
  readonly areas: number;
  /** Runs by first page; they do not overlap, and neighbours that could be one are one. */
  readonly pinned: OrderedMap<PageIndex, PinnedRun>;
};

type Pinned = Pages['pinned'];

/** Written out, as most steps make such pages: a spread costs many times as much. */
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

/** The run as it is, for that many holders. */
const heldBy = ({ last, backing, page }: PinnedRun, holders: number): PinnedRun => ({
  last,
  holders,
  backing,
  page,
});

/** Pages and what is known of memory: pinning changes both. */
export type PagesAndMemory = { readonly pages: Pages; readonly memory: Memory };

/** The pinned run that holds the page, with its first page. */
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

const follows = (first: PageIndex, run: PinnedRun, next: PageIndex, nextRun: PinnedRun): boolean =>
  run.last + 1 === next &&
  run.holders === nextRun.holders &&
  run.backing === nextRun.backing &&
  run.page + (next - first) === nextRun.page;

const part = (first: PageIndex, run: PinnedRun, from: PageIndex, last: PageIndex): PinnedRun => ({
  last,
  holders: run.holders,
  backing: run.backing,
  page: pageIndex(run.page + (from - first)),
});

/** Puts a run in, as one with its neighbours where they continue it. */
const putRun = (pinned: Pinned, first: PageIndex, run: PinnedRun): Pinned => {
  let result = pinned;
  let start = first;
  let whole = run;
  const before = first > 0 ? runAt(result, pageIndex(first - 1)) : undefined;
  if (before !== undefined && follows(before.first, before.run, start, whole)) {
    whole = part(before.first, before.run, before.first, whole.last);
    start = before.first;
  }
  const after = runAt(result, pageIndex(run.last + 1));
  if (after !== undefined && follows(start, whole, after.first, after.run)) {
    result = drop(result, after.first);
    whole = part(start, whole, start, after.run.last);
  }
  return put(result, start, whole);
};

/** Takes [from, last] out of the run that holds it, leaving what is before and behind. */
const cutOut = (
  pinned: Pinned,
  first: PageIndex,
  run: PinnedRun,
  from: PageIndex,
  last: PageIndex,
): Pinned => {
  let result = drop(pinned, first);
  if (first < from) result = put(result, first, part(first, run, first, pageIndex(from - 1)));
  if (last < run.last) {
    const behind = pageIndex(last + 1);
    result = put(result, behind, part(first, run, behind, run.last));
  }
  return result;
};

const pagesOfFile = (
  source: Extract<PagesSource, { kind: 'file' }>,
  first: PageIndex,
  count: number,
): readonly PageStretch[] | Refused => {
  const page = source.start / PAGE_SIZE_BYTES + BigInt(first);
  const end = (page + BigInt(count)) * PAGE_SIZE_BYTES;
  return end > source.length
    ? refused(pinRules.fileTooShort)
    : [{ backing: source.backing, page: pageIndex(Number(page)), count }];
};

const stretchesFor = (
  memory: Memory,
  pages: Pages,
  first: PageIndex,
  count: number,
): readonly PageStretch[] | Refused =>
  pages.source.kind === 'user'
    ? pagesToPin(
        memory,
        pages.process,
        pages.source.start + BigInt(first) * PAGE_SIZE_BYTES,
        count,
        pages.writable,
      )
    : pagesOfFile(pages.source, first, count);

type Filling = { readonly pinned: Pinned; readonly added: number };

const pinHole = (
  memory: Memory,
  pages: Pages,
  pinned: Pinned,
  first: PageIndex,
  last: PageIndex,
): Filling | Refused => {
  const stretches = stretchesFor(memory, pages, first, last - first + 1);
  if (isRefused(stretches)) return stretches;
  let result = pinned;
  let at: number = first;
  for (const { backing, page, count } of stretches) {
    const run = { last: pageIndex(at + count - 1), holders: 1, backing, page };
    result = putRun(result, pageIndex(at), run);
    at += count;
  }
  return { pinned: result, added: last - first + 1 };
};

/**
 * One more holder for the pages from `first` to `last`, both inclusive; what was not pinned is pinned and
 * charged. Refused where memory cannot be pinned or a limit is passed, and between the two where the holder cannot
 * take them; then nothing has changed. The kernel pins and maps by turns, as many pages as its batch has room for, which
 * depends on how scattered they are: a holder that cannot take the first page may say so before a later one fails.
 */
export const hold = (
  { pages, memory }: PagesAndMemory,
  first: PageIndex,
  last: PageIndex,
  unfit?: Refused,
): PagesAndMemory | Refused => {
  let { pinned } = pages;
  let added = 0;
  let at: number = first;
  while (at <= last) {
    const here = pageIndex(at);
    const found = runAt(pinned, here);
    if (found === undefined) {
      const next = atOrAfter(pinned, here);
      const end = next === undefined || next.key > last ? last : pageIndex(next.key - 1);
      const filled = pinHole(memory, pages, pinned, here, end);
      if (isRefused(filled)) {
        const isLater = at > first || !isRefused(stretchesFor(memory, pages, first, 1));
        return unfit !== undefined && isLater ? { ...filled, or: unfit.refused } : filled;
      }
      pinned = filled.pinned;
      added += filled.added;
      at = end + 1;
    } else {
      const end = pageIndex(Math.min(found.run.last, last));
      const piece = part(found.first, found.run, here, end);
      pinned = cutOut(pinned, found.first, found.run, here, end);
      pinned = putRun(pinned, here, heldBy(piece, piece.holders + 1));
      at = end + 1;
    }
  }
  if (unfit !== undefined) return unfit;
  const paid = charged(memory, pages.process, pages.charge, added);
  return isRefused(paid) ? paid : { pages: withPinned(pages, pinned), memory: paid };
};

/** One holder less for pages that are held: what nobody holds any more is unpinned and the charge given back. */
export const release = (
  { pages, memory }: PagesAndMemory,
  first: PageIndex,
  last: PageIndex,
): PagesAndMemory => {
  let { pinned } = pages;
  let gone = 0;
  let at: number = first;
  while (at <= last) {
    const here = pageIndex(at);
    const found = runAt(pinned, here);
    if (found === undefined) {
      throw new Error(
        `Page ${at} is released and was not held; most likely it was released twice.`,
      );
    }
    const end = pageIndex(Math.min(found.run.last, last));
    const piece = part(found.first, found.run, here, end);
    pinned = cutOut(pinned, found.first, found.run, here, end);
    if (piece.holders > 1) {
      pinned = putRun(pinned, here, heldBy(piece, piece.holders - 1));
    } else {
      gone += end - here + 1;
    }
    at = end + 1;
  }
  return {
    pages: withPinned(pages, pinned),
    memory: discharged(memory, pages.process, pages.charge, gone),
  };
};
