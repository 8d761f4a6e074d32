// Differences in the life of groups and devices.

import type { Description } from '../row.ts';

export const GROUP_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'device-before-type',
    title: 'GET_DEVICE_FD works before SET_IOMMU',
    severity: 'differs',
    means:
      'The device is attached to the compatibility IOAS at once. type1 answers EINVAL until a type is set.',
    covers: [
      {
        request: 'VFIO_GROUP_GET_DEVICE_FD',
        legacy: 'VFIO_GROUP_GET_DEVICE_FD/no-type',
      },
    ],
  },
  {
    id: 'unset-container-open',
    title: 'UNSET_CONTAINER succeeds while a device is open',
    severity: 'differs',
    means:
      'type1 answers EBUSY. With iommufd the open device keeps the iommufd, and stays attached.',
    covers: [{ request: 'VFIO_GROUP_UNSET_CONTAINER', compatAnswers: 'grants' }],
  },
  {
    id: 'group-reopened',
    title: 'A group can be opened again while its device is open',
    severity: 'harmless',
    means: 'Under type1 an open device holds its group, which then is EBUSY.',
    covers: [{ request: 'open' }],
  },
  {
    id: 'maps-outlive-groups',
    title: 'Maps stay when the last group leaves or is closed',
    severity: 'differs',
    means:
      'type1 drops all maps and the type. With iommufd a program that starts over with the same container gets EEXIST, and its old maps are filled into the domains again.',
    covers: [
      { request: 'VFIO_IOMMU_MAP_DMA', legacyAnswers: 'grants', compat: 'mapping/overlaps' },
      {
        request: 'VFIO_IOMMU_UNMAP_DMA',
        what: 'size',
        legacy: 'type1 VFIO_IOMMU_UNMAP_DMA/unmaps',
        compatAnswers: 'grants',
      },
      {
        request: 'VFIO_IOMMU_UNMAP_DMA',
        legacy: 'type1 VFIO_IOMMU_UNMAP_DMA/unmaps',
        compat: 'unmapping/cuts-area',
      },
      {
        request: 'VFIO_GROUP_GET_DEVICE_FD',
        what: 'what devices reach: more under iommufd',
      },
    ],
  },
  {
    id: 'version1-stays',
    title: 'Version 1 stays set when all groups have left, also if version 2 is set then',
    severity: 'differs',
    means:
      'type1 begins anew. The compatibility IOAS goes on cutting maps once TYPE1 was set, so that an unmap of a part succeeds as version 2, too.',
    covers: [
      {
        request: 'VFIO_IOMMU_UNMAP_DMA',
        legacy: ['type1 VFIO_IOMMU_UNMAP_DMA/cuts-first', 'type1 VFIO_IOMMU_UNMAP_DMA/cuts-last'],
        compat: 'VFIO_IOMMU_UNMAP_DMA/unmaps',
      },
    ],
  },
];

/** Held against what no other description covers. */
export const OTHER_GROUP_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'group-calls',
    title: 'Calls on the group answer otherwise',
    severity: 'differs',
    means: 'See the programs.',
    covers: [
      { request: 'VFIO_GROUP_GET_STATUS' },
      { request: 'VFIO_GROUP_SET_CONTAINER' },
      { request: 'VFIO_GROUP_UNSET_CONTAINER' },
      { request: 'VFIO_GROUP_GET_DEVICE_FD' },
    ],
  },
];
