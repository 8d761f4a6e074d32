// SPDX-License-Identifier: MIT
// IOMMU_HWPT_GET_DIRTY_BITMAP: iommufd_hwpt_get_dirty_bitmap() in drivers/iommu/iommufd/hw_pagetable.c. The kernel does
// not report a failure while it walks the range, and it accesses the bitmap only where it sets a bit.

import { decode } from '../abi/layout.ts';
import { HWPT_GET_DIRTY_BITMAP_NO_CLEAR, IOMMU_HWPT_GET_DIRTY_BITMAP } from '../abi/native.ts';
import { PAGE_SIZE_BYTES, U64_MAX, userAddress } from '../abi/units.ts';
import { contiguousAreas, isDirty, withoutRange } from '../iopt/dirty-areas.ts';
import { load, writableLength } from '../knowledge/user-copy.ts';
import { failed, succeeded } from '../outcome/outcome.ts';
import { type Hwpt, hwptAt, tableOf, withObject } from '../state/context.ts';
import { contextOf, withContext } from '../state/world.ts';
import type { Segment } from '../terms/call.ts';
import type { IovaRange } from '../terms/platform.ts';
import type { Release } from '../terms/releases.ts';
import { grants, onlyIn, type Rule, refuses, rulesOf } from '../terms/rule.ts';
import { contextOfRequest, type Handler, type Request } from './request.ts';
import { unspecified } from './untracked.ts';

const CHECKED = 'iommufd_check_iova_range() in drivers/iommu/iommufd/io_pagetable.c';

export const hwptGetDirtyBitmapRules = rulesOf(
  { id: 'hwpt-get-dirty-bitmap', title: 'IOMMU_HWPT_GET_DIRTY_BITMAP', source: CHECKED },
  {
    unknownFlags: refuses(
      'EOPNOTSUPP',
      'A flag other than NO_CLEAR is set, or __reserved is not 0.',
      'iommufd_hwpt_get_dirty_bitmap() in drivers/iommu/iommufd/hw_pagetable.c',
    ),
    noHwpt: refuses(
      'ENOENT',
      'No paging hwpt has the id hwpt_id.',
      'iommufd_hwpt_get_dirty_bitmap() in drivers/iommu/iommufd/hw_pagetable.c',
    ),
    zeroLength: onlyIn(['7.3.4'], refuses('EINVAL', 'length is 0.')),
    wraps: refuses(
      'EOVERFLOW',
      'iova + length - 1 exceeds U64_MAX; in 6.12 a length of 0 counts as 2^64.',
    ),
    misaligned: refuses(
      'EINVAL',
      'iova or iova + length is not a multiple of the alignment of the IOAS.',
    ),
    zeroPageSize: refuses('EINVAL', 'page_size is 0.'),
    misalignedPageSize: refuses(
      'EINVAL',
      'iova or iova + length has a bit in common with page_size - 1.',
    ),
    noDirtyTracking: refuses(
      'EOPNOTSUPP',
      'The hwpt was allocated without DIRTY_TRACKING.',
      'iommu_read_and_clear_dirty() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    nothingDirty: grants(
      'No page in the range is dirty: leaves the bitmap as it is, even if it is unwritable, nothing is mapped or tracking is off.',
      'iommu_read_and_clear_dirty() in drivers/iommu/iommufd/io_pagetable.c',
    ),
    reports: onlyIn(
      ['7.3.4'],
      grants(
        'Sets one bit for each dirty granule (the lowest set bit of page_size) of the contiguous areas from iova. Without NO_CLEAR these become clean.',
        'iova_bitmap_set() in drivers/iommu/iommufd/iova_bitmap.c',
      ),
    ),
  },
);

/** Why the range or the page size is refused, in the order of the checks. */
const badRange = (
  iova: bigint,
  length: bigint,
  pageSize: bigint,
  alignment: bigint,
  release: Release,
): Rule | undefined => {
  if (length === 0n && release.dirtyBitmapRefusesZeroLength)
    return hwptGetDirtyBitmapRules.zeroLength;
  const end = iova + BigInt.asUintN(64, length - 1n) + 1n;
  if (end - 1n > U64_MAX) return hwptGetDirtyBitmapRules.wraps;
  if (((iova | end) & (alignment - 1n)) !== 0n) return hwptGetDirtyBitmapRules.misaligned;
  if (pageSize === 0n) return hwptGetDirtyBitmapRules.zeroPageSize;
  const inside = (iova | BigInt.asUintN(64, end)) & (pageSize - 1n);
  return inside === 0n ? undefined : hwptGetDirtyBitmapRules.misalignedPageSize;
};

