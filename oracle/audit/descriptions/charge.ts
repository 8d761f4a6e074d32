// SPDX-License-Identifier: MIT
// Differences in what is charged, and when.

import type { Description } from '../row.ts';

const BY_TYPE1 = 'how many pages are charged: by type1 alone';
const BY_IOMMUFD = 'how many pages are charged: by iommufd alone';
const MAP = 'VFIO_IOMMU_MAP_DMA';
const UNMAP = 'VFIO_IOMMU_UNMAP_DMA';

export const CHARGE_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'charge-account',
    title: 'Pinned memory is charged to VmPin and the user, not to VmLck',
    severity: 'differs',
    declared:
      'the uAPI header: IOMMU_OPTION_RLIMIT_MODE; only as /dev/vfio/vfio itself does iommufd count for the process',
    means:
      'RLIMIT_MEMLOCK then holds for all processes of the user together. Tools that watch VmLck see nothing. What a program with CAP_IPC_LOCK maps type1 charges to VmLck all the same, without a limit; iommufd counts it in VmPin alone.',
    covers: [{ what: 'which account is charged' }],
  },
  {
    id: 'charge-time',
    title: 'MAP_DMA charges nothing while no device is open',
    severity: 'differs',
    means:
      'type1 pins and charges at MAP_DMA. iommufd does when there is a domain to fill: a container without an open device holds no memory.',
    covers: [{ request: MAP, what: BY_TYPE1 }],
  },
  {
    id: 'charge-unmap',
    title: 'UNMAP_DMA gives no charge back while no device is open',
    severity: 'harmless',
    means: 'There was none.',
    covers: [
      {
        request: UNMAP,
        what: BY_TYPE1,
        legacy: ['type1-unmap-dma/unmaps', 'type1-unmap-dma/unmaps-all'],
      },
    ],
  },
  {
    id: 'charge-at-open',
    title: 'Opening the first device charges everything that is mapped',
    severity: 'differs',
    means: 'It takes as long as pinning all the memory does. type1 did that map by map.',
    covers: [{ request: 'VFIO_GROUP_GET_DEVICE_FD', what: BY_IOMMUFD }],
  },
  {
    id: 'charge-device-closed',
    title: 'Closing the last device gives back what is charged, though the maps stay',
    severity: 'differs',
    means:
      'With type1 memory stays pinned until it is unmapped or the last group leaves. A program that closes and opens devices pins everything again each time.',
    covers: [{ request: 'close', what: BY_IOMMUFD }],
  },
  {
    id: 'charge-group-leaves',
    title: 'The charge does not end with the last group: there was none without a device',
    severity: 'harmless',
    means: 'type1 drops all maps, and their charge, when the last group leaves or is closed.',
    covers: [
      { request: 'VFIO_GROUP_UNSET_CONTAINER', what: BY_TYPE1 },
      { request: 'close', what: BY_TYPE1 },
    ],
  },
  {
    id: 'charge-group-joins',
    title: 'The first group behind an IOMMU that joins mdevs has nothing charged',
    severity: 'differs',
    means:
      'type1 pins all maps of the container then; iommufd waits for a device of the group to be opened.',
    covers: [{ request: 'VFIO_GROUP_SET_CONTAINER', what: BY_TYPE1 }],
  },
  {
    id: 'map-beside-locked',
    title: 'What a program has locked by itself (mlock) leaves less to map under type1 alone',
    severity: 'differs',
    declared: 'the uAPI header: IOMMU_OPTION_RLIMIT_MODE',
    means:
      'MAP_DMA of type1 and mlock() are charged to one account, VmLck: what one has the other cannot have, and mapping memory that is locked already needs twice its length. iommufd counts for the user beside it, so that each has all of RLIMIT_MEMLOCK.',
    covers: [
      {
        request: MAP,
        situation: 'a device is open',
        legacy: 'type1-locked-memory/',
        compatAnswers: 'grants',
      },
    ],
  },
  {
    id: 'map-beyond-limit',
    title: 'MAP_DMA of more than RLIMIT_MEMLOCK allows succeeds while no device is open',
    severity: 'differs',
    means: 'ENOMEM comes from GET_DEVICE_FD instead.',
    covers: [{ request: MAP, legacy: 'type1-locked-memory/', compatAnswers: 'grants' }],
  },
  {
    id: 'open-beyond-limit',
    title: 'GET_DEVICE_FD fails with ENOMEM when what is mapped may not be locked',
    severity: 'breaks',
    means:
      'Which map was too much is not reported. With type1 MAP_DMA fails, and the device can be opened all the same.',
    covers: [
      { request: 'VFIO_GROUP_GET_DEVICE_FD', legacyAnswers: 'grants', compat: 'locked-memory/' },
    ],
  },
];
