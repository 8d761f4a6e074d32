// SPDX-License-Identifier: MIT
// IOMMU_HWPT_GET_DIRTY_BITMAP: iommufd_hwpt_get_dirty_bitmap() in drivers/iommu/iommufd/hw_pagetable.c. The kernel does
// not report a failure while it walks the range, and it accesses the bitmap only where it sets a bit.

import { decode, type Values } from '../abi/layout.ts';
import { HWPT_GET_DIRTY_BITMAP_NO_CLEAR, IOMMU_HWPT_GET_DIRTY_BITMAP } from '../abi/native.ts';
import { PAGE_SIZE_BYTES, U64_MAX, userAddress } from '../abi/units.ts';
import { contiguousAreas, isDirty, withDirty, withoutRange } from '../iopt/dirty-areas.ts';
import { load, writableLength } from '../knowledge/user-copy.ts';
import { failed, succeeded } from '../outcome/outcome.ts';
import { type Dirty, type Hwpt, hwptAt, tableOf, withObject } from '../state/context.ts';
import { smallestPageSize } from '../state/io-pagetable.ts';
import { contextOf, type World, withContext } from '../state/world.ts';
import type { Segment } from '../terms/call.ts';
import type { IovaRange } from '../terms/platform.ts';
import type { Release } from '../terms/releases.ts';
import { grants, onlyWith, type Rule, refuses, rulesOf } from '../terms/rule.ts';
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
    zeroLength: onlyWith('bitmapLength', refuses('EINVAL', 'length is 0.')),
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
    reports: onlyWith(
      'mockPageTables',
      grants(
        'Sets one bit for each dirty granule (the lowest set bit of page_size) of the contiguous areas from iova. Without NO_CLEAR these become clean.',
        'iova_bitmap_set() in drivers/iommu/iommufd/iova_bitmap.c',
      ),
    ),
  },
);

type Fields = Values<typeof IOMMU_HWPT_GET_DIRTY_BITMAP>;

/** Why the range or the page size is refused, in the order of the checks. */
const badRange = (
  release: Release,
  alignment: bigint,
  { iova, length, page_size: pageSize }: Fields,
): Rule | undefined => {
  if (length === 0n && release.dirtyBitmapRefusesZeroLength) {
    return hwptGetDirtyBitmapRules.zeroLength;
  }
  const end = iova + BigInt.asUintN(64, length - 1n) + 1n;
  if (end - 1n > U64_MAX) return hwptGetDirtyBitmapRules.wraps;
  if (((iova | end) & (alignment - 1n)) !== 0n) return hwptGetDirtyBitmapRules.misaligned;
  if (pageSize === 0n) return hwptGetDirtyBitmapRules.zeroPageSize;
  const inside = (iova | BigInt.asUintN(64, end)) & (pageSize - 1n);
  return inside === 0n ? undefined : hwptGetDirtyBitmapRules.misalignedPageSize;
};

/** The bits of the granules of [first, last], both relative to bit 0. */
const bitsOf = (first: bigint, last: bigint): bigint => ((1n << (last - first + 1n)) - 1n) << first;

type DirtyReport = {
  readonly writes: readonly Segment[];
  /** What stays dirty, if the reported areas become clean. */
  readonly left: readonly IovaRange[];
};

/**
 * The writes to the bitmap, and what stays dirty. Unknown if an area is only partly in the range, because its entries may
 * reach beyond the range; and if the bitmap spans pages, because one of them may not be writable.
 */
const reportOf = (
  { world, call, file }: Request,
  { dirty, ioas }: Hwpt,
  { iova, length, page_size: pageSize, data }: Fields,
): DirtyReport | 'nothing' | 'unknown' => {
  if (dirty === 'unknown') return dirty;
  if (dirty.length === 0) return 'nothing';
  const last = BigInt.asUintN(64, iova + length - 1n);
  const { areas } = tableOf(contextOf(world, file), ioas);
  const reported = contiguousAreas(areas, iova, last).filter((node) => isDirty(dirty, node));
  const [lowest, highest] = [reported[0], reported.at(-1)];
  if (lowest === undefined || highest === undefined) return 'nothing';
  if (lowest.key < iova || highest.value.last > last) return 'unknown';

  const granule = smallestPageSize(pageSize);
  const bitOf = (address: bigint): bigint => (address - iova) / granule;
  const firstByte = bitOf(lowest.key) / 8n;
  const lastByte = bitOf(highest.value.last) / 8n;
  const [from, to] = [data + firstByte, data + lastByte];
  if (from / PAGE_SIZE_BYTES !== to / PAGE_SIZE_BYTES || to > U64_MAX) return 'unknown';

  let left = dirty;
  let bits = 0n;
  for (const { key, value } of reported) {
    left = withoutRange(left, key, value.last);
    bits |= bitsOf(bitOf(key) - firstByte * 8n, bitOf(value.last) - firstByte * 8n);
  }
  const count = Number(to - from) + 1;
  if (writableLength(world.memory, call.process, from, count) < count) return { writes: [], left };
  const before = load(world.memory, call, from, count);
  if (before.kind !== 'bytes') return 'unknown';
  const bytes = before.bytes.map(
    (byte, index) => byte | Number((bits >> BigInt(index * 8)) & 255n),
  );
  return { writes: [{ address: userAddress(from), bytes }], left };
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
  const bad = badRange(world.release, tableOf(context, hwpt.ioas).alignment, fields);
  if (bad !== undefined) return [failed(bad, world)];
  if (!hwpt.domain.tracksDirty) return [failed(hwptGetDirtyBitmapRules.noDirtyTracking, world)];

  const withDirtyAreas = (dirty: Dirty): World =>
    withContext(world, withObject(context, fields.hwpt_id, withDirty(hwpt, dirty)));
  const report = reportOf(request, hwpt, fields);
  if (report === 'nothing') return [succeeded(hwptGetDirtyBitmapRules.nothingDirty, world)];
  if (report === 'unknown') {
    const what = 'IOMMU_HWPT_GET_DIRTY_BITMAP of pages that a test has written';
    return [unspecified(withDirtyAreas('unknown'), what)];
  }
  const keeps = (fields.flags & HWPT_GET_DIRTY_BITMAP_NO_CLEAR) !== 0;
  const after = withDirtyAreas(keeps ? hwpt.dirty : report.left);
  return [succeeded(hwptGetDirtyBitmapRules.reports, after, report.writes)];
};
