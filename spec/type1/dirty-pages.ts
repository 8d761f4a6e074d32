// SPDX-License-Identifier: MIT
// VFIO_IOMMU_DIRTY_PAGES on a legacy container: vfio_iommu_type1_dirty_pages() in drivers/vfio/vfio_iommu_type1.c.

import { decode, type Values } from '../abi/layout.ts';
import { PAGE_SIZE_BYTES, U64_MAX } from '../abi/units.ts';
import {
  VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP,
  VFIO_IOMMU_TYPE1_DIRTY_BITMAP,
  VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET,
} from '../abi/vfio.ts';
import { atOrAfter, nodesOf, put } from '../collections/ordered-map.ts';
import { load } from '../knowledge/user-copy.ts';
import { loadVfioStruct } from '../knowledge/vfio-struct.ts';
import { failed, failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import type { Dmas, Type1 } from '../state/container.ts';
import type { Segment } from '../terms/call.ts';
import type { Release } from '../terms/releases.ts';
import {
  grants,
  isRefused,
  onlyWith,
  onlyWithout,
  type Refused,
  refused,
  refuses,
  rulesOf,
} from '../terms/rule.ts';
import { fitsBitmap, longestReached, report, untrackedIfTooLarge } from './dirty-bitmap.ts';
import { dmaLengths, endInsideDma, endWraps, untrackedIfUndecided } from './find-dma.ts';
import { type Type1Handler, type Type1Request, withType1 } from './request.ts';
import { hasRoom, liesInUserMemory, userBitmapOf } from './user-bitmap.ts';

const BITMAP_SOURCE = 'vfio_iova_dirty_bitmap() in drivers/vfio/vfio_iommu_type1.c';

export const type1DirtyPagesRules = rulesOf(
  {
    id: 'type1-dirty-pages',
    title: 'type1 VFIO_IOMMU_DIRTY_PAGES',
    source: 'vfio_iommu_type1_dirty_pages() in drivers/vfio/vfio_iommu_type1.c',
  },
  {
    v1: refuses('EACCES', 'The type is TYPE1 (v1), whatever the argument.'),
    structFault: refuses('EFAULT', 'The first 8 bytes of the struct cannot be read.'),
    tooShort: refuses('EINVAL', 'argsz is less than 8.'),
    notOneFlag: refuses('EINVAL', 'flags is not exactly one of START, STOP and GET_BITMAP.'),
    tooManyPages: refuses(
      'EINVAL',
      'START: a map has more than 2^31 - 1 pages.',
      'vfio_dma_bitmap_alloc() in drivers/vfio/vfio_iommu_type1.c',
    ),
    starts: grants('START: starts dirty tracking, if it is not on.'),
    stops: grants('STOP: stops dirty tracking, if it is on, and discards which pages are dirty.'),
    tooShortForRange: refuses('EINVAL', 'GET_BITMAP: argsz is less than 48.'),
    rangeStructFault: refuses(
      'EFAULT',
      'GET_BITMAP: the 40 bytes after argsz and flags cannot be read.',
    ),
    zeroLength: refuses('EINVAL', 'GET_BITMAP: size is 0.'),
    wraps: onlyWith(
      'type1RangesToEnd',
      refuses('EOVERFLOW', 'GET_BITMAP: iova + size - 1 exceeds U64_MAX.'),
    ),
    wrapsEinval: onlyWithout(
      'type1RangesToEnd',
      refuses('EINVAL', 'GET_BITMAP: iova + size exceeds U64_MAX.'),
    ),
    bitmapOutsideUserMemory: refuses('EINVAL', 'GET_BITMAP: the bitmap ends beyond user memory.'),
    bitmapSize: refuses(
      'EINVAL',
      'GET_BITMAP: the range has no page, or the bitmap is empty, too short for its pages or longer than 256 MiB.',
      'verify_bitmap_size() in drivers/vfio/vfio_iommu_type1.c',
    ),
    wrongPageSize: refuses('EINVAL', 'GET_BITMAP: pgsize is not the page size.'),
    misaligned: refuses('EINVAL', 'GET_BITMAP: iova or size is not a multiple of the page size.'),
    notTracking: refuses('EINVAL', 'GET_BITMAP: dirty tracking is off.'),
    cutsFirst: refuses(
      'EINVAL',
      'GET_BITMAP: iova is inside a map, but not its first IOVA.',
      BITMAP_SOURCE,
    ),
    cutsLast: refuses(
      'EINVAL',
      'GET_BITMAP: the last IOVA of the range is inside a map, but not its last.',
      BITMAP_SOURCE,
    ),
    bitmapFault: refuses(
      'EFAULT',
      'GET_BITMAP: the words of a map cannot be read or written. Those of maps before it are written.',
      'update_user_bitmap() in drivers/vfio/vfio_iommu_type1.c',
    ),
    reports: grants(
      'GET_BITMAP: writes the words of each map in the range, with a bit set for each page that devices reach. Other words stay.',
      BITMAP_SOURCE,
    ),
  },
);

const rules = type1DirtyPagesRules;

const withBitmaps = (dmas: Dmas, dirty: bigint | undefined): Dmas => {
  let result = dmas;
  for (const { key, value } of nodesOf(dmas)) result = put(result, key, { ...value, dirty });
  return result;
};

const start = (request: Type1Request): Outcome => {
  const { world, file, type1 } = request;
  if (type1.tracksDirty) return succeeded(rules.starts, world);
  for (const length of dmaLengths(type1)) {
    if (!fitsBitmap(length)) return failed(rules.tooManyPages, world);
  }
  const next = { ...type1, tracksDirty: true, dmas: withBitmaps(type1.dmas, 0n) };
  const after = untrackedIfUndecided(withType1(request, next), file);
  return succeeded(rules.starts, untrackedIfTooLarge(after, file, longestReached(type1)));
};

const stop = (request: Type1Request): Outcome => {
  const { world, type1 } = request;
  if (!type1.tracksDirty) return succeeded(rules.stops, world);
  const next = { ...type1, tracksDirty: false, dmas: withBitmaps(type1.dmas, undefined) };
  return succeeded(rules.stops, withType1(request, next));
};

type Fields = Values<typeof VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET>;

const readRange = ({ world, call }: Type1Request, argsz: number): Fields | Refused => {
  const whole = VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET;
  if (argsz < whole.size) return refused(rules.tooShortForRange);
  const loaded = load(world.memory, call, call.argument, whole.size);
  return loaded.kind === 'bytes' ? decode(whole, loaded.bytes) : refused(rules.rangeStructFault);
};

const checkRange = (release: Release, { iova, size }: Fields): Refused | undefined => {
  if (size === 0n) return refused(rules.zeroLength);
  const last = iova + size - 1n;
  if (last <= U64_MAX && !endWraps(release, last)) return undefined;
  return refused(release.type1.reportsOverflow ? rules.wraps : rules.wrapsEinval);
};

const checkTracked = (release: Release, type1: Type1, fields: Fields): Refused | undefined => {
  const { iova, size } = fields;
  if (fields.bitmap_pgsize !== PAGE_SIZE_BYTES) return refused(rules.wrongPageSize);
  if (((iova | size) & (PAGE_SIZE_BYTES - 1n)) !== 0n) return refused(rules.misaligned);
  if (!type1.tracksDirty) return refused(rules.notTracking);
  const inside = endInsideDma(release, type1, iova, iova + size - 1n);
  if (inside === undefined) return undefined;
  return refused(inside === 'first' ? rules.cutsFirst : rules.cutsLast);
};

/** Reports the maps of the range one by one; a map that cannot be reported ends it. */
const reportRange = (request: Type1Request, fields: Fields): Outcome => {
  const { type1, call } = request;
  const { iova, size, bitmap_data: address } = fields;
  const last = iova + size - 1n;
  const writes: Segment[] = [];
  let { memory } = request.world;
  let { dmas } = type1;
  let node = atOrAfter(type1.dmas, iova);
  while (node !== undefined && node.key <= last) {
    const reported = report(memory, call, node, { base: iova, address });
    writes.push(...reported.writes);
    memory = reported.memory;
    dmas = put(dmas, node.key, reported.dma);
    if (!reported.whole) {
      return failed(rules.bitmapFault, withType1(request, { ...type1, dmas }), writes);
    }
    node = atOrAfter(type1.dmas, node.value.last + 1n);
  }
  return succeeded(rules.reports, withType1(request, { ...type1, dmas }), writes);
};

const getBitmap = (request: Type1Request, argsz: number): readonly Outcome[] => {
  const { world, type1 } = request;
  const fields = readRange(request, argsz);
  if (isRefused(fields)) return [failedBy(fields, world)];
  const wrong = checkRange(world.release, fields);
  if (wrong !== undefined) return [failedBy(wrong, world)];
  const bitmap = userBitmapOf(fields);
  const inside = liesInUserMemory(bitmap);
  if (inside === false) return [failed(rules.bitmapOutsideUserMemory, world)];
  const outside = inside === 'unknown' ? [failed(rules.bitmapOutsideUserMemory, world)] : [];
  if (!hasRoom(bitmap, fields.size)) return [...outside, failed(rules.bitmapSize, world)];
  const refusal = checkTracked(world.release, type1, fields);
  if (refusal !== undefined) return [...outside, failedBy(refusal, world)];
  return [...outside, reportRange(request, fields)];
};

export const dirtyPages: Type1Handler = (request) => {
  const { world, type1, call } = request;
  if (type1.version === 1) return [failed(rules.v1, world)];
  const loaded = loadVfioStruct(world, call, VFIO_IOMMU_TYPE1_DIRTY_BITMAP.size, rules);
  if ('outcomes' in loaded) return loaded.outcomes;
  const { argsz, flags } = decode(VFIO_IOMMU_TYPE1_DIRTY_BITMAP, loaded.bytes);
  switch (flags) {
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
      return [start(request)];
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
      return [stop(request)];
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
      return getBitmap(request, argsz);
    default:
      return [failed(rules.notOneFlag, world)];
  }
};
