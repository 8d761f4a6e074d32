// SPDX-License-Identifier: MIT
// VFIO_IOMMU_UNMAP_DMA on a legacy container: vfio_iommu_type1_unmap_dma() and vfio_dma_do_unmap() in
// drivers/vfio/vfio_iommu_type1.c. Maps are removed whole: v2 refuses a range that would cut one, v1 checks only where
// a map starts.

import { match } from 'ts-pattern';
import { decode, fieldBytes, fieldOf, type Values } from '../abi/layout.ts';
import { PAGE_SIZE_BYTES, U64_MAX, userAddress } from '../abi/units.ts';
import {
  VFIO_DMA_UNMAP_FLAG_ALL,
  VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
  VFIO_DMA_UNMAP_FLAG_VADDR,
  VFIO_IOMMU_TYPE1_DMA_UNMAP,
  VFIO_IOMMU_TYPE1_DMA_UNMAP_BITMAP,
} from '../abi/vfio.ts';
import { load, write } from '../knowledge/user-copy.ts';
import { loadVfioStruct } from '../knowledge/vfio-struct.ts';
import { failed, failedBy, succeeded } from '../outcome/outcome.ts';
import type { Type1 } from '../state/container.ts';
import type { World } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import type { Release } from '../terms/releases.ts';
import {
  grants,
  onlyWith,
  onlyWithout,
  type Refused,
  refused,
  refuses,
  rulesOf,
} from '../terms/rule.ts';
import { endInsideDma, findDma } from './find-dma.ts';
import { invalidateVaddrs, removeMaps } from './remove-maps.ts';
import { type Type1Handler, withType1 } from './request.ts';
import { hasRoom, liesInUserMemory, type UserBitmap, userBitmapOf } from './user-bitmap.ts';

const COPIES_IN = 'vfio_iommu_type1_unmap_dma() in drivers/vfio/vfio_iommu_type1.c';

export const type1UnmapDmaRules = rulesOf(
  {
    id: 'type1-unmap-dma',
    title: 'type1 VFIO_IOMMU_UNMAP_DMA',
    source: 'vfio_dma_do_unmap() in drivers/vfio/vfio_iommu_type1.c',
  },
  {
    structFault: refuses(
      'EFAULT',
      'The 24 bytes of the struct cannot be read, whatever argsz says.',
      COPIES_IN,
    ),
    tooShort: refuses('EINVAL', 'argsz is less than 24.', COPIES_IN),
    unknownFlags: refuses(
      'EINVAL',
      'A flag other than GET_DIRTY_BITMAP, ALL and VADDR is set, or GET_DIRTY_BITMAP with another.',
      COPIES_IN,
    ),
    tooShortForBitmap: refuses('EINVAL', 'GET_DIRTY_BITMAP: argsz is less than 48.', COPIES_IN),
    bitmapStructFault: refuses(
      'EFAULT',
      'GET_DIRTY_BITMAP: the 24 bytes after the struct cannot be read.',
      COPIES_IN,
    ),
    bitmapOutsideUserMemory: refuses(
      'EINVAL',
      'GET_DIRTY_BITMAP: the bitmap ends beyond user memory.',
      COPIES_IN,
    ),
    bitmapSize: refuses(
      'EINVAL',
      'GET_DIRTY_BITMAP: the range has no page, or the bitmap is empty, too short for its pages or longer than 256 MiB.',
      'verify_bitmap_size() in drivers/vfio/vfio_iommu_type1.c',
    ),
    mdevGroup: refuses('EBUSY', 'VADDR: the container has an mdev group.'),
    misalignedIova: refuses('EINVAL', 'iova is not a multiple of the page size.'),
    allWithRange: refuses('EINVAL', 'ALL is set, and iova or size is not 0.'),
    misalignedLength: refuses('EINVAL', 'size is 0 or not a multiple of the page size.'),
    wraps: onlyWith('type1RangesToEnd', refuses('EOVERFLOW', 'iova + size - 1 exceeds U64_MAX.')),
    wrapsEinval: onlyWithout(
      'type1RangesToEnd',
      refuses('EINVAL', 'iova + size - 1 exceeds U64_MAX.'),
    ),
    notTracking: refuses(
      'EINVAL',
      'GET_DIRTY_BITMAP: dirty tracking is off, or pgsize is not the page size.',
    ),
    cutsFirst: refuses('EINVAL', 'v2: iova is inside a map, but not its first IOVA.'),
    cutsLast: refuses(
      'EINVAL',
      'v2: the last IOVA of the range is inside a map, but not its last.',
    ),
    unmapsNoneToEnd: onlyWithout(
      'type1RangesToEnd',
      grants(
        'The range ends at U64_MAX: iova + size wraps to 0, so vfio_find_dma_first_node() finds no map. size returns 0.',
        'vfio_find_dma_first_node() in drivers/vfio/vfio_iommu_type1.c',
      ),
    ),
    unmapsNoneMissed: onlyWithout(
      'type1RangesToEnd',
      grants(
        'The range overlaps only maps that end at U64_MAX, which vfio_find_dma_first_node() misses: unmaps none, and size returns 0.',
        'vfio_find_dma_first_node() in drivers/vfio/vfio_iommu_type1.c',
      ),
    ),
    vaddrInvalid: refuses(
      'EINVAL',
      'VADDR: the vaddr of a map in the range is invalid already. No vaddr changes.',
    ),
    bitmapFault: refuses(
      'EFAULT',
      'GET_DIRTY_BITMAP: the words of a map cannot be read or written. Maps before it are unmapped.',
      'update_user_bitmap() in drivers/vfio/vfio_iommu_type1.c',
    ),
    invalidatesVaddrs: grants(
      'VADDR: invalidates the vaddr of every map in the range, which devices still reach; size returns their bytes.',
    ),
    unmaps: grants(
      'v2: unmaps every map in the range, possibly none; size returns the bytes unmapped.',
    ),
    unmapsFromStarts: grants(
      'v1: unmaps every map that starts in the range, whole; none if iova is inside a map. size returns the bytes unmapped.',
    ),
    unmapsAll: grants('ALL: unmaps every map, possibly none; size returns the bytes unmapped.'),
    replyFault: refuses(
      'EFAULT',
      'The struct cannot be written back; everything else is done.',
      COPIES_IN,
    ),
  },
);

