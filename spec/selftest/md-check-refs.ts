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
import { callerPagesRules, type Frame, frameAt, isLastPage } from './frames.ts';

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

/** How many times a page is pinned, by all iommufds and legacy containers. */
export const pinsOf = (world: World, frame: Frame): number => {
  let pins = 0;
  for (const { backing, page, count } of pinnedIn(world)) {
    const from = frame.page - page;
    if (backing === frame.backing && from >= 0 && from < count) pins += 1;
  }
  return pins;
};

const UNKNOWN =
  'the recording does not say what memory was at the address then, nor whether it was of huge pages';

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
  for (let done = 0n; done < length; done += PAGE_SIZE_BYTES) {
    const address = uptr + done;
    if (isLastPage(address)) return [failed(callerPagesRules.wraps, world)];
    const atCaller = frameAt(world.memory, request.call.process, address);
    if (atCaller.kind === 'none') return [failed(callerPagesRules.notAccessible, world)];
    if (atCaller.kind === 'frame' && atCaller.huge) continue;
    const pins = atCaller.kind === 'frame' ? pinsOf(world, atCaller.frame) : 0;
    if (pins === refs && (atCaller.kind === 'frame' || nothingIsPinned(world))) continue;
    if (!recorded) return [differs];
    return [
      { ...agrees, unknown: UNKNOWN },
      { ...differs, unknown: UNKNOWN },
    ];
  }
  return [agrees];
};

const nothingIsPinned = (world: World): boolean => pinnedIn(world).next().done === true;
