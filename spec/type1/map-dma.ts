// SPDX-License-Identifier: MIT
// VFIO_IOMMU_MAP_DMA on a legacy container: vfio_iommu_type1_map_dma() and vfio_dma_do_map() in
// drivers/vfio/vfio_iommu_type1.c. With VADDR it sets a new vaddr for a map that exists.

import { match } from 'ts-pattern';
import { decode, type Values } from '../abi/layout.ts';
import { PAGE_SIZE_BYTES, U64_MAX } from '../abi/units.ts';
import {
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_VADDR,
  VFIO_DMA_MAP_FLAG_WRITE,
  VFIO_IOMMU_TYPE1_DMA_MAP,
} from '../abi/vfio.ts';
import { put } from '../collections/ordered-map.ts';
import { withSharedDoubt } from '../knowledge/memory-doubt.ts';
import { loadVfioStruct } from '../knowledge/vfio-struct.ts';
import { failed, failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { chargedPages, type Dma } from '../state/container.ts';
import type { Memory } from '../state/memory.ts';
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
import { fitsBitmap, untrackedIfTooLarge } from './dirty-bitmap.ts';
import { findDma, untrackedIfUndecided, withDma } from './find-dma.ts';
import { isValidRange } from './iova-ranges.ts';
import { lockable, type1LockedMemoryRules, withLocked } from './locked-memory.ts';
import { reach } from './reach.ts';
import { type Type1Handler, type Type1Request, withType1 } from './request.ts';

export const type1MapDmaRules = rulesOf(
  {
    id: 'type1-map-dma',
    title: 'type1 VFIO_IOMMU_MAP_DMA',
    source: 'vfio_dma_do_map() in drivers/vfio/vfio_iommu_type1.c',
  },
  {
    structFault: refuses(
      'EFAULT',
      'The 32 bytes of the struct cannot be read, whatever argsz says.',
      'vfio_iommu_type1_map_dma() in drivers/vfio/vfio_iommu_type1.c',
    ),
    tooShort: refuses(
      'EINVAL',
      'argsz is less than 32.',
      'vfio_iommu_type1_map_dma() in drivers/vfio/vfio_iommu_type1.c',
    ),
    unknownFlags: refuses(
      'EINVAL',
      'A flag other than READ, WRITE and VADDR is set.',
      'vfio_iommu_type1_map_dma() in drivers/vfio/vfio_iommu_type1.c',
    ),
    zeroLength: refuses('EINVAL', 'size is 0.'),
    wraps: onlyWith(
      'type1RangesToEnd',
      refuses('EOVERFLOW', 'iova + size - 1 or vaddr + size - 1 exceeds U64_MAX.'),
    ),
    wrongFlags: refuses(
      'EINVAL',
      'None of READ, WRITE and VADDR is set, or VADDR is set with READ or WRITE.',
    ),
    misaligned: refuses('EINVAL', 'size, iova or vaddr is not a multiple of the page size.'),
    wrapsEinval: onlyWithout(
      'type1RangesToEnd',
      refuses('EINVAL', 'iova + size - 1 or vaddr + size - 1 exceeds U64_MAX.'),
    ),
    noMap: refuses('ENOENT', 'VADDR: no map overlaps the range.'),
    otherMap: refuses('EINVAL', 'VADDR: the range is not exactly one map, or its vaddr is valid.'),
    setsVaddr: grants(
      'VADDR: the map gets vaddr in the calling process, which is charged for it. Devices reach the same pages as before.',
    ),
    overlaps: refuses('EEXIST', 'The range overlaps a map.'),
    tooManyMaps: refuses('ENOSPC', 'The container has as many maps as dma_entry_limit allows.'),
    outsideIovaRanges: refuses(
      'EINVAL',
      'The range is not inside one of the IOVA ranges that GET_INFO reports.',
      'vfio_iommu_iova_dma_valid() in drivers/vfio/vfio_iommu_type1.c',
    ),
    tooManyPages: refuses(
      'EINVAL',
      'Dirty tracking is on, and the range has more than 2^31 - 1 pages.',
      'vfio_dma_bitmap_alloc() in drivers/vfio/vfio_iommu_type1.c',
    ),
    maps: grants(
      'Maps the range to the pages at vaddr, in every domain. Without a domain nothing is pinned, and vaddr need not be mapped.',
    ),
    mapsToEnd: onlyWithout(
      'type1RangesToEnd',
      grants(
        'The map ends at U64_MAX: iova + size wraps to 0, so vfio_find_dma() misses it while it is the only one.',
        'vfio_find_dma() in drivers/vfio/vfio_iommu_type1.c',
      ),
    ),
    mapsOverMissed: onlyWithout(
      'type1RangesToEnd',
      grants(
        'The range overlaps only maps that end at U64_MAX, which vfio_find_dma() misses: maps it as well.',
        'vfio_find_dma() in drivers/vfio/vfio_iommu_type1.c',
      ),
    ),
  },
);

type Fields = Values<typeof VFIO_IOMMU_TYPE1_DMA_MAP>;

const checkFields = (
  { flags, iova, vaddr, size }: Fields,
  { type1: { reportsOverflow } }: Release,
): Refused | undefined => {
  const rules = type1MapDmaRules;
  const overflows = iova + size - 1n > U64_MAX || vaddr + size - 1n > U64_MAX;
  if (reportsOverflow && size === 0n) return refused(rules.zeroLength);
  if (reportsOverflow && overflows) return refused(rules.wraps);
  const permissions = flags & (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
  const setsAddress = (flags & VFIO_DMA_MAP_FLAG_VADDR) !== 0;
  if ((permissions !== 0) === setsAddress) return refused(rules.wrongFlags);
  if (size === 0n) return refused(rules.zeroLength);
  if (((size | iova | vaddr) & (PAGE_SIZE_BYTES - 1n)) !== 0n) return refused(rules.misaligned);
  return overflows ? refused(rules.wrapsEinval) : undefined;
};

/** Charges the map to another process. */
const withOwner = (memory: Memory, dma: Dma, process: number): Memory | Refused => {
  if (dma.process === process) return memory;
  const pages = chargedPages(dma);
  const left = lockable(memory, process);
  if (left !== undefined && BigInt(pages) > left)
    return refused(type1LockedMemoryRules.newOwnerLimit);
  return withLocked(withLocked(memory, process, pages), dma.process, -pages);
};

/** Sets the vaddr of the map that is exactly the range. */
const setVaddr = (request: Type1Request, { iova, vaddr, size }: Fields): Outcome => {
  const { world, type1, call } = request;
  const last = iova + size - 1n;
  const search = findDma(world.release, type1, iova, last);
  if (search.kind !== 'found') return failed(type1MapDmaRules.noMap, world);
  const { key, value: dma } = search.node;
  if (!dma.vaddrInvalid || key !== iova || dma.last !== last) {
    return failed(type1MapDmaRules.otherMap, world);
  }
  const { process } = call;
  const memory = withOwner(world.memory, dma, process);
  if (isRefused(memory)) return failedBy(memory, world);
  const next = {
    ...type1,
    dmas: put(type1.dmas, iova, { ...dma, process, vaddr, vaddrInvalid: false }),
    invalidVaddrs: type1.invalidVaddrs - 1,
  };
  return succeeded(type1MapDmaRules.setsVaddr, withType1(request, next, memory));
};

/** Maps the range, which must overlap no map. */
const addMap = (request: Type1Request, { flags, iova, vaddr, size }: Fields): Outcome => {
  const { world, file, type1, call } = request;
  const { process } = call;
  const rules = type1MapDmaRules;
  const last = iova + size - 1n;
  const search = findDma(world.release, type1, iova, last);
  if (search.kind === 'found') return failed(rules.overlaps, world);
  if (type1.available === 0) return failed(rules.tooManyMaps, world);
  if (!isValidRange(type1.ranges, iova, last)) return failed(rules.outsideIovaRanges, world);

  const readable = (flags & VFIO_DMA_MAP_FLAG_READ) !== 0;
  const writable = (flags & VFIO_DMA_MAP_FLAG_WRITE) !== 0;
  const payers = { from: process, charge: process };
  const reached =
    type1.domains.length === 0
      ? { spans: undefined, memory: world.memory }
      : reach(world.memory, payers, vaddr, Number(size / PAGE_SIZE_BYTES), writable);
  if (isRefused(reached)) return failedBy(reached, world);
  if (type1.tracksDirty && !fitsBitmap(size)) return failed(rules.tooManyPages, world);

  const next = withDma(world.release, type1, iova, {
    last,
    vaddr,
    process,
    readable,
    writable,
    reached: reached.spans,
    vaddrInvalid: false,
    dirty: type1.tracksDirty ? 0n : undefined,
  });
  const rule = match(search.kind)
    .with('none', () => rules.maps)
    .with('missed', () => rules.mapsOverMissed)
    .with('wraps', () => rules.mapsToEnd)
    .exhaustive();
  const after = untrackedIfUndecided(withType1(request, next, reached.memory), file);
  const isDirty = type1.tracksDirty && reached.spans !== undefined;
  return succeeded(rule, isDirty ? untrackedIfTooLarge(after, file, size) : after);
};

const KNOWN_FLAGS = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE | VFIO_DMA_MAP_FLAG_VADDR;

export const mapDma: Type1Handler = (request) => {
  const { world, type1, call } = request;
  const loaded = loadVfioStruct(world, call, VFIO_IOMMU_TYPE1_DMA_MAP.size, type1MapDmaRules);
  if ('outcomes' in loaded) return loaded.outcomes;
  const fields = decode(VFIO_IOMMU_TYPE1_DMA_MAP, loaded.bytes);
  if ((fields.flags & ~KNOWN_FLAGS) !== 0) return [failed(type1MapDmaRules.unknownFlags, world)];
  const wrong = checkFields(fields, world.release);
  if (wrong !== undefined) return [failedBy(wrong, world)];
  if ((fields.flags & VFIO_DMA_MAP_FLAG_VADDR) !== 0) return [setVaddr(request, fields)];
  const outcome = addMap(request, fields);
  return outcome.kind === 'reply' && type1.domains.length > 0
    ? withSharedDoubt(outcome, world, call.process, fields.vaddr, fields.size)
    : [outcome];
};
