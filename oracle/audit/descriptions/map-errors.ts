// SPDX-License-Identifier: MIT
// Differences of MAP_DMA if both sides refuse, for different reasons: the checks and their order.

import type { Cited, Description } from '../row.ts';

const MAP = 'VFIO_IOMMU_MAP_DMA';
const ORDER = 'Both refuse; the checks come in another order.';

const order = (
  id: string,
  title: string,
  legacy: readonly Cited[],
  compat: readonly Cited[],
  means = ORDER,
): Description => ({
  id,
  title,
  severity: 'harmless',
  means,
  covers: [{ request: MAP, what: 'result', legacy, compat }],
});

const WRAPS: readonly Cited[] = [
  'alloc-pages/address-wraps',
  'mapping/wraps',
  'mapping/page-count-wraps',
];
const MEMORY: readonly Cited[] = ['pinning/'];

export const MAP_ERROR_DESCRIPTIONS: readonly Description[] = [
  order(
    'map-wrap-memory',
    'MAP_DMA of addresses that reach the end of the address space fails with EOVERFLOW instead of EFAULT',
    ['type1-pinning/'],
    WRAPS,
    'Both refuse. type1 goes by the last byte, and finds that no memory is there; iommufd by the byte behind it.',
  ),
  order(
    'map-wrap-errno',
    'MAP_DMA that passes the end of the address space fails with EOVERFLOW instead of EINVAL',
    ['type1-map-dma/wraps-einval'],
    WRAPS,
    'Both refuse. type1 has the same error in 7.3.',
  ),
  order(
    'map-wrap-permission',
    'MAP_DMA with neither READ nor WRITE that reaches the end of the address space: EOVERFLOW instead of EINVAL',
    ['type1-map-dma/wrong-flags'],
    WRAPS,
  ),
  order(
    'map-wrap-alignment',
    'MAP_DMA that is unaligned and reaches the end of the address space: EOVERFLOW instead of EINVAL',
    ['type1-map-dma/misaligned'],
    WRAPS,
  ),
  order(
    'map-wrap-reserved',
    'MAP_DMA of IOVAs that cannot be used and addresses that reach the end: EOVERFLOW instead of EINVAL',
    ['type1-map-dma/outside-iova-ranges'],
    WRAPS,
  ),
  order(
    'map-wrap-overlap',
    'MAP_DMA over another map, of addresses that reach the end: EOVERFLOW instead of EEXIST',
    ['type1-map-dma/overlaps'],
    WRAPS,
  ),
  order(
    'map-wrap-limit',
    'MAP_DMA beyond dma_entry_limit, of addresses that reach the end: EOVERFLOW instead of ENOSPC',
    ['type1-map-dma/too-many-maps'],
    WRAPS,
  ),
  order(
    'map-overflow-flags',
    'MAP_DMA with VADDR that passes the end of the address space: EINVAL instead of EOVERFLOW',
    ['type1-map-dma/wraps'],
    ['compat-map-dma/unknown-flags'],
    'Both refuse. iommufd does not know the flag, and checks flags first.',
  ),
  order(
    'map-overflow-length',
    'MAP_DMA of the whole address space but for a page at most: EINVAL instead of EOVERFLOW',
    ['type1-map-dma/wraps'],
    ['alloc-pages/length-out-of-range'],
    'Both refuse. iommufd checks the size by itself before it checks the IOVA with it.',
  ),
  order(
    'map-overflow-alignment',
    'MAP_DMA that is unaligned and passes the end of the address space: EINVAL instead of EOVERFLOW while a device is open',
    ['type1-map-dma/wraps'],
    ['mapping/misaligned-iova', 'mapping/misaligned-length', 'mapping/misaligned-offset'],
  ),
  order(
    'map-order-permission-memory',
    'MAP_DMA with neither READ nor WRITE, of memory that cannot be had: EFAULT instead of EINVAL',
    ['type1-map-dma/wrong-flags'],
    MEMORY,
  ),
  order(
    'map-order-permission-overlap',
    'MAP_DMA with neither READ nor WRITE over another map: EEXIST instead of EINVAL',
    ['type1-map-dma/wrong-flags'],
    ['mapping/overlaps'],
  ),
  order(
    'map-order-alignment-overlap',
    'MAP_DMA that is unaligned, over another map: EEXIST instead of EINVAL',
    ['type1-map-dma/misaligned'],
    ['mapping/overlaps'],
  ),
  order(
    'map-order-overlap-reserved',
    'MAP_DMA over another map and where devices cannot go: EINVAL instead of EEXIST',
    ['type1-map-dma/overlaps'],
    ['mapping/reserved'],
  ),
  order(
    'map-order-limit-memory',
    'MAP_DMA of memory that cannot be had, beyond the limit on locked memory: EFAULT instead of ENOMEM',
    ['type1-locked-memory/'],
    MEMORY,
  ),
  order(
    'map-order-limit-maps',
    'MAP_DMA beyond dma_entry_limit with something else wrong names that instead of ENOSPC',
    ['type1-map-dma/too-many-maps'],
    [...MEMORY, 'mapping/', 'domains/'],
    'Both refuse. iommufd has no limit on maps.',
  ),
  order(
    'map-order-kept',
    'MAP_DMA over a map that only iommufd has, with something else wrong: EEXIST comes first',
    ['type1-pinning/', 'type1-locked-memory/', 'type1-map-dma/outside-iova-ranges'],
    ['mapping/overlaps'],
    'Both refuse. With iommufd maps stay when groups leave, and are looked for before memory is.',
  ),
  {
    id: 'map-order',
    title: 'MAP_DMA with two handles wrong names the other one',
    severity: 'harmless',
    means: ORDER,
    covers: [{ request: MAP, what: 'result', legacyAnswers: 'refuses', compatAnswers: 'refuses' }],
  },
];
