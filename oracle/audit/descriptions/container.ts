// Differences of the container itself: before it has a type, extensions, types, numbers that it does not know.

import type { Description } from '../row.ts';

const NO_TYPE = 'VFIO calls on a legacy container/no-type';
const NONE = 'the compatibility IOAS/none';
const UNKNOWN = 'VFIO calls on an iommufd/unknown-number';
const NATIVE = 'calls of iommufd';

export const CONTAINER_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'iommufd-calls',
    title: "iommufd's own calls work on the container's descriptor",
    severity: 'harmless',
    declared: 'the patch: "mixing and matching new iommufd only features"',
    means:
      'A program can find out by them which of the two it has. What they make and destroy is beside what VFIO calls see, unless it takes the compatibility IOAS itself.',
    covers: [{ request: NATIVE }],
  },
  {
    id: 'works-without-type',
    title: 'MAP_DMA, UNMAP_DMA and GET_INFO work before SET_IOMMU',
    severity: 'differs',
    means:
      'type1 answers EINVAL until a type is set. iommufd serves the calls as soon as a group has joined, as version 2. A test of a program that expects the refusal fails; maps made before SET_IOMMU stay.',
    covers: [{ legacy: NO_TYPE, legacyAnswers: 'refuses', compatAnswers: 'grants' }],
  },
  {
    id: 'no-group-errno',
    title: 'Without a group the calls fail with ENODEV instead of EINVAL',
    severity: 'harmless',
    means: 'Both refuse; a program that tells the errors apart sees another one.',
    covers: [
      { legacy: NO_TYPE, compat: NONE },
      { request: 'VFIO_SET_IOMMU', legacy: 'type1 VFIO_SET_IOMMU/no-group', compat: NONE },
    ],
  },
  {
    id: 'unknown-call-without-type',
    title: 'Calls that a container does not have fail with ENOTTY also before SET_IOMMU',
    severity: 'harmless',
    means:
      'type1 answers EINVAL to everything until a type is set, and ENOTTY afterwards; iommufd always answers ENOTTY. Programs that probe for calls by ENOTTY are better off.',
    covers: [{ legacy: NO_TYPE, compat: UNKNOWN }],
  },
  {
    id: 'other-errno-without-type',
    title: 'Before SET_IOMMU faulty requests are told what is wrong with them, instead of EINVAL',
    severity: 'harmless',
    means:
      'Both refuse. iommufd looks at the struct and at the map first, type1 at whether there is a type.',
    covers: [{ legacy: NO_TYPE, compatAnswers: 'refuses' }],
  },
  {
    id: 'extension-cc-without-group',
    title: 'CHECK_EXTENSION(DMA_CC_IOMMU) without a group fails with ENODEV instead of answering 0',
    severity: 'breaks',
    means:
      'A program that takes any result other than 0 for "yes" believes that accesses are coherent; one that checks for errors stops. Ask after the group has joined.',
    covers: [{ request: 'VFIO_CHECK_EXTENSION(DMA_CC)', compat: NONE }],
  },
  {
    id: 'extension-cc-without-device',
    title:
      'CHECK_EXTENSION(DMA_CC_IOMMU) answers 1 until a device is open, whatever the IOMMU can do',
    severity: 'differs',
    means:
      'iommufd has no domain before a device is open, and of none it says that all are coherent. QEMU asks after it has opened the container and before it opens devices: it must ask again, or not trust the 1.',
    covers: [{ request: 'VFIO_CHECK_EXTENSION(DMA_CC)' }],
  },
  {
    id: 'extension-noiommu',
    title: 'CHECK_EXTENSION(NOIOMMU_IOMMU) answers 1 for every container',
    severity: 'differs',
    means:
      'type1 answers 1 only to a program with CAP_SYS_RAWIO where the unsafe mode is switched on, or once a group without an IOMMU has joined; iommufd says what the kernel was built with. A program that takes the 1 for a reason to use no IOMMU goes the wrong way.',
    covers: [{ request: 'VFIO_CHECK_EXTENSION(NOIOMMU)' }],
  },
  {
    id: 'extension-update-vaddr',
    title: 'CHECK_EXTENSION(UPDATE_VADDR) answers 0: memory cannot be given another address',
    severity: 'breaks',
    declared: 'the patch: VFIO_DMA_MAP_FLAG_VADDR is not going to be implemented',
    means:
      'Live update of QEMU by exec (cpr) needs it with type1. With iommufd the native IOAS_CHANGE_PROCESS and IOAS_MAP_FILE take its place.',
    covers: [{ request: 'VFIO_CHECK_EXTENSION(UPDATE_VADDR)' }],
  },
  {
    id: 'extension-nesting',
    title: 'CHECK_EXTENSION(TYPE1_NESTING_IOMMU) answers 0',
    severity: 'harmless',
    declared: 'the patch: VFIO_TYPE1_NESTING_IOMMU is not going to be implemented',
    means:
      'No program in the kernel’s tree or in QEMU uses the type; native nesting takes its place.',
    until: 'type1 dropped it itself in a later release than 6.12',
    covers: [{ request: 'VFIO_CHECK_EXTENSION(TYPE1_NESTING)' }],
  },
  {
    id: 'extension-without-group',
    title: 'CHECK_EXTENSION before a group has joined answers otherwise',
    severity: 'differs',
    means: 'Ask after the group has joined; both answer for what the container then is.',
    covers: [{ request: 'VFIO_CHECK_EXTENSION' }],
  },
  {
    id: 'set-iommu-nesting',
    title: 'SET_IOMMU(TYPE1_NESTING_IOMMU) is refused',
    severity: 'breaks',
    declared: 'the patch: VFIO_TYPE1_NESTING_IOMMU is not going to be implemented',
    means: 'Use TYPE1v2, as which the nesting type behaves for everything that a program can see.',
    covers: [{ request: 'VFIO_SET_IOMMU(TYPE1_NESTING)', legacyAnswers: 'grants' }],
  },
  {
    id: 'set-iommu-unknown',
    title: 'SET_IOMMU with a type that is not offered fails with EINVAL instead of ENODEV',
    severity: 'harmless',
    means: 'Both refuse. A program that goes on to the next type only on ENODEV stops too early.',
    covers: [
      {
        request: 'VFIO_SET_IOMMU',
        legacy: 'type1 VFIO_SET_IOMMU/unknown-type',
        compatAnswers: 'refuses',
      },
    ],
  },
  {
    id: 'set-iommu-twice',
    title: 'SET_IOMMU can be called again, also with the other type',
    severity: 'differs',
    means:
      'type1 refuses a second type with EINVAL. iommufd takes it: from version 2 to version 1 parts of maps can be unmapped from then on, and back changes nothing.',
    covers: [{ request: 'VFIO_SET_IOMMU', legacy: 'type1 VFIO_SET_IOMMU/type-set' }],
  },
  {
    id: 'set-iommu-after-leaving',
    title: 'SET_IOMMU works when the last group has left again',
    severity: 'harmless',
    means:
      'The compatibility IOAS stays when groups leave, so that the container counts as having had a group for ever.',
    covers: [
      {
        request: 'VFIO_SET_IOMMU',
        legacy: 'type1 VFIO_SET_IOMMU/no-group',
        compatAnswers: 'grants',
      },
    ],
  },
  {
    id: 'set-iommu-errno',
    title: 'SET_IOMMU fails with another error',
    severity: 'harmless',
    means: 'Both refuse.',
    covers: [{ request: 'VFIO_SET_IOMMU', legacyAnswers: 'refuses', compatAnswers: 'refuses' }],
  },
  {
    id: 'dirty-pages',
    title: 'DIRTY_PAGES does not exist: no tracking of dirty pages through the container',
    severity: 'breaks',
    declared: 'the patch: "SW access \'dirty tracking\'" is not going to be implemented',
    means:
      'Live migration with type1’s tracking fails at its start with ENOTTY. Native calls (HWPT_SET_DIRTY_TRACKING, where the IOMMU can) or the device’s own tracking take its place. GET_INFO does not offer the capability, so that a program that looks there first does not ask.',
    covers: [{ request: 'VFIO_IOMMU_DIRTY_PAGES', legacyAnswers: 'grants' }],
  },
  {
    id: 'dirty-pages-errno',
    title: 'A faulty DIRTY_PAGES fails with ENOTTY, whatever is wrong with it',
    severity: 'harmless',
    declared: 'the patch: "SW access \'dirty tracking\'" is not going to be implemented',
    means: 'Both refuse; with iommufd there is no such call.',
    covers: [{ request: 'VFIO_IOMMU_DIRTY_PAGES' }],
  },
];
