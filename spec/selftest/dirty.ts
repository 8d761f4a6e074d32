// SPDX-License-Identifier: MIT
// DIRTY: marks pages of a mock domain dirty, as if a device had written them. iommufd_test_dirty() in
// drivers/iommu/iommufd/selftest.c. The size of the domain's entries depends on how contiguous memory is, so dirty
// state is known only if whole areas are written.

import { decode } from '../abi/layout.ts';
import { DIRTY } from '../abi/test.ts';
import { U64_MAX } from '../abi/units.ts';
import { MOCK_IOMMU } from '../hardware/templates.ts';
import { contextOfRequest, type Handler, respond } from '../iommufd/request.ts';
import { isDirty, type WrittenPages, withDirty, writtenOf } from '../iopt/dirty-areas.ts';
import { load } from '../knowledge/user-copy.ts';
import { failed, succeeded, type Unspecified } from '../outcome/outcome.ts';
import { type Areas, firstOverlapping } from '../state/area.ts';
import { type Context, type Dirty, hwptAt, tableOf, withObject } from '../state/context.ts';
import { type World, withContext } from '../state/world.ts';
import { grants, onlyWith, refuses, rulesOf } from '../terms/rule.ts';

export const testDirtyRules = rulesOf(
  {
    id: 'test-dirty',
    title: 'IOMMU_TEST_CMD DIRTY',
    source: 'iommufd_test_dirty() in drivers/iommu/iommufd/selftest.c',
  },
  {
    misaligned: refuses(
      'EINVAL',
      'page_size, length or uptr is 0, or iova or length is not a multiple of page_size.',
    ),
    tooManyPages: onlyWith('dirtyLimit', refuses('EOVERFLOW', 'length / page_size exceeds 2^27.')),
    noHwpt: refuses('ENOENT', 'No paging hwpt has the id.'),
    noMockDomain: refuses(
      'EINVAL',
      'The hwpt has no mock domain.',
      'get_md_pagetable() in drivers/iommu/iommufd/selftest.c',
    ),
    notTracking: refuses('EINVAL', 'Dirty tracking of the hwpt is off.'),
    bitmapFault: onlyWith('mockPageTables', refuses('EFAULT', 'The bitmap cannot be read whole.')),
    dirties: onlyWith(
      'mockPageTables',
      grants(
        'Marks the mapped pages dirty whose bits are set; out_nr_dirty returns how many bits are set.',
      ),
    ),
    replyFault: onlyWith(
      'mockPageTables',
      refuses('EFAULT', 'The struct cannot be written back; the pages are dirty.'),
    ),
  },
);

const MOST_PAGES = 1n << 27n;

const unfollowed = (world: World, written: Context): Unspecified => ({
  kind: 'unspecified',
  what: 'IOMMU_TEST_CMD DIRTY',
  world: ({ errno }) => (errno === 0 ? withContext(world, written) : world),
});

/** How many of the first `count` bits are set. */
const setBits = ({ bitmap, count }: WrittenPages): number => {
  let set = 0;
  for (let at = 0; at < count; at += 8) {
    let bits = bitmap[at >> 3] as number;
    if (count - at < 8) bits &= (1 << (count - at)) - 1;
    for (; bits !== 0; bits &= bits - 1) set += 1;
  }
  return set;
};

const dirtyAfter = (areas: Areas, dirty: Dirty, pages: WrittenPages): Dirty => {
  if (dirty === 'unknown') return dirty;
  const end = pages.iova + BigInt(pages.count) * pages.pageSize - 1n;
  // The kernel's IOVA wraps to 0.
  if (end > U64_MAX) return 'unknown';
  let after = dirty;
  for (let at = pages.iova; at <= end; ) {
    const node = firstOverlapping(areas, at, end);
    if (node === undefined) break;
    const written = writtenOf(node, pages);
    if (written === 'part') return 'unknown';
    if (written === 'whole' && !isDirty(after, node)) {
      after = [...after, { start: node.key, last: node.value.last }];
    }
    at = node.value.last + 1n;
  }
  return after;
};

export const dirty: Handler = (request) => {
  const { world } = request;
  const fields = decode(DIRTY, request.bytes);
  const { iova, length, page_size: size } = fields;
  const isOfPages = size !== 0n && length !== 0n && iova % size === 0n && length % size === 0n;
  if (!isOfPages || fields.uptr === 0n) return [failed(testDirtyRules.misaligned, world)];
  if (world.release.dirtyPagesAreLimited && length / size > MOST_PAGES) {
    return [failed(testDirtyRules.tooManyPages, world)];
  }
  const context = contextOfRequest(request);
  const hwpt = hwptAt(context, fields.id);
  if (hwpt === undefined) return [failed(testDirtyRules.noHwpt, world)];
  if (hwpt.domain.iommu !== MOCK_IOMMU) return [failed(testDirtyRules.noMockDomain, world)];
  if (!hwpt.tracking) return [failed(testDirtyRules.notTracking, world)];
  const loaded = world.release.mockEntriesAreDirty
    ? load(world.memory, request.call, fields.uptr, Number((length / size + 7n) / 8n))
    : undefined;
  if (loaded?.kind === 'fault') return [failed(testDirtyRules.bitmapFault, world)];
  if (loaded?.kind !== 'bytes' || world.memory.knowledge === 'recorded') {
    return [unfollowed(world, withObject(context, fields.id, withDirty(hwpt, 'unknown')))];
  }
  const pages = { iova, pageSize: size, count: Number(length / size), bitmap: loaded.bytes };
  const dirty = dirtyAfter(tableOf(context, hwpt.ioas).areas, hwpt.dirty, pages);
  const after = withContext(world, withObject(context, fields.id, withDirty(hwpt, dirty)));
  const answer = respond(request, DIRTY, { out_nr_dirty: BigInt(setBits(pages)) });
  return answer.whole
    ? [succeeded(testDirtyRules.dirties, after, [answer.write])]
    : [failed(testDirtyRules.replyFault, after, [answer.write])];
};
