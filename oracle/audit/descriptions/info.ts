// SPDX-License-Identifier: MIT
// Differences of GET_INFO.

import type { Description } from '../row.ts';

const INFO = 'VFIO_IOMMU_GET_INFO';

export const INFO_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'info-migration',
    title: 'GET_INFO has no capability MIGRATION',
    severity: 'breaks',
    declared: 'the patch: "SW access \'dirty tracking\'" is not going to be implemented',
    means:
      'QEMU then knows that the container cannot track dirty pages, and blocks migration unless devices can.',
    covers: [{ request: INFO, what: 'capability MIGRATION' }],
  },
  {
    id: 'info-dma-avail',
    title: 'GET_INFO says that 4,294,967,295 more maps can be made, always',
    severity: 'differs',
    declared: 'the patch: limits "rely on memory cgroups" instead of dma_entry_limit',
    means:
      'type1 says how many are left of 65,535, and counts down. A program that sizes its use by the number takes it for without limit.',
    covers: [{ request: INFO, what: 'capability DMA_AVAIL: what it reports' }],
  },
  {
    id: 'info-iova-ranges',
    title: 'GET_INFO reports the usable IOVA ranges only once a device is open',
    severity: 'breaks',
    means:
      'Before, iommufd says that every IOVA is usable; type1 knows from SET_IOMMU on. QEMU asks once, before it opens devices: what it maps outside the real ranges makes opening the device fail with EADDRINUSE. Open a device first, or ask again.',
    covers: [{ request: INFO, what: 'capability IOVA_RANGE: what it reports' }],
  },
  {
    id: 'info-iova-ranges-mdev',
    title: 'GET_INFO reports a range for mdevs alone: every IOVA',
    severity: 'harmless',
    means: 'Without an IOMMU type1 has no capability IOVA_RANGE at all.',
    covers: [{ request: INFO, what: 'capability IOVA_RANGE' }],
  },
  {
    id: 'info-untouched',
    title:
      'GET_INFO that fails with EFAULT leaves the struct as it was, where type1 has written a part of it',
    severity: 'harmless',
    means:
      'iommufd writes its capabilities first and the struct last; its chain fits into an argsz that is too short for type1, which then writes the struct alone. Nobody should read a struct behind EFAULT.',
    covers: [
      {
        request: INFO,
        what: ['argsz', 'flags', 'iova_pgsizes'],
        legacy: 'type1-get-info/reply-fault',
        compat: 'compat-get-info/capability-fault',
      },
    ],
  },
  {
    id: 'info-page-sizes',
    title: "GET_INFO reports the IOMMU's page sizes only once a device is open",
    severity: 'differs',
    means:
      'Before, iommufd names every size from 4 KiB up. A program that takes the least one is right all the same; one that takes the greatest is not.',
    covers: [{ request: INFO, what: 'iova_pgsizes' }],
  },
  {
    id: 'info-order',
    title: 'GET_INFO reports the capabilities in another order',
    severity: 'harmless',
    means:
      'A program that walks the chain does not mind; one that takes the first for IOVA_RANGE does.',
    covers: [{ request: INFO, what: 'order of the capabilities' }],
  },
  {
    id: 'info-fits-sooner',
    title: 'GET_INFO reports its capabilities in room that is too short for those of type1',
    severity: 'harmless',
    means: 'The chain is shorter without MIGRATION, so that cap_offset is set where type1 sets 0.',
    covers: [{ request: INFO, what: 'cap_offset' }],
  },
  {
    id: 'info-length',
    title: 'GET_INFO asks for another length (argsz), which grows when a device is opened',
    severity: 'harmless',
    means:
      'Without MIGRATION the chain is shorter, and before a device is open there is one range only. The length must be asked for each time, not kept.',
    covers: [{ request: INFO, what: ['argsz', 'flags'] }],
  },
  {
    id: 'info-stray',
    title: 'GET_INFO writes capabilities behind the struct although not all of them fit',
    severity: 'differs',
    declared:
      'a comment in iommufd_vfio_iommu_get_info(): without enough space "only some caps are returned"',
    means:
      'type1 leaves the memory behind the struct alone when there is not room for all. iommufd writes each that fits and no cap_offset. Bytes behind a struct whose argsz says that they belong to it may be overwritten.',
    covers: [{ request: INFO, what: 'bytes behind the struct without a chain' }],
  },
  {
    id: 'info-padding',
    title: 'GET_INFO treats the padding of the struct otherwise',
    severity: 'harmless',
    means: 'Four bytes behind cap_offset.',
    covers: [{ request: INFO, what: 'padding' }],
  },
  {
    id: 'info-avail-padding',
    title: 'GET_INFO leaves the four bytes of padding behind DMA_AVAIL as they were',
    severity: 'harmless',
    means: 'type1 writes zeros there. Nobody should read padding.',
    covers: [{ request: INFO, what: 'capability DMA_AVAIL: padding' }],
  },
  {
    id: 'info-fault-behind',
    title:
      'GET_INFO that fails with EFAULT in the midst of the capabilities has written DMA_AVAIL, where type1 has written MIGRATION',
    severity: 'harmless',
    means:
      'Both write the capabilities before the struct, each in its order. Nobody should read what follows EFAULT.',
    covers: [{ request: INFO, what: 'capability written before the fault' }],
  },
  {
    id: 'info-fault-sooner',
    title:
      'GET_INFO fails with EFAULT where memory ends in capabilities that type1 does not write for want of argsz',
    severity: 'harmless',
    means: 'The chain of iommufd is shorter: it fits into an argsz that is too short for type1.',
    covers: [
      { request: INFO, legacyAnswers: 'grants', compat: 'compat-get-info/capability-fault' },
    ],
  },
  {
    id: 'info-fault-later',
    title:
      'GET_INFO succeeds where memory ends behind the capabilities of iommufd and before those of type1',
    severity: 'harmless',
    means: 'The chain of iommufd is shorter. type1 answers EFAULT.',
    covers: [
      {
        request: INFO,
        legacy: 'type1-get-info/capability-fault',
        compatAnswers: 'grants',
      },
    ],
  },
  {
    id: 'info-errno',
    title: 'GET_INFO fails otherwise where the memory cannot be written',
    severity: 'harmless',
    means: 'Both read the memory at another time, so that more or less of it was written before.',
    covers: [{ request: INFO }],
  },
];
