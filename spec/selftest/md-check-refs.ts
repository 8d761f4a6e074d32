// SPDX-License-Identifier: MIT
// MD_CHECK_REFS: is every page of a range pinned exactly `refs` times? iommufd_test_md_check_refs() in
// drivers/iommu/iommufd/selftest.c. Huge pages are not specified.

import { decode } from '../abi/layout.ts';
import { MD_CHECK_REFS } from '../abi/test.ts';
import { PAGE_SIZE_BYTES, U64_MAX } from '../abi/units.ts';
import { nodesOf, valuesOf } from '../collections/ordered-map.ts';
import type { Handler } from '../iommufd/request.ts';
import { failed, type Outcome, succeeded } from '../outcome/outcome.ts';
import type { BackingId } from '../state/address-space.ts';
import type { World } from '../state/world.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import {
  callerPagesRules,
  type Frame,
  isLastPage,
  type PageAtAddress,
  pagesFrom,
} from './frames.ts';

export const testMdCheckRefsRules = rulesOf(
  {
    id: 'test-md-check-refs',
    title: 'IOMMU_TEST_CMD MD_CHECK_REFS',
    source: 'iommufd_test_md_check_refs() in drivers/iommu/iommufd/selftest.c',
  },
  {
    misaligned: refuses('EINVAL', 'length or uptr is not a multiple of the page size.'),
    wraps: refuses('EINVAL', 'uptr + length exceeds U64_MAX.'),
    differs: refuses('EIO', 'A page is not pinned exactly refs times.'),
    agrees: grants('Every page is pinned exactly refs times; huge pages are not checked.'),
  },
);

/** Consecutive pages of one backing, each pinned once. */
type PinnedPages = { readonly backing: BackingId; readonly page: number; readonly count: number };

/** The pages that iommufds and legacy containers have pinned. */
export function* pinnedIn(world: World): Generator<PinnedPages> {
  for (const file of valuesOf(world.files)) {
    if (file.kind === 'iommufd') {
      for (const pages of valuesOf(file.context.pages)) {
        for (const { key, value } of nodesOf(pages.pinned)) {
          yield { backing: value.backing, page: value.page, count: value.last - key + 1 };
        }
      }
    } else if (file.kind === 'container') {
      for (const { reached } of valuesOf(file.container.type1?.dmas)) {
        for (const span of reached ?? []) if (span.kind === 'memory') yield span;
      }
    }
  }
}

/** Where pinned pages of one backing start and end (exclusive), both ascending. */
type Ends = { readonly starts: number[]; readonly ends: number[] };

/** By backing. */
type Pins = ReadonlyMap<BackingId, Ends>;

const pinsIn = (world: World): Pins => {
  const pins = new Map<BackingId, Ends>();
  for (const { backing, page, count } of pinnedIn(world)) {
    const ends = pins.get(backing) ?? { starts: [], ends: [] };
    ends.starts.push(page);
    ends.ends.push(page + count);
    pins.set(backing, ends);
  }
  for (const { starts, ends } of pins.values()) {
    starts.sort((a, b) => a - b);
    ends.sort((a, b) => a - b);
  }
  return pins;
};

/** How many of the ascending numbers are at most `limit`. */
const countUpTo = (numbers: readonly number[], limit: number): number => {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** How many times a page is pinned, and how many pages from it on are pinned as often. */
const pinsFrom = (
  pins: Pins,
  { backing, page }: Frame,
): { readonly pins: number; readonly count: number } => {
  const { starts, ends } = pins.get(backing) ?? { starts: [], ends: [] };
  const started = countUpTo(starts, page);
  const ended = countUpTo(ends, page);
  const next = Math.min(starts[started] ?? Infinity, ends[ended] ?? Infinity);
  return { pins: started - ended, count: next - page };
};

/** How many times a page is pinned, by all iommufds and legacy containers. */
export const pinsOf = (world: World, frame: Frame): number => pinsFrom(pinsIn(world), frame).pins;

const UNKNOWN =
  'the recording does not say what memory was at the address then, nor whether it was of huge pages';

/** How many of the `count` pages from the first one on are known to be pinned `refs` times, or are huge. */
const checkedPages = (pins: Pins, first: PageAtAddress, refs: number, count: number): number => {
  if (first.kind !== 'frame') return refs === 0 && pins.size === 0 ? count : 0;
  if (first.huge) return count;
  const same = pinsFrom(pins, first.frame);
  return same.pins === refs ? Math.min(same.count, count) : 0;
};

export const mdCheckRefs: Handler = (request): readonly Outcome[] => {
  const { world } = request;
  const { length, uptr, refs } = decode(MD_CHECK_REFS, request.bytes);
  if (((length | uptr) & (PAGE_SIZE_BYTES - 1n)) !== 0n) {
    return [failed(testMdCheckRefsRules.misaligned, world)];
  }
  if (uptr + length > U64_MAX) return [failed(testMdCheckRefsRules.wraps, world)];
  const agrees = succeeded(testMdCheckRefsRules.agrees, world);
  const differs = failed(testMdCheckRefsRules.differs, world);
  const recorded = world.memory.knowledge === 'recorded';
  const pins = pinsIn(world);
  const end = uptr + length;
  for (let address: bigint = uptr; address < end; ) {
    if (isLastPage(address)) return [failed(callerPagesRules.wraps, world)];
    const { first, last } = pagesFrom(world.memory, request.call.process, address, end - 1n);
    if (first.kind === 'none') return [failed(callerPagesRules.notAccessible, world)];
    const checked = checkedPages(
      pins,
      first,
      refs,
      Number((last + 1n - address) / PAGE_SIZE_BYTES),
    );
    if (checked === 0) {
      return recorded
        ? [
            { ...agrees, unknown: UNKNOWN },
            { ...differs, unknown: UNKNOWN },
          ]
        : [differs];
    }
    address += BigInt(checked) * PAGE_SIZE_BYTES;
  }
  return [agrees];
};