const rules = type1UnmapDmaRules;

type Fields = Values<typeof VFIO_IOMMU_TYPE1_DMA_UNMAP>;

const has = ({ flags }: Fields, flag: number): boolean => (flags & flag) !== 0;

type PassedBitmap = {
  readonly bitmap: UserBitmap | undefined;
  /** Whether it is in user memory is not known. */
  readonly mayBeOutside: boolean;
};

const NO_BITMAP: PassedBitmap = { bitmap: undefined, mayBeOutside: false };

/** The bitmap that the program passed, if it asked for dirty pages. */
const readBitmap = (world: World, call: IoctlCall, fields: Fields): PassedBitmap | Refused => {
  if (!has(fields, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP)) return NO_BITMAP;
  const whole = VFIO_IOMMU_TYPE1_DMA_UNMAP_BITMAP;
  if (fields.argsz < whole.size) return refused(rules.tooShortForBitmap);
  const loaded = load(world.memory, call, call.argument, whole.size);
  if (loaded.kind !== 'bytes') return refused(rules.bitmapStructFault);
  const bitmap = userBitmapOf(decode(whole, loaded.bytes));
  const inside = liesInUserMemory(bitmap);
  if (inside === false) return refused(rules.bitmapOutsideUserMemory);
  if (!hasRoom(bitmap, fields.size)) return refused(rules.bitmapSize);
  return { bitmap, mayBeOutside: inside === 'unknown' };
};

const checkRange = (fields: Fields, { type1 }: Release): Refused | undefined => {
  const { iova, size } = fields;
  const mask = PAGE_SIZE_BYTES - 1n;
  if ((iova & mask) !== 0n) return refused(rules.misalignedIova);
  if (has(fields, VFIO_DMA_UNMAP_FLAG_ALL)) {
    return iova !== 0n || size !== 0n ? refused(rules.allWithRange) : undefined;
  }
  if (size === 0n || (size & mask) !== 0n) return refused(rules.misalignedLength);
  if (iova + size - 1n <= U64_MAX) return undefined;
  return refused(type1.reportsOverflow ? rules.wraps : rules.wrapsEinval);
};

