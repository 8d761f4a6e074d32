// SPDX-License-Identifier: MIT
// Differences of no-IOMMU groups, and of containers that have or had such groups.

import type { Description } from '../row.ts';

const SET = 'VFIO_GROUP_SET_CONTAINER';
const DEVICE = 'VFIO_GROUP_GET_DEVICE_FD';
const NO_CALL = 'type1-dispatch/no-iommu';
const ON_IOMMUFD = 'compat-set-iommu/no-iommu';
const IMPERFECT =
  'a comment in iommufd_vfio_set_iommu(): "Emulation for NOIOMMU is imperfect in that VFIO blocks almost all other ioctls"';

const MAPPING_CALLS = ['VFIO_IOMMU_MAP_DMA', 'VFIO_IOMMU_UNMAP_DMA', 'VFIO_IOMMU_GET_INFO'];

export const NOIOMMU_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'noiommu-mode-stays',
    title: 'A container that a no-IOMMU group has left takes no other groups any more',
    severity: 'breaks',
    means:
      'A legacy container without groups is as new. An iommufd serves no-IOMMU groups only, as long as it is open, and answers EINVAL: open another one.',
    covers: [
      {
        request: SET,
        legacy: 'group-set-container/joins',
        compat: 'group-set-container/serves-no-iommu',
      },
    ],
  },
  {
    id: 'noiommu-after-others',
    title: 'A container that other groups have left takes no no-IOMMU group any more',
    severity: 'breaks',
    means:
      'The compatibility IOAS that the other group made stays, and keeps no-IOMMU groups out with EINVAL: open another iommufd.',
    covers: [
      {
        request: SET,
        legacy: 'group-set-container/joins-no-iommu',
        compat: 'group-set-container/no-iommu-with-ioas',
      },
    ],
  },
  {
    id: 'noiommu-mixing-errno',
    title: 'A no-IOMMU group beside others is refused with EINVAL instead of EPERM',
    severity: 'harmless',
    means: 'Neither side mixes them.',
    covers: [{ request: SET, legacy: 'group-set-container/mixes-no-iommu' }],
  },
  {
    id: 'noiommu-device-before-type',
    title: 'GET_DEVICE_FD opens a device without an IOMMU before SET_IOMMU, or without it',
    severity: 'differs',
    means:
      'With type1 a program must set the type NOIOMMU first, and says by that that it knows what it is doing. With iommufd it need not.',
    covers: [
      {
        request: DEVICE,
        legacy: 'group-get-device-fd/no-type',
        compat: 'group-get-device-fd/opens-unbound',
      },
    ],
  },
  {
    id: 'noiommu-unset-open',
    title: 'UNSET_CONTAINER succeeds while a device without an IOMMU is open',
    severity: 'differs',
    means:
      'type1 answers EBUSY. With iommufd the device is bound to nothing: it goes on without a container, and holds neither that nor its group.',
    covers: [
      {
        request: 'VFIO_GROUP_UNSET_CONTAINER',
        compat: 'group-unset-container/unsets-no-iommu',
      },
    ],
  },
  {
    id: 'noiommu-type-after-leaving',
    title: 'SET_IOMMU(NOIOMMU_IOMMU) works when the no-IOMMU group has left again',
    severity: 'harmless',
    means: 'An iommufd keeps the mode; there the call changes nothing.',
    covers: [
      {
        request: 'VFIO_SET_IOMMU(NOIOMMU)',
        legacy: 'type1-set-iommu/no-group',
        compat: ON_IOMMUFD,
      },
    ],
  },
  {
    id: 'noiommu-type-twice',
    title: 'SET_IOMMU(NOIOMMU_IOMMU) can be called again',
    severity: 'harmless',
    means: 'type1 refuses a second time with EINVAL.',
    covers: [
      {
        request: 'VFIO_SET_IOMMU(NOIOMMU)',
        legacy: 'type1-set-iommu/type-set',
        compat: ON_IOMMUFD,
      },
    ],
  },
  {
    id: 'noiommu-switched-off',
    title: 'SET_IOMMU(NOIOMMU_IOMMU) works although the unsafe mode was switched off since',
    severity: 'differs',
    means:
      'type1 checks enable_unsafe_noiommu_mode again and answers ENODEV; iommufd never checks it. Switching the mode off does not stop programs that can open the group.',
    covers: [
      {
        request: 'VFIO_SET_IOMMU(NOIOMMU)',
        legacy: 'type1-set-iommu/no-iommu-only',
        compatAnswers: 'grants',
      },
    ],
  },
  {
    id: 'noiommu-other-type',
    title: 'SET_IOMMU with another type for a no-IOMMU group fails with EINVAL instead of ENODEV',
    severity: 'harmless',
    means:
      'Both refuse. A program that goes on to the type NOIOMMU only on ENODEV stops too early.',
    covers: [{ request: 'VFIO_SET_IOMMU', legacy: 'type1-set-iommu/no-iommu-only' }],
  },
  {
    id: 'noiommu-extension-after-leaving',
    title:
      'CHECK_EXTENSION says that there is neither type1 nor UNMAP_ALL when a no-IOMMU group has left',
    severity: 'differs',
    means:
      'Which is so: the iommufd takes no other groups any more. A legacy container answers as a new one.',
    covers: [
      {
        request: 'VFIO_CHECK_EXTENSION',
        legacy: 'type1-check-extension/type1',
        compat: 'compat-check-extension/type1',
      },
    ],
  },
  {
    id: 'noiommu-extension-cc',
    title:
      'CHECK_EXTENSION(DMA_CC_IOMMU) with a no-IOMMU group fails with ENODEV instead of answering 0',
    severity: 'breaks',
    means:
      'A program that takes any result other than 0 for "yes" believes that accesses are coherent; one that checks for errors stops.',
    covers: [
      {
        request: 'VFIO_CHECK_EXTENSION(DMA_CC)',
        legacy: 'type1-check-extension/no-iommu-groups',
      },
    ],
  },
  {
    id: 'noiommu-mapping-errno',
    title:
      'MAP_DMA, UNMAP_DMA and GET_INFO for a no-IOMMU group fail with ENODEV instead of ENOTTY',
    severity: 'harmless',
    declared: IMPERFECT,
    means:
      'Both refuse: nothing can be mapped. iommufd says that there is no IOAS, type1 that there is no such call.',
    covers: MAPPING_CALLS.map((request) => ({
      request,
      legacy: NO_CALL,
      compat: 'compat-ioas/none',
    })),
  },
  {
    id: 'noiommu-mapping-invalid',
    title:
      'Invalid MAP_DMA, UNMAP_DMA and GET_INFO for a no-IOMMU group fail with EINVAL or EFAULT instead of ENOTTY',
    severity: 'harmless',
    declared: IMPERFECT,
    means: 'Both refuse; iommufd checks the struct before it searches for an IOAS.',
    covers: MAPPING_CALLS.map((request) => ({
      request,
      legacy: NO_CALL,
      compatAnswers: 'refuses',
    })),
  },
];