type Reported = {
  readonly writes: readonly Segment[];
  /** What stays dirty, if the reported areas become clean. */
  readonly left: readonly IovaRange[];
};

/**
 * The writes to the bitmap, and what stays dirty. Unknown if an area is only partly in the range, because its entries
 * may reach beyond the range; and if the bitmap spans pages, because one of them may not be writable.
 */
const reportedOf = (
  { world, call, file }: Request,
  { dirty, ioas }: Hwpt,
  iova: bigint,
  length: bigint,
  pageSize: bigint,
  data: bigint,
): Reported | 'nothing' | 'unknown' => {
  if (dirty === 'unknown') return dirty;
  if (dirty.length === 0) return 'nothing';
  const last = BigInt.asUintN(64, iova + length - 1n);
  const row = contiguousAreas(tableOf(contextOf(world, file), ioas).areas, iova, last);
  const written = row.filter((node) => isDirty(dirty, node));
  const [first, end] = [written[0], written.at(-1)];
  if (first === undefined || end === undefined) return 'nothing';
  if (first.key < iova || end.value.last > last) return 'unknown';
  let left = dirty;
  let bits = 0n;
  const size = pageSize & -pageSize;
  const [start, stop] = [(first.key - iova) / size / 8n, (end.value.last - iova) / size / 8n];
  const [from, to] = [data + start, data + stop];
  if (from / PAGE_SIZE_BYTES !== to / PAGE_SIZE_BYTES || to > U64_MAX) return 'unknown';
  for (const { key, value } of written) {
    left = withoutRange(left, key, value.last);
    const [low, high] = [(key - iova) / size - start * 8n, (value.last - iova) / size - start * 8n];
    bits |= ((1n << (high - low + 1n)) - 1n) << low;
  }
  const count = Number(to - from) + 1;
  const at = userAddress(from);
  if (writableLength(world.memory, call.process, at, count) < count) return { writes: [], left };
  const before = load(world.memory, call, at, count);
  if (before.kind !== 'bytes') return 'unknown';
  const bytes = before.bytes.map(
    (byte, index) => byte | Number((bits >> BigInt(index * 8)) & 255n),
  );
  return { writes: [{ address: at, bytes }], left };
};

export const hwptGetDirtyBitmap: Handler = (request) => {
  const { world } = request;
  const fields = decode(IOMMU_HWPT_GET_DIRTY_BITMAP, request.bytes);
  if ((fields.flags & ~HWPT_GET_DIRTY_BITMAP_NO_CLEAR) !== 0 || fields.__reserved !== 0) {
    return [failed(hwptGetDirtyBitmapRules.unknownFlags, world)];
  }
  const context = contextOfRequest(request);
  const hwpt = hwptAt(context, fields.hwpt_id);
  if (hwpt === undefined) return [failed(hwptGetDirtyBitmapRules.noHwpt, world)];
  const { alignment } = tableOf(context, hwpt.ioas);
  const bad = badRange(fields.iova, fields.length, fields.page_size, alignment, world.release);
  if (bad !== undefined) return [failed(bad, world)];
  if (!hwpt.domain.tracksDirty) return [failed(hwptGetDirtyBitmapRules.noDirtyTracking, world)];
  const reported = reportedOf(
    request,
    hwpt,
    fields.iova,
    fields.length,
    fields.page_size,
    fields.data,
  );
  if (reported === 'nothing') return [succeeded(hwptGetDirtyBitmapRules.nothingDirty, world)];
  const keeps = (fields.flags & HWPT_GET_DIRTY_BITMAP_NO_CLEAR) !== 0;
  const dirty = reported === 'unknown' ? reported : keeps ? hwpt.dirty : reported.left;
  const after = withContext(world, withObject(context, fields.hwpt_id, { ...hwpt, dirty }));
  if (reported === 'unknown') {
    return [unspecified(after, 'IOMMU_HWPT_GET_DIRTY_BITMAP of pages that a test has written')];
  }
  return [succeeded(hwptGetDirtyBitmapRules.reports, after, reported.writes)];
};
