// Differences in what is charged, and when.

import type { Description } from '../row.ts';

const AMOUNT = 'how many pages are charged';

export const CHARGE_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'charge-account',
    title: 'Pinned memory is charged to VmPin and the user, not to VmLck',
    severity: 'differs',
    declared:
      'the uAPI header: IOMMU_OPTION_RLIMIT_MODE; only as /dev/vfio/vfio itself does iommufd charge as type1 does',
    means:
      'RLIMIT_MEMLOCK then holds for all processes of the user together. Tools that watch VmLck see nothing.',
    covers: [{ what: 'which account is charged' }],
  },
  {
    id: 'charge-time',
    title: 'Memory is pinned and charged while a device is open, not from the map to the unmap',
    severity: 'differs',
    means:
      'type1 pins at MAP_DMA. iommufd pins when the first device is opened, and lets go when the last one is closed: ENOMEM for want of RLIMIT_MEMLOCK comes from GET_DEVICE_FD instead, and a container without an open device holds no memory.',
    covers: [
      { what: AMOUNT, situation: 'no device is open' },
      { request: 'close', what: AMOUNT },
      {
        request: 'VFIO_IOMMU_MAP_DMA',
        legacy: 'type1 locked memory/',
        compatAnswers: 'grants',
      },
    ],
  },
];
