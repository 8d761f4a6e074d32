// SPDX-License-Identifier: MIT
// Differences of the container itself: extensions, types, and native calls on its descriptor.

import type { Description } from '../row.ts';

const NONE = 'compat-ioas/none';
const NATIVE = 'calls of iommufd';
const MIXING = 'the patch: "mixing and matching new iommufd only features"';

const NEXT_TYPE =
  'Both refuse. A program that goes on to the next type only on ENODEV stops too early.';

const unknownType = (
  id: string,
  title: string,
  types: readonly string[],
  declared?: string,
): Description => ({
  id,
  title,
  severity: 'harmless',
  ...(declared === undefined ? {} : { declared }),
  means: NEXT_TYPE,
  covers: types.map((type) => ({
    request: `VFIO_SET_IOMMU(${type})`,
    legacy: 'type1-set-iommu/unknown-type',
  })),
});

export const CONTAINER_DESCRIPTIONS: readonly Description[] = [
  {
    id: 'iommufd-compat-ioas',
    title: 'The container reports which IOAS its maps are in (IOMMU_VFIO_IOAS)',
    severity: 'harmless',
    declared: MIXING,
    means:
      'A program that knows the IOAS can use native calls on it: what they map and unmap VFIO calls then see.',
    covers: [{ request: NATIVE, compat: 'vfio-ioas/' }],
  },
  {
    id: 'iommufd-calls',
    title: "iommufd's own calls make objects on the container's descriptor",
    severity: 'harmless',
    declared: MIXING,
    means:
      'A program can find out by them which of the two it has. What they make is beside what VFIO calls see.',
    covers: [{ request: NATIVE, compatAnswers: 'grants' }],
  },
  {
    id: 'iommufd-calls-refused',
    title: "iommufd's own calls on the container's descriptor fail with errors of their own",
    severity: 'harmless',
    declared: MIXING,
    means:
      'type1 answers EINVAL before a type is set and ENOTTY afterwards; with iommufd other errors say that the call exists: EFAULT or E2BIG for a struct that cannot be read or has more than is known, EINVAL for one that is too short, and ENOENT, EPERM or EBUSY.',
    covers: [{ request: NATIVE }],
  },
  {
    id: 'container-mapped',
    title: 'mmap of the container fails with EINVAL or ENXIO instead of ENODEV',
    severity: 'harmless',
    means:
      'Both refuse. An iommufd of 7.3 has pages to map where a vIOMMU offers them; it refuses private mappings with EINVAL, executable ones with EPERM and others with ENXIO. With MAP_FIXED what was mapped at the address is gone then.',
    covers: [{ request: 'mmap', what: 'result' }],
  },
  {
    id: 'unused-number-fault',
    title:
      'Numbers among those of iommufd that are no call fail with EFAULT where the argument is no address',
    severity: 'harmless',
    means:
      'iommufd reads the first four bytes of the struct before it checks the whole number, so that it is the same with numbers of other drivers that have such a last byte. type1 answers EINVAL before a type is set and ENOTTY afterwards. A program that asks by such a call what it has before it, with 0 as the argument, sees it.',
    covers: [{ request: 'other numbers', compat: 'ioctl-dispatch/size-fault' }],
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
      'CHECK_EXTENSION(DMA_CC_IOMMU) answers 1 while no device is open, whatever the IOMMU can do',
    severity: 'differs',
    means:
      'iommufd has no domain before a device is open, nor when all are closed again, and of none it says that all are coherent. type1 says what the IOMMU can do from SET_IOMMU on, and 0 where no type is set. Ask when a device is open: a 1 at other times means nothing.',
    covers: [{ request: 'VFIO_CHECK_EXTENSION(DMA_CC)' }],
  },
  {
    id: 'extension-noiommu',
    title: 'CHECK_EXTENSION(NOIOMMU_IOMMU) answers 1 for every container',
    severity: 'differs',
    means:
      'type1 answers 1 only where the unsafe mode is switched on (enable_unsafe_noiommu_mode), and no group has joined but no-IOMMU ones; iommufd says what the kernel was built with. A program that takes the 1 for a reason to use no IOMMU goes the wrong way.',
    covers: [{ request: 'VFIO_CHECK_EXTENSION(NOIOMMU)' }],
  },
  {
    id: 'extension-update-vaddr',
    title: 'CHECK_EXTENSION(UPDATE_VADDR) answers 0: memory cannot be given another address',
    severity: 'breaks',
    declared: 'the patch: VFIO_DMA_MAP_FLAG_VADDR is not going to be implemented',
    means:
      'Live update of QEMU by exec (cpr) needs it with type1. On 7.3 the native IOAS_CHANGE_PROCESS and IOAS_MAP_FILE take its place; 6.12 has neither.',
    covers: [{ request: 'VFIO_CHECK_EXTENSION(UPDATE_VADDR)' }],
  },
  {
    id: 'extension-nesting',
    title: 'CHECK_EXTENSION(TYPE1_NESTING_IOMMU) answers 0',
    severity: 'harmless',
    declared: 'the patch: VFIO_TYPE1_NESTING_IOMMU is not going to be implemented',
    means:
      'No program in the kernel’s tree or in QEMU uses the type; native nesting takes its place.',
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
    id: 'set-iommu-no-group',
    title: 'SET_IOMMU on a container without a group fails with ENODEV instead of EINVAL',
    severity: 'harmless',
    means: 'Both refuse; a program that distinguishes the errors gets another one.',
    covers: [{ request: 'VFIO_SET_IOMMU', legacy: 'type1-set-iommu/no-group', compat: NONE }],
  },
  {
    id: 'set-iommu-nesting',
    title: 'SET_IOMMU(TYPE1_NESTING_IOMMU) is refused',
    severity: 'breaks',
    declared: 'the patch: VFIO_TYPE1_NESTING_IOMMU is not going to be implemented',
    means: 'Use TYPE1v2, as which the nesting type behaves for everything that a program can see.',
    covers: [{ request: 'VFIO_SET_IOMMU(TYPE1_NESTING)', legacyAnswers: 'grants' }],
  },
  unknownType(
    'set-iommu-spapr',
    'SET_IOMMU with a type for POWER fails with EINVAL instead of ENODEV',
    ['SPAPR_TCE', 'SPAPR_TCE_v2'],
    'the help of CONFIG_IOMMUFD_VFIO_CONTAINER: it lacks "PPC IOMMU support"',
  ),
  unknownType(
    'set-iommu-noiommu',
    'SET_IOMMU(NOIOMMU) for a group behind an IOMMU fails with EINVAL instead of ENODEV',
    ['NOIOMMU'],
  ),
  unknownType(
    'set-iommu-nesting-errno',
    'SET_IOMMU(TYPE1_NESTING_IOMMU), which type1 itself has no more, fails with EINVAL instead of ENODEV',
    ['TYPE1_NESTING'],
  ),
  unknownType(
    'set-iommu-extension',
    'SET_IOMMU with an extension that is no type fails with EINVAL instead of ENODEV',
    ['DMA_CC', 'EEH', 'UNMAP_ALL', 'UPDATE_VADDR'],
  ),
  {
    id: 'set-iommu-unknown',
    title: 'SET_IOMMU with a number that is no type fails with EINVAL instead of ENODEV',
    severity: 'harmless',
    means: NEXT_TYPE,
    covers: [
      {
        request: 'VFIO_SET_IOMMU',
        legacy: 'type1-set-iommu/unknown-type',
        compatAnswers: 'refuses',
      },
    ],
  },
  {
    id: 'set-iommu-twice',
    title: 'SET_IOMMU(TYPE1) can be called when there is a type, also v2',
    severity: 'differs',
    means:
      'type1 refuses a second type with EINVAL. iommufd goes over to v1: parts of maps can be unmapped from then on. Where something is mapped and a device is open it is EINVAL there, too.',
    covers: [
      {
        request: 'VFIO_SET_IOMMU(TYPE1)',
        legacy: 'type1-set-iommu/type-set',
        compatAnswers: 'grants',
      },
    ],
  },
  {
    id: 'set-iommu-twice-errno',
    title: 'SET_IOMMU(TYPE1) when there is a type fails with EADDRINUSE where a map is not aligned',
    severity: 'harmless',
    means: 'Both refuse. Only iommufd has such maps.',
    covers: [
      {
        request: 'VFIO_SET_IOMMU(TYPE1)',
        legacy: 'type1-set-iommu/type-set',
        compat: 'alignment/',
      },
    ],
  },
  {
    id: 'set-iommu-version2-twice',
    title: 'SET_IOMMU(TYPE1v2) can be called when there is a type; v1 then stays',
    severity: 'differs',
    means:
      'type1 refuses a second type with EINVAL. iommufd answers 0, and goes on as v1 if that was set: a program that believes the 0 unmaps parts of maps where it expects a refusal.',
    covers: [{ request: 'VFIO_SET_IOMMU', legacy: 'type1-set-iommu/type-set' }],
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
        legacy: 'type1-set-iommu/no-group',
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
];
