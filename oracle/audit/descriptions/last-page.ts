// SPDX-License-Identifier: MIT
// Maps that end at the last byte of the address space, which type1 of 6.12 cannot find once they are made.

import type { Description } from '../row.ts';

const MAP = 'VFIO_IOMMU_MAP_DMA';
const UNMAP = 'VFIO_IOMMU_UNMAP_DMA';
const TO_END = 'type1-map-dma/maps-to-end';

/** Matched before other descriptions of maps that only one side has. */
export const LAST_PAGE_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'map-lost-again',
    title:
      'MAP_DMA over a map that ends with the last byte of the address space fails with EEXIST; type1 of 6.12 takes it',
    severity: 'harmless',
    means:
      'type1 of 6.12 does not see such maps, and has both then. Only containers of mdevs alone can have such IOVAs.',
    covers: [
      {
        request: MAP,
        legacy: [TO_END, 'type1-map-dma/maps-over-missed'],
        compat: 'mapping/overlaps',
      },
    ],
  },
  {
    id: 'map-lost',
    title:
      'MAP_DMA up to the last byte of the address space fails with EOVERFLOW; type1 takes the map and loses it',
    severity: 'harmless',
    means:
      'type1 of 6.12 sees the map no more as long as there is no other, so that it stays until the last group leaves. Nothing is pinned: only containers of mdevs alone can have such IOVAs.',
    covers: [{ request: MAP, legacy: TO_END, compatAnswers: 'refuses' }],
  },
  {
    id: 'unmap-lost',
    title:
      'UNMAP_DMA finds a map that ends with the last byte of the address space, also with ALL; type1 of 6.12 does not',
    severity: 'differs',
    means:
      'type1 answers 0 and says by size that nothing was unmapped; the map stays, and counts against dma_entry_limit. iommufd unmaps it, or refuses with ENOENT to unmap a part of it.',
    covers: [{ request: UNMAP, legacy: 'type1-unmap-dma/unmaps-none-missed' }],
  },
  {
    id: 'unmap-to-the-end',
    title:
      'UNMAP_DMA of a range that ends with the last byte of the address space unmaps it; type1 of 6.12 finds nothing there',
    severity: 'differs',
    means:
      'type1 answers 0 all the same, and says by size that nothing was unmapped: maps in the range stay, and devices go on to reach them.',
    covers: [{ request: UNMAP, legacy: 'type1-unmap-dma/unmaps-none-to-end' }],
  },
];
