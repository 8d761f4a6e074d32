// Differences of UNMAP_DMA.

import type { Description } from '../row.ts';

const UNMAP = 'VFIO_IOMMU_UNMAP_DMA';
const UNKNOWN_FLAGS = 'VFIO_IOMMU_UNMAP_DMA/unknown-flags';

const REACH: readonly string[] = [
  'what devices reach: less under iommufd',
  'what devices reach: more under iommufd',
];

export const UNMAP_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'unmap-vaddr',
    title: 'UNMAP_DMA with VADDR is refused with EINVAL',
    severity: 'breaks',
    declared: 'the patch: VFIO_DMA_MAP_FLAG_VADDR is not going to be implemented',
    means: 'See CHECK_EXTENSION(UPDATE_VADDR).',
    covers: [
      {
        request: UNMAP,
        legacy: [
          'type1 VFIO_IOMMU_UNMAP_DMA/takes-addresses',
          'type1 VFIO_IOMMU_UNMAP_DMA/addresses-taken',
        ],
        compat: UNKNOWN_FLAGS,
      },
    ],
  },
  {
    id: 'unmap-dirty-bitmap',
    title: 'UNMAP_DMA with GET_DIRTY_BITMAP is refused with EINVAL',
    severity: 'breaks',
    declared: 'the patch: VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP is obsolete',
    means: 'See DIRTY_PAGES.',
    covers: [{ request: UNMAP, legacyAnswers: 'grants', compat: UNKNOWN_FLAGS }],
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
    title: 'Unmapping a part of a map fails with ENOENT instead of EINVAL',
    severity: 'differs',
    means:
      'As version 2 both refuse. iommufd uses the error that says elsewhere that nothing is there, and writes size 0.',
    covers: [
      {
        request: UNMAP,
        what: 'result',
        legacy: ['type1 VFIO_IOMMU_UNMAP_DMA/cuts-first', 'type1 VFIO_IOMMU_UNMAP_DMA/cuts-last'],
        compat: 'unmapping/cuts-area',
      },
    ],
  },
  {
    id: 'unmap-part-version1',
    title: 'As version 1 a part of a map is unmapped alone; type1 unmaps whole maps or nothing',
    severity: 'breaks',
    means:
      'type1 takes all of a map whose start lies in the range, and nothing of one that only its end meets. iommufd cuts at the ends of the range. A program that relied on either reaches other memory afterwards than it thinks, and gets another size back.',
    covers: [
      { request: UNMAP, legacy: 'type1 VFIO_IOMMU_UNMAP_DMA/unmaps-from-starts' },
      { request: 'VFIO_GROUP_GET_DEVICE_FD', what: REACH },
      {
        request: UNMAP,
        what: [...REACH, 'size', 'how many pages are charged'],
        legacy: 'type1 VFIO_IOMMU_UNMAP_DMA/unmaps-unanswered',
        compat: 'VFIO_IOMMU_UNMAP_DMA/unmaps-unanswered',
      },
    ],
  },
  {
    id: 'unmap-unaligned',
    title:
      'UNMAP_DMA of a range that is not page aligned succeeds where nothing lies in part in it',
    severity: 'differs',
    means:
      'type1 refuses with EINVAL before it looks at maps. iommufd unmaps what lies in the range, and answers how many bytes that was, perhaps 0.',
    covers: [
      {
        request: UNMAP,
        legacy: [
          'type1 VFIO_IOMMU_UNMAP_DMA/iova-not-aligned',
          'type1 VFIO_IOMMU_UNMAP_DMA/size-not-aligned',
        ],
        compatAnswers: 'grants',
      },
    ],
  },
  {
    id: 'unmap-failed-size',
    title: 'An UNMAP_DMA that fails writes size back',
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
      'type1 looks at both ends of the range before it unmaps anything. iommufd goes through the maps and stops with ENOENT at one that lies in part in the range; size tells how many bytes were unmapped till then.',
    covers: [
      {
        request: UNMAP,
        what: [...REACH, 'how many pages are charged'],
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
        what: [...REACH, 'how many pages are charged'],
        compat: 'VFIO_IOMMU_UNMAP_DMA/unmaps-unanswered',
      },
    ],
  },
  {
    id: 'unmap-wrap-errno',
    title: 'Ranges that wrap around fail with EOVERFLOW',
    severity: 'harmless',
    means: 'type1 says EINVAL for some of them. Both refuse.',
    covers: [{ request: UNMAP, compat: 'unmapping/wraps' }],
  },
  {
    id: 'unmap-order',
    title: 'UNMAP_DMA with two things wrong names the other one',
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
