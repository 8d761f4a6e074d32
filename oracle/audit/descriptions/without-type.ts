// SPDX-License-Identifier: MIT
// Differences of a container without a type: type1 refuses every call with EINVAL before it checks it.

import type { Description } from '../row.ts';

const NO_TYPE = 'type1-dispatch/no-type';
const NONE = 'compat-ioas/none';
const UNKNOWN = 'compat-dispatch/unknown-ioctl';
const INFO = 'VFIO_IOMMU_GET_INFO';
const MAP = 'VFIO_IOMMU_MAP_DMA';
const UNMAP = 'VFIO_IOMMU_UNMAP_DMA';

const BOTH_REFUSE =
  'Both refuse; a program that distinguishes the errors gets another one. It is the same where only no-IOMMU groups have joined and no type is set.';
const CHECKS_FIRST =
  'Both refuse. iommufd checks the call itself; type1 checks nothing until there is a type.';

const withoutGroup = (id: string, call: string, request: string): Description => ({
  id,
  title: `${call} on a container without a group fails with ENODEV instead of EINVAL`,
  severity: 'harmless',
  means: BOTH_REFUSE,
  covers: [{ request, legacy: NO_TYPE, compat: NONE }],
});

const WORKING: readonly Description[] = [
  {
    id: 'info-without-type',
    title: 'GET_INFO works before SET_IOMMU',
    severity: 'differs',
    means:
      'As soon as a group has joined, iommufd answers as it does later, and so for no device: every IOVA and every page size. type1 answers EINVAL, also when the last group has left again, with which its type goes.',
    covers: [{ request: INFO, legacy: NO_TYPE, compatAnswers: 'grants' }],
  },
  {
    id: 'map-without-type',
    title: 'MAP_DMA works before SET_IOMMU',
    severity: 'differs',
    means:
      'What is mapped as soon as a group has joined stays when a type is set, also as v1. A test that expects the refusal fails. type1 answers EINVAL, also when the last group has left again, with which its type goes.',
    covers: [{ request: MAP, legacy: NO_TYPE, compatAnswers: 'grants' }],
  },
  {
    id: 'unmap-without-type',
    title: 'UNMAP_DMA works before SET_IOMMU, as v2',
    severity: 'differs',
    means:
      'As soon as a group has joined, maps are removed. type1 answers EINVAL, also when the last group has left again, with which its type goes.',
    covers: [{ request: UNMAP, legacy: NO_TYPE, compatAnswers: 'grants' }],
  },
];

const NO_GROUP: readonly Description[] = [
  withoutGroup('info-no-group', 'GET_INFO', INFO),
  withoutGroup('map-no-group', 'MAP_DMA', MAP),
  withoutGroup('unmap-no-group', 'UNMAP_DMA', UNMAP),
];

const UNKNOWN_CALLS: readonly Description[] = [
  {
    id: 'spapr-without-type',
    title: 'The calls for POWER (ENABLE, DISABLE) fail with ENOTTY also before SET_IOMMU',
    severity: 'harmless',
    declared: 'the help of CONFIG_IOMMUFD_VFIO_CONTAINER: it lacks "PPC IOMMU support"',
    means: 'type1 answers EINVAL until a type is set, and ENOTTY afterwards.',
    covers: [
      { request: 'VFIO_IOMMU_ENABLE', legacy: NO_TYPE, compat: UNKNOWN },
      { request: 'VFIO_IOMMU_DISABLE', legacy: NO_TYPE, compat: UNKNOWN },
    ],
  },
  {
    id: 'group-calls-without-type',
    title: 'Calls of a group made on the container fail with ENOTTY also before SET_IOMMU',
    severity: 'harmless',
    means: 'type1 answers EINVAL until a type is set, and ENOTTY afterwards.',
    covers: [
      { request: 'VFIO_GROUP_GET_STATUS', legacy: NO_TYPE, compat: UNKNOWN },
      { request: 'VFIO_GROUP_SET_CONTAINER', legacy: NO_TYPE, compat: UNKNOWN },
      { request: 'VFIO_GROUP_UNSET_CONTAINER', legacy: NO_TYPE, compat: UNKNOWN },
      { request: 'VFIO_GROUP_GET_DEVICE_FD', legacy: NO_TYPE, compat: UNKNOWN },
    ],
  },
  {
    id: 'dirty-pages-without-type',
    title: 'DIRTY_PAGES fails with ENOTTY also before SET_IOMMU',
    severity: 'harmless',
    declared: 'the patch: "SW access \'dirty tracking\'" is not going to be implemented',
    means: 'type1 answers EINVAL until a type is set.',
    covers: [{ request: 'VFIO_IOMMU_DIRTY_PAGES', legacy: NO_TYPE, compat: UNKNOWN }],
  },
  {
    id: 'unknown-call-without-type',
    title: 'Numbers that no container knows fail with ENOTTY also before SET_IOMMU',
    severity: 'harmless',
    means:
      'type1 answers EINVAL to every number but those of its own three calls until a type is set, and ENOTTY afterwards. Programs that probe for calls by ENOTTY are better off.',
    covers: [{ legacy: NO_TYPE, compat: [UNKNOWN, 'ioctl-dispatch/unknown-ioctl'] }],
  },
];

