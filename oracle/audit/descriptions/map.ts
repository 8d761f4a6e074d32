// SPDX-License-Identifier: MIT
// Differences of MAP_DMA if one side grants what the other refuses, or both grant it with different effects.

import type { Description } from '../row.ts';

const MAP = 'VFIO_IOMMU_MAP_DMA';
const NO_VADDR = 'the patch: VFIO_DMA_MAP_FLAG_VADDR is not going to be implemented';
const UNKNOWN_FLAGS = 'compat-map-dma/unknown-flags';
const PINNED_LATE =
  'iommufd pins when there is a domain to fill: when the first device is opened, which then fails with EFAULT. type1 refuses the map. Map what is there, or open a device first.';

export const MAP_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'map-vaddr',
    title: 'MAP_DMA with VADDR is refused with EINVAL: a map cannot get another address',
    severity: 'breaks',
    declared: NO_VADDR,
    means: 'See CHECK_EXTENSION(UPDATE_VADDR).',
    covers: [{ request: MAP, legacyAnswers: 'grants', compat: UNKNOWN_FLAGS }],
  },
  {
    id: 'map-vaddr-errno',
    title: 'MAP_DMA with VADDR where there is no such map fails with EINVAL instead of ENOENT',
    severity: 'harmless',
    declared: NO_VADDR,
    means: 'Both refuse.',
    covers: [{ request: MAP, legacy: 'type1-map-dma/no-map', compat: UNKNOWN_FLAGS }],
  },
  {
    id: 'map-no-permission',
    title: 'MAP_DMA with neither READ nor WRITE is accepted while no device is open',
    severity: 'differs',
    means:
      'type1 refuses with EINVAL. The map lets no device do anything, and opening a device then fails.',
    covers: [{ request: MAP, legacy: 'type1-map-dma/wrong-flags', compatAnswers: 'grants' }],
  },
  {
    id: 'map-unpinned',
    title: 'MAP_DMA of addresses without memory succeeds while no device is open',
    severity: 'differs',
    means: PINNED_LATE,
    covers: [{ request: MAP, legacy: 'type1-pinning/not-mapped', compatAnswers: 'grants' }],
  },
  {
    id: 'map-unpinned-read-only',
    title: 'MAP_DMA for writing of memory that is only readable succeeds while no device is open',
    severity: 'differs',
    means: PINNED_LATE,
    covers: [{ request: MAP, legacy: 'type1-pinning/not-writable', compatAnswers: 'grants' }],
  },
  {
    id: 'map-unpinned-no-access',
    title: 'MAP_DMA of memory without access (PROT_NONE) succeeds while no device is open',
    severity: 'differs',
    means: PINNED_LATE,
    covers: [{ request: MAP, legacy: 'type1-pinning/not-accessible', compatAnswers: 'grants' }],
  },
  {
    id: 'map-unpinned-bar',
    title: 'MAP_DMA for writing of a BAR that is only readable succeeds while no device is open',
    severity: 'differs',
    means: PINNED_LATE,
    covers: [
      {
        request: MAP,
        legacy: 'type1-pinning/bar-not-writable',
        compatAnswers: 'grants',
      },
    ],
  },
  {
    id: 'map-unpinned-file',
    title: 'MAP_DMA of memory behind the end of a file succeeds while no device is open',
    severity: 'differs',
    means: PINNED_LATE,
    covers: [{ request: MAP, legacy: 'type1-pinning/beyond-file', compatAnswers: 'grants' }],
  },
  {
    id: 'map-unpinned-other',
    title: 'MAP_DMA of memory that cannot be pinned succeeds while no device is open',
    severity: 'differs',
    means: PINNED_LATE,
    covers: [{ request: MAP, legacy: 'type1-pinning/', compatAnswers: 'grants' }],
  },
  {
    id: 'map-device-memory',
    title: "MAP_DMA of a device's BAR is refused with EFAULT: no peer-to-peer",
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
    covers: [{ request: MAP, legacy: 'type1-map-dma/misaligned', compatAnswers: 'grants' }],
  },
  {
    id: 'map-reserved',
    title: 'MAP_DMA of IOVAs that devices cannot use is accepted while no device is open',
    severity: 'differs',
    means:
      'iommufd learns the reserved ranges and the aperture when a device is opened, which then fails with EADDRINUSE because of the map. type1 refuses the map with EINVAL.',
    covers: [
      { request: MAP, legacy: 'type1-map-dma/outside-iova-ranges', compatAnswers: 'grants' },
    ],
  },
  {
    id: 'map-limit',
    title: 'The number of maps is not limited',
    severity: 'harmless',
    declared: 'the patch: limits "rely on memory cgroups" instead of dma_entry_limit',
    means: 'The 65,536th map of a container is ENOSPC with type1.',
    covers: [{ request: MAP, legacy: 'type1-map-dma/too-many-maps', compatAnswers: 'grants' }],
  },
  {
    id: 'map-tracked-length',
    title: 'MAP_DMA of 2^31 pages or more succeeds where type1 tracks dirty pages',
    severity: 'harmless',
    means:
      'No bitmap of type1 is that long: while it tracks, such a map is EINVAL. iommufd has no tracking that a map could be too long for.',
    covers: [{ request: MAP, legacy: 'type1-map-dma/too-many-pages', compatAnswers: 'grants' }],
  },
  {
    id: 'map-again-after-cut',
    title: 'After a part was unmapped as v1 it can be mapped again at once',
    severity: 'harmless',
    means:
      'type1 v1 unmaps whole maps or nothing, so that the IOVAs are still taken (EEXIST) or all are free.',
    covers: [{ request: MAP, legacy: 'type1-map-dma/overlaps', compatAnswers: 'grants' }],
  },
  {
    id: 'map-wrap-accepted',
    title:
      'MAP_DMA of addresses up to the last one there is fails with EOVERFLOW where type1 takes them',
    severity: 'harmless',
    means:
      'type1 goes by the last byte of the range and iommufd by the byte behind it. Without an IOMMU type1 pins nothing: a map for mdevs is taken whatever its address is.',
    covers: [
      { request: MAP, legacyAnswers: 'grants', compat: 'alloc-pages/address-wraps' },
      { request: MAP, legacyAnswers: 'grants', compat: 'mapping/wraps' },
    ],
  },
];

/** Matched last, against causes that no description of an error covers. */
export const OTHER_MAP_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'map-reach',
    title: 'What a map lets devices reach differs',
    severity: 'differs',
    means: 'See the programs.',
    covers: [{ request: MAP }],
  },
];
