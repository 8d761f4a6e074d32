// SPDX-License-Identifier: MIT
// Causes in what a container or an IOAS has mapped before, or lacks.

import type { Cause } from '../cause.ts';
import type { CauseId } from '../cause-id.ts';

export const mapCauses = {
  'no-type': {
    title:
      'The container has no type: the call comes before SET_IOMMU, or after the last group has left.',
    rules: ['type1-dispatch/no-type'],
    usual: 25,
    why: 'A legacy container without a type refuses every map, whatever its range.',
    evidence: [
      {
        when: ({ program }) =>
          program === 'QEMU' || program === 'cloud-hypervisor' || program === 'libvirt',
        weight: -18,
        why: 'The program sets the type before it maps.',
      },
      {
        when: ({ program }) => program === undefined || program === 'strace',
        weight: 15,
        why: 'It is a common mistake in a new program.',
      },
    ],
    checks: [
      'strace -e openat,ioctl: is there SET_CONTAINER and SET_IOMMU with result 0 before the map?',
      'Was the device unbound, or the group file closed, in between?',
    ],
    remedies: ['Map after SET_CONTAINER and SET_IOMMU, and map again when a group has rejoined.'],
  },
  'part-of-map': {
    title:
      'The range covers only a part of a map: a map of v2, and one of an IOAS, is unmapped as it was mapped.',
    rules: [
      'type1-unmap-dma/cuts-first',
      'type1-unmap-dma/cuts-last',
      'unmapping/cuts-area',
      'cutting/large-pages',
      'cutting/accessed',
    ],
    usual: 60,
    why: 'It is the commonest reason why an unmap fails.',
    checks: [
      'Compare iova and size of the unmap with those of the maps (strace -e ioctl, or `record`)',
      'Memory that was mapped in one call and is freed in parts?',
    ],
    remedies: [
      'Unmap whole maps, or map in the pieces that are unmapped later (DPDK: --match-allocations, or hugepages of one size).',
      'v1 (VFIO_TYPE1_IOMMU) on iommufd allows cuts; on type1 it unmaps the whole map.',
    ],
  },
  'nothing-mapped': {
    title: 'Nothing is mapped in the range.',
    rules: ['ioas-unmap/nothing-mapped', 'type1-map-dma/no-map'],
    usual: 50,
    why: 'IOAS_UNMAP reports ENOENT for an empty range; type1 and the compatibility layer report success with a size of 0.',
    checks: ['Was the range unmapped before, or mapped at another IOVA?'],
    remedies: ['Take ENOENT of IOAS_UNMAP as success, as QEMU does.'],
  },
  'vaddr-update': {
    title:
      'An update of vaddr (live update) does not fit the maps: VADDR without UNMAP with VADDR before, or an mdev in the container.',
    rules: [
      'type1-map-dma/other-map',
      'type1-locked-memory/new-owner-limit',
      'type1-unmap-dma/mdev-group',
      'type1-unmap-dma/vaddr-invalid',
      'type1-attach-group/vaddr-invalid',
    ],
    usual: 4,
    why: 'Only live update (CPR) uses it.',
    checks: ['Is this an update of QEMU in place (cpr-exec, cpr-transfer)?'],
    remedies: ['See the order of steps in the header of VFIO_DMA_MAP_FLAG_VADDR.'],
  },
  'dirty-bitmap': {
    title:
      'The dirty bitmap of the call does not fit: tracking is off, or its size or page size is wrong.',
    rules: [
      'type1-unmap-dma/not-tracking',
      'type1-unmap-dma/bitmap-size',
      'type1-unmap-dma/too-short-for-bitmap',
      'type1-unmap-dma/bitmap-outside-user-memory',
      'type1-map-dma/too-many-pages',
      'type1-dirty-pages/not-tracking',
      'type1-dirty-pages/bitmap-size',
      'type1-dirty-pages/wrong-page-size',
      'type1-dirty-pages/too-many-pages',
      'type1-dirty-pages/cuts-first',
      'type1-dirty-pages/cuts-last',
    ],
    usual: 6,
    why: 'Only migration uses it.',
    checks: ['Is a migration running? Is dirty tracking on (DIRTY_PAGES START)?'],
    remedies: [
      'Start tracking first; take page size and greatest size from the migration capability of GET_INFO.',
    ],
  },
  'no-such-object': {
    title: 'No IOAS or hwpt has the id, or the iommufd has no compatibility IOAS.',
    rules: [
      'ioas-map/no-ioas',
      'ioas-unmap/no-ioas',
      'compat-ioas/none',
      'attaching/no-target',
      'attaching/not-a-target',
      'attaching-access/no-ioas',
    ],
    usual: 30,
    why: 'Ids are of one iommufd, and end with it.',
    checks: ['Is the id of this descriptor? Was it destroyed?'],
    remedies: [
      'Use the id that IOAS_ALLOC or HWPT_ALLOC wrote; set a compatibility IOAS by a group or IOMMU_VFIO_IOAS.',
    ],
  },
} as const satisfies Readonly<Partial<Record<CauseId, Cause>>>;
