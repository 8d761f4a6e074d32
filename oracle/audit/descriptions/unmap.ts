// SPDX-License-Identifier: MIT
// Differences of UNMAP_DMA.

import type { Description } from '../row.ts';

const UNMAP = 'VFIO_IOMMU_UNMAP_DMA';
const UNKNOWN_FLAGS = 'compat-unmap-dma/unknown-flags';

const FROM_STARTS = 'type1-unmap-dma/unmaps-from-starts';
const NO_VADDR = 'the patch: VFIO_DMA_MAP_FLAG_VADDR is not going to be implemented';

const LESS = 'what devices reach: less under iommufd';
const MORE = 'what devices reach: more under iommufd';
const REACH: readonly string[] = [LESS, MORE];
const AMOUNTS: readonly string[] = ['by type1 alone', 'by iommufd alone', 'other numbers'].map(
  (amounts) => `how many pages are charged: ${amounts}`,
);

export const UNMAP_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'unmap-vaddr-mdev',
    title: 'UNMAP_DMA with VADDR for mdevs fails with EINVAL instead of EBUSY',
    severity: 'harmless',
    declared: NO_VADDR,
    means: 'Both refuse.',
    covers: [{ request: UNMAP, legacy: 'type1-unmap-dma/mdev-group', compat: UNKNOWN_FLAGS }],
  },
  {
    id: 'unmap-vaddr',
    title: 'UNMAP_DMA with VADDR is refused with EINVAL: addresses cannot be taken from maps',
    severity: 'breaks',
    declared: NO_VADDR,
    means: 'See CHECK_EXTENSION(UPDATE_VADDR).',
    covers: [
      {
        request: UNMAP,
        legacy: 'type1-unmap-dma/invalidates-vaddrs',
        compat: UNKNOWN_FLAGS,
      },
    ],
  },
  {
    id: 'unmap-dirty-bitmap',
    title: 'UNMAP_DMA with GET_DIRTY_BITMAP is refused with EINVAL',
    severity: 'breaks',
    declared: 'the patch: VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP is obsolete',
    means: 'See DIRTY_PAGES: without tracking type1 refuses it, too.',
    covers: [{ request: UNMAP, legacyAnswers: 'grants', compat: UNKNOWN_FLAGS }],
  },
  {
    id: 'unmap-flags-overflow',
    title:
      'UNMAP_DMA with flags that iommufd does not have, of a range that is too great: EINVAL instead of EOVERFLOW',
    severity: 'harmless',
    means: 'Both refuse; iommufd checks the flags first.',
    covers: [{ request: UNMAP, legacy: 'type1-unmap-dma/wraps', compat: UNKNOWN_FLAGS }],
  },
  {
    id: 'unmap-flags-unwritable',
    title:
      'UNMAP_DMA with flags that iommufd does not have, into a struct that cannot be written: EINVAL, and nothing is done',
    severity: 'harmless',
    means: 'type1 takes addresses or unmaps, and then fails with EFAULT.',
    covers: [
      {
        request: UNMAP,
        legacy: 'type1-unmap-dma/reply-fault',
        compat: UNKNOWN_FLAGS,
      },
    ],
  },
  {
    id: 'unmap-flags-errno',
    title:
      'UNMAP_DMA with flags that iommufd does not have fails with EINVAL, whatever else is wrong',
    severity: 'harmless',
    means: 'Both refuse.',
    covers: [{ request: UNMAP, compat: UNKNOWN_FLAGS }],
  },
  {
    id: 'unmap-part-version2',
    title: 'An unmap that begins inside a map fails with ENOENT instead of EINVAL',
    severity: 'differs',
    means:
      'As v2 both refuse. iommufd uses the error that says elsewhere that nothing is there, and writes size 0.',
    covers: [
      {
        request: UNMAP,
        what: 'result',
        legacy: 'type1-unmap-dma/cuts-first',
        compat: 'unmapping/cuts-area',
      },
    ],
  },
  {
    id: 'unmap-part-end-version2',
    title: 'An unmap that ends inside a map fails with ENOENT instead of EINVAL',
    severity: 'differs',
    means:
      'As v2 both refuse. iommufd uses the error that says elsewhere that nothing is there, and writes to size what it has unmapped of other maps until then, or 0.',
    covers: [
      {
        request: UNMAP,
        what: 'result',
        legacy: 'type1-unmap-dma/cuts-last',
        compat: 'unmapping/cuts-area',
      },
    ],
  },
  {
    id: 'unmap-part-unanswered',
    title: 'As v1 an unmap of a part into a struct that cannot be written leaves other maps behind',
    severity: 'harmless',
    means: 'Both unmap, each in its way, and fail with EFAULT.',
    covers: [
      {
        request: UNMAP,
        what: [...REACH, 'size', ...AMOUNTS],
        legacy: 'type1-unmap-dma/reply-fault',
        compat: 'compat-unmap-dma/reply-fault',
      },
    ],
  },
  {
    id: 'unmap-part-version1-reach',
    title:
      'As v1 an unmap that begins inside a map takes the rest of it from devices; type1 leaves it whole',
    severity: 'breaks',
    means:
      'A program that relied on the map being whole has devices fail at IOVAs that it believes mapped.',
    covers: [
      { request: UNMAP, what: LESS, legacy: FROM_STARTS },
      { request: 'VFIO_GROUP_GET_DEVICE_FD', what: LESS },
    ],
  },
  {
    id: 'unmap-part-version1-left',
    title:
      'As v1 an unmap that ends inside a map leaves devices the rest of it; type1 unmaps it whole',
    severity: 'breaks',
    means: 'Memory that a program believes unmapped, and gives away, is still reached by devices.',
    covers: [{ request: UNMAP, what: MORE, legacy: FROM_STARTS }],
  },
  {
    id: 'unmap-part-version1',
    title:
      'As v1 a part of a map is unmapped alone, and size reports its length; type1 unmaps whole maps or nothing',
    severity: 'breaks',
    means:
      'type1 takes all of a map whose start lies in the range, and nothing of one that only its end meets. iommufd cuts at the ends of the range.',
    covers: [{ request: UNMAP, legacy: FROM_STARTS }],
  },
  {
    id: 'unmap-unaligned',
    title: 'UNMAP_DMA at an IOVA that is not page aligned succeeds where it cuts no map',
    severity: 'differs',
    means:
      'type1 refuses with EINVAL before it checks maps. iommufd unmaps what lies in the range, and answers how many bytes that was, perhaps 0.',
    covers: [
      {
        request: UNMAP,
        legacy: 'type1-unmap-dma/misaligned-iova',
        compatAnswers: 'grants',
      },
    ],
  },
  {
    id: 'unmap-unaligned-size',
    title: 'UNMAP_DMA of a size that is not page aligned succeeds where it cuts no map',
    severity: 'differs',
    means:
      'type1 refuses with EINVAL before it checks maps. iommufd unmaps what lies in the range, and answers how many bytes that was, perhaps 0.',
    covers: [
      {
        request: UNMAP,
        legacy: 'type1-unmap-dma/misaligned-length',
        compatAnswers: 'grants',
      },
    ],
  },
  {
    id: 'unmap-wraps-size',
    title: 'An UNMAP_DMA that passes the end of the address space writes size 0 back',
    severity: 'differs',
    means: 'type1 leaves the struct alone: a program that tries again with it asks for nothing.',
    covers: [
      {
        request: UNMAP,
        what: 'size',
        legacyAnswers: 'refuses',
        compat: 'unmapping/wraps',
      },
    ],
  },
  {
    id: 'unmap-failed-size',
    title: 'An UNMAP_DMA that fails at a map writes size back',
    severity: 'differs',
    means:
      'type1 leaves the struct alone when it refuses. iommufd writes how many bytes it had unmapped, mostly 0: a program that tries again with the same struct asks for nothing.',
    covers: [{ request: UNMAP, what: 'size', legacyAnswers: 'refuses', compatAnswers: 'refuses' }],
  },
  {
    id: 'unmap-fails-half-way',
    title: 'An UNMAP_DMA that fails at the last of several maps has unmapped those before it',
    severity: 'differs',
    means:
      'type1 checks both ends of the range before it unmaps anything. iommufd goes through the maps and stops with ENOENT at one that lies in part in the range; size reports how many bytes were unmapped until then.',
    covers: [
      {
        request: UNMAP,
        what: [...REACH, ...AMOUNTS],
        compat: 'unmapping/cuts-area',
      },
    ],
  },
  {
    id: 'unmap-unwritable',
    title:
      'UNMAP_DMA into a struct that cannot be written unmaps all the same, also where type1 refuses',
    severity: 'harmless',
    means: 'EFAULT then hides that something was unmapped.',
    covers: [
      {
        request: UNMAP,
        what: [...REACH, ...AMOUNTS],
        compat: 'compat-unmap-dma/reply-fault',
      },
    ],
  },
  {
    id: 'unmap-wrap-order',
    title:
      'UNMAP_DMA of a range that is unaligned and passes the end of the address space: EOVERFLOW instead of EINVAL',
    severity: 'harmless',
    means: 'Both refuse; type1 checks the alignment first.',
    covers: [
      {
        request: UNMAP,
        legacy: ['type1-unmap-dma/misaligned-iova', 'type1-unmap-dma/misaligned-length'],
        compat: 'unmapping/wraps',
      },
    ],
  },
  {
    id: 'unmap-wrap-errno',
    title:
      'UNMAP_DMA of a range that passes the end of the address space fails with EOVERFLOW instead of EINVAL',
    severity: 'harmless',
    means: 'Both refuse. type1 has the same error in 7.3.',
    covers: [{ request: UNMAP, compat: 'unmapping/wraps' }],
  },
  {
    id: 'unmap-unaligned-part',
    title: 'UNMAP_DMA of an unaligned range that cuts a map fails with ENOENT instead of EINVAL',
    severity: 'harmless',
    means: 'Both refuse; iommufd does not check the alignment.',
    covers: [{ request: UNMAP, what: 'result', compat: 'unmapping/cuts-area' }],
  },
  {
    id: 'unmap-unwritable-errno',
    title:
      'UNMAP_DMA with something wrong, into a struct that cannot be written, fails with EFAULT',
    severity: 'harmless',
    means:
      'Both refuse. iommufd finds that it cannot write size back, and has no other error then.',
    covers: [
      {
        request: UNMAP,
        what: 'result',
        legacyAnswers: 'refuses',
        compat: 'compat-unmap-dma/reply-fault',
      },
    ],
  },
  {
    id: 'unmap-order',
    title: 'UNMAP_DMA with two handles wrong names the other one',
    severity: 'harmless',
    means: 'Both refuse; the checks come in another order.',
    covers: [
      { request: UNMAP, what: 'result', legacyAnswers: 'refuses', compatAnswers: 'refuses' },
    ],
  },
  {
    id: 'unmap-other',
    title: 'UNMAP_DMA answers otherwise',
    severity: 'differs',
    means: 'See the programs.',
    covers: [{ request: UNMAP }],
  },
];
