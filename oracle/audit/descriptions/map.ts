// Differences of MAP_DMA.

import type { Description } from '../row.ts';

const MAP = 'VFIO_IOMMU_MAP_DMA';

export const MAP_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'map-vaddr',
    title: 'MAP_DMA with VADDR is refused with EINVAL',
    severity: 'breaks',
    declared: 'the patch: VFIO_DMA_MAP_FLAG_VADDR is not going to be implemented',
    means: 'See CHECK_EXTENSION(UPDATE_VADDR).',
    covers: [
      {
        request: MAP,
        legacy: [
          'type1 VFIO_IOMMU_MAP_DMA/no-map',
          'type1 VFIO_IOMMU_MAP_DMA/gives-address',
          'type1 VFIO_IOMMU_MAP_DMA/address-valid',
        ],
        compat: 'VFIO_IOMMU_MAP_DMA/unknown-flags',
      },
      { request: MAP, legacyAnswers: 'grants', compat: 'VFIO_IOMMU_MAP_DMA/unknown-flags' },
    ],
  },
  {
    id: 'map-no-permission',
    title: 'MAP_DMA with neither READ nor WRITE is accepted while no device is open',
    severity: 'differs',
    means:
      'type1 refuses with EINVAL. The map lets no device do anything, and opening a device then may fail.',
    covers: [
      { request: MAP, legacy: 'type1 VFIO_IOMMU_MAP_DMA/wrong-flags', compatAnswers: 'grants' },
    ],
  },
  {
    id: 'map-unpinned',
    title: 'MAP_DMA of memory that cannot be had succeeds while no device is open',
    severity: 'differs',
    means:
      'iommufd pins when there is a domain to fill: when the first device is opened. That then fails with EFAULT for a map that was answered with 0 long before; type1 refuses the map. Map what is there, or open a device first.',
    covers: [{ request: MAP, legacy: 'type1 pinning/', compatAnswers: 'grants' }],
  },
  {
    id: 'map-device-memory',
    title: "MAP_DMA of a device's registers is refused with EFAULT: no peer-to-peer",
    severity: 'breaks',
    declared: 'the patch: "VFIO P2P is not implemented"',
    means:
      'QEMU maps the BARs of assigned devices for each other; it warns and goes on. 7.3 can import a DMA-BUF by the native IOAS_MAP_FILE.',
    covers: [{ request: MAP, legacyAnswers: 'grants', compat: 'pinning/not-memory' }],
  },
  {
    id: 'map-unaligned',
    title: 'MAP_DMA of what is not page aligned is accepted while no device is open',
    severity: 'differs',
    means:
      'iommufd aligns to what the domains need; without one, to a byte. Opening a device then fails with EADDRINUSE. type1 refuses the map with EINVAL.',
    covers: [
      { request: MAP, legacy: 'type1 VFIO_IOMMU_MAP_DMA/not-aligned', compatAnswers: 'grants' },
    ],
  },
  {
    id: 'map-offset-in-page',
    title: 'MAP_DMA where address and IOVA differ within the page',
    severity: 'harmless',
    means: 'Both refuse with a device open; without one iommufd takes it.',
    covers: [{ request: MAP, compat: 'mapping/offset-too-fine' }],
  },
  {
    id: 'map-reserved',
    title: 'MAP_DMA of IOVAs that devices cannot use is accepted while no device is open',
    severity: 'differs',
    means:
      'iommufd learns the reserved ranges and the aperture when a device is opened, which then fails with EADDRINUSE because of the map. type1 refuses the map with EINVAL.',
    covers: [
      { request: MAP, legacy: 'type1 VFIO_IOMMU_MAP_DMA/not-usable', compatAnswers: 'grants' },
    ],
  },
  {
    id: 'map-limit',
    title: 'The number of maps is not limited',
    severity: 'harmless',
    declared: 'the patch: limits "rely on memory cgroups" instead of dma_entry_limit',
    means: 'The 65,536th map of a container is ENOSPC with type1.',
    covers: [
      { request: MAP, legacy: 'type1 VFIO_IOMMU_MAP_DMA/too-many', compatAnswers: 'grants' },
    ],
  },
  {
    id: 'map-again-after-cut',
    title: 'After a part was unmapped as version 1 it can be mapped again at once',
    severity: 'harmless',
    means:
      'type1 version 1 unmaps whole maps or nothing, so that the IOVAs are still taken (EEXIST) or all are free.',
    covers: [
      { request: MAP, legacy: 'type1 VFIO_IOMMU_MAP_DMA/overlaps', compatAnswers: 'grants' },
    ],
  },
  {
    id: 'map-wrap-errno',
    title: 'Addresses and IOVAs that wrap around fail with EOVERFLOW',
    severity: 'harmless',
    means:
      'type1 answers EINVAL, EFAULT or EEXIST, as it looks at something else first. Both refuse.',
    covers: [{ request: MAP, compat: ['mapping memory/address-wraps', 'mapping/iova-wraps'] }],
  },
  {
    id: 'map-overflow-errno',
    title: 'Numbers that are too great fail with EINVAL where type1 says EOVERFLOW',
    severity: 'harmless',
    means: 'Both refuse.',
    covers: [
      { request: MAP, legacy: 'type1 VFIO_IOMMU_MAP_DMA/overflows', compatAnswers: 'refuses' },
    ],
  },
  {
    id: 'map-order',
    title: 'MAP_DMA with two things wrong names the other one',
    severity: 'harmless',
    means: 'Both refuse; the checks come in another order.',
    covers: [{ request: MAP, what: 'result', legacyAnswers: 'refuses', compatAnswers: 'refuses' }],
  },
  {
    id: 'map-reach',
    title: 'What a map lets devices reach differs',
    severity: 'differs',
    means: 'See the programs.',
    covers: [{ request: MAP }],
  },
];