/** v2 refuses a range that would cut a map. */
const checkCuts = (
  release: Release,
  type1: Type1,
  iova: bigint,
  last: bigint,
): Refused | undefined => {
  const inside = type1.version === 1 ? undefined : endInsideDma(release, type1, iova, last);
  if (inside === undefined) return undefined;
  return refused(inside === 'first' ? rules.cutsFirst : rules.cutsLast);
};

const grantOf = (fields: Fields, { version }: Type1) => {
  if (has(fields, VFIO_DMA_UNMAP_FLAG_VADDR)) return rules.invalidatesVaddrs;
  if (has(fields, VFIO_DMA_UNMAP_FLAG_ALL)) return rules.unmapsAll;
  return version === 1 ? rules.unmapsFromStarts : rules.unmaps;
};

/** The struct with the bytes unmapped in size. The kernel writes back the whole struct. */
const sizeWritten = (loaded: Uint8Array, bytes: bigint): Uint8Array => {
  const copy = new Uint8Array(loaded);
  const size = fieldOf(VFIO_IOMMU_TYPE1_DMA_UNMAP, 'size');
  copy.set(fieldBytes(size, bytes), size.offset);
  return copy;
};

/** ALL is a range of U64_MAX bytes from 0, so that its exclusive end does not wrap. */
const LAST_OF_ALL = U64_MAX - 1n;

export const unmapDma: Type1Handler = (request) => {
  const { world, type1, call } = request;
  const loaded = loadVfioStruct(world, call, VFIO_IOMMU_TYPE1_DMA_UNMAP.size, rules);
  if ('outcomes' in loaded) return loaded.outcomes;
  const fields = decode(VFIO_IOMMU_TYPE1_DMA_UNMAP, loaded.bytes);
  const { flags, iova, size } = fields;
  const alone = flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
  const others = flags & (VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR);
  if ((flags & ~(alone | others)) !== 0 || (alone !== 0 && others !== 0)) {
    return [failed(rules.unknownFlags, world)];
  }
  const passed = readBitmap(world, call, fields);
  if ('refused' in passed) return [failedBy(passed, world)];
  const { bitmap } = passed;
  const outside = passed.mayBeOutside ? [failed(rules.bitmapOutsideUserMemory, world)] : [];

  const invalidates = has(fields, VFIO_DMA_UNMAP_FLAG_VADDR);
  if (invalidates && type1.emulatedGroups.length > 0) return [failed(rules.mdevGroup, world)];
  const wrong = checkRange(fields, world.release);
  if (wrong !== undefined) return [...outside, failedBy(wrong, world)];
  if (bitmap !== undefined && (!type1.tracksDirty || bitmap.pageSize !== PAGE_SIZE_BYTES)) {
    return [...outside, failed(rules.notTracking, world)];
  }
  const all = has(fields, VFIO_DMA_UNMAP_FLAG_ALL);
  const last = all ? LAST_OF_ALL : iova + size - 1n;
  const cuts = all ? undefined : checkCuts(world.release, type1, iova, last);
  if (cuts !== undefined) return [...outside, failedBy(cuts, world)];

  const search = findDma(world.release, type1, iova, last);
  const done = invalidates
    ? invalidateVaddrs(request, search, { start: iova, last })
    : removeMaps(request, search, { start: iova, last }, bitmap?.address);
  if (done.kind === 'invalid already') return [failed(rules.vaddrInvalid, world)];
  // The reply has the writes, and its world does not have them yet.
  const memory = { ...done.memory, stores: world.memory.stores };
  const after = withType1(request, done.type1, memory);
  if (done.kind === 'fault') return [...outside, failed(rules.bitmapFault, after, done.writes)];
  const bytes = sizeWritten(loaded.bytes, done.bytes);
  const answer = write(world.memory, call.process, userAddress(call.argument), bytes);
  const writes = [...done.writes, answer.write];
  if (!answer.whole) return [...outside, failed(rules.replyFault, after, writes)];
  const rule = match(search.kind)
    .with('found', 'none', () => grantOf(fields, type1))
    .with('missed', () => rules.unmapsNoneMissed)
    .with('wraps', () => rules.unmapsNoneToEnd)
    .exhaustive();
  return [...outside, succeeded(rule, after, writes)];
};