const ERRORS: readonly Description[] = [
  {
    id: 'info-part-written-without-type',
    title:
      'Before SET_IOMMU a GET_INFO into memory that ends too soon writes a part and fails with EFAULT',
    severity: 'harmless',
    means: 'type1 answers EINVAL and writes nothing; iommufd writes what it can before it fails.',
    covers: [
      {
        request: INFO,
        legacy: NO_TYPE,
        compat: ['compat-get-info/reply-fault', 'compat-get-info/capability-fault'],
      },
    ],
  },
  {
    id: 'info-fault-without-type',
    title: 'Before SET_IOMMU a GET_INFO of memory that cannot be read fails with EFAULT',
    severity: 'harmless',
    means: CHECKS_FIRST,
    covers: [{ request: INFO, legacy: NO_TYPE }],
  },
  {
    id: 'map-fault-without-type',
    title: 'Before SET_IOMMU a MAP_DMA whose struct cannot be read fails with EFAULT',
    severity: 'harmless',
    means: CHECKS_FIRST,
    covers: [{ request: MAP, legacy: NO_TYPE, compat: 'compat-map-dma/struct-fault' }],
  },
  {
    id: 'map-wraps-without-type',
    title:
      'Before SET_IOMMU a MAP_DMA that passes the end of the address space fails with EOVERFLOW',
    severity: 'harmless',
    means: CHECKS_FIRST,
    covers: [
      {
        request: MAP,
        legacy: NO_TYPE,
        compat: ['alloc-pages/address-wraps', 'mapping/wraps', 'mapping/page-count-wraps'],
      },
    ],
  },
  {
    id: 'map-overlaps-without-type',
    title: 'Before SET_IOMMU a MAP_DMA over another map fails with EEXIST',
    severity: 'harmless',
    means: CHECKS_FIRST,
    covers: [{ request: MAP, legacy: NO_TYPE, compat: 'mapping/overlaps' }],
  },
  {
    id: 'map-errno-without-type',
    title: 'Before SET_IOMMU a MAP_DMA that is refused gives the reason',
    severity: 'harmless',
    means: CHECKS_FIRST,
    covers: [{ request: MAP, legacy: NO_TYPE }],
  },
  {
    id: 'unmap-fault-without-type',
    title: 'Before SET_IOMMU an UNMAP_DMA whose struct cannot be read fails with EFAULT',
    severity: 'harmless',
    means: CHECKS_FIRST,
    covers: [{ request: UNMAP, legacy: NO_TYPE, compat: 'compat-unmap-dma/struct-fault' }],
  },
  {
    id: 'unmap-wraps-without-type',
    title:
      'Before SET_IOMMU an UNMAP_DMA that passes the end of the address space fails with EOVERFLOW, and writes size 0',
    severity: 'harmless',
    means: CHECKS_FIRST,
    covers: [{ request: UNMAP, legacy: NO_TYPE, compat: 'unmapping/wraps' }],
  },
  {
    id: 'unmap-cuts-without-type',
    title: 'Before SET_IOMMU an UNMAP_DMA of a part of a map fails with ENOENT, and writes size 0',
    severity: 'harmless',
    means: CHECKS_FIRST,
    covers: [{ request: UNMAP, legacy: NO_TYPE, compat: 'unmapping/cuts-area' }],
  },
  {
    id: 'unmap-unanswered-without-type',
    title:
      'Before SET_IOMMU an UNMAP_DMA whose struct cannot be written unmaps and fails with EFAULT',
    severity: 'harmless',
    means: 'type1 answers EINVAL and unmaps nothing.',
    covers: [{ request: UNMAP, legacy: NO_TYPE }],
  },
];

export const WITHOUT_TYPE_DESCRIPTIONS: readonly Description[] = [
  ...WORKING,
  ...NO_GROUP,
  ...UNKNOWN_CALLS,
  ...ERRORS,
];
