// SPDX-License-Identifier: MIT
// Differences in opening, joining, leaving and closing groups and devices.

import type { Cited, Description } from '../row.ts';

const MAP = 'VFIO_IOMMU_MAP_DMA';
const UNMAP = 'VFIO_IOMMU_UNMAP_DMA';
const SET = 'VFIO_GROUP_SET_CONTAINER';
const UNSET = 'VFIO_GROUP_UNSET_CONTAINER';
const DEVICE = 'VFIO_GROUP_GET_DEVICE_FD';
const OPENS = 'group-get-device-fd/opens-under-type1';
const LATE =
  'The map was answered with 0 long before, and the error does not say which map it is; type1 refuses the map. Open a device first, then map.';

const KEPT =
  'a comment in iommufd_vfio_compat_ioas_create(): the IOAS is destroyed "at iommufd release"';

const OPENING: readonly Description[] = [
  {
    id: 'open-not-isolated',
    title:
      'GET_DEVICE_FD fails with EPERM where interrupts are not isolated and only vfio_iommu_type1 is set to allow that',
    severity: 'breaks',
    means:
      'Each has a module parameter allow_unsafe_interrupts of its own: set that of iommufd, too.',
    covers: [{ request: DEVICE, legacy: OPENS, compat: 'binding/' }],
  },
  {
    id: 'open-not-isolated-errno',
    title:
      'GET_DEVICE_FD fails with EPERM where interrupts are not isolated; type1 has no type by then and says EINVAL',
    severity: 'harmless',
    means: 'Both refuse. type1 says EPERM at SET_IOMMU.',
    covers: [{ request: DEVICE, compat: 'binding/interrupts-not-isolated' }],
  },
  {
    id: 'open-in-use-errno',
    title:
      'GET_DEVICE_FD fails with EPERM where the kernel itself uses a device of the group; type1 has not let the group join and says EINVAL',
    severity: 'harmless',
    means: 'Both refuse. type1 says EPERM at SET_CONTAINER.',
    covers: [{ request: DEVICE, compat: 'binding/group-in-use' }],
  },
  {
    id: 'device-before-type',
    title: 'GET_DEVICE_FD works before SET_IOMMU',
    severity: 'differs',
    means:
      'The device is attached to the compatibility IOAS at once. type1 answers EINVAL until a type is set.',
    covers: [{ request: DEVICE, legacy: 'group-get-device-fd/no-type', compatAnswers: 'grants' }],
  },
  {
    id: 'device-before-type-errno',
    title: 'GET_DEVICE_FD before SET_IOMMU fails for other reasons than that there is no type',
    severity: 'harmless',
    means: 'Both refuse.',
    covers: [{ request: DEVICE, legacy: 'group-get-device-fd/no-type' }],
  },
  {
    id: 'open-after-join-errno',
    title:
      'GET_DEVICE_FD of a group that only iommufd let join fails with EADDRINUSE, EFAULT or ENOMEM; type1 says EINVAL',
    severity: 'harmless',
    means:
      'Both refuse. type1 has not let the group join, for the same reason, and says that it has no container.',
    covers: [
      {
        request: DEVICE,
        legacy: 'group-get-device-fd/no-container',
        compat: ['reserving/', 'alignment/', 'pinning/', 'locked-memory/', 'domains/'],
      },
    ],
  },
  {
    id: 'open-fails-gone',
    title:
      'GET_DEVICE_FD fails with EFAULT when mapped memory was unmapped from the process meanwhile',
    severity: 'breaks',
    means:
      'type1 pins the pages at MAP_DMA, whatever the process does with its addresses. Keep memory in place until a device is open.',
    covers: [
      { request: DEVICE, situation: 'what was mapped is gone from memory', compat: 'pinning/' },
    ],
  },
  {
    id: 'open-other-memory',
    title:
      'Devices reach what is at the address when the first one is opened, not what was there at MAP_DMA',
    severity: 'breaks',
    means:
      'Memory that is put at the same address between the map and the opening of a device is what the device reaches; with type1 it goes on to reach the old pages.',
    covers: [{ request: DEVICE, what: 'which memory devices reach' }],
  },
  {
    id: 'open-fails-reserved',
    title:
      'GET_DEVICE_FD fails with EADDRINUSE when something is mapped where the device cannot go',
    severity: 'breaks',
    means: LATE,
    covers: [{ request: DEVICE, legacy: OPENS, compat: 'reserving/' }],
  },
  {
    id: 'open-fails-unaligned',
    title: 'GET_DEVICE_FD fails with EADDRINUSE when a map is finer than the IOMMU’s pages',
    severity: 'breaks',
    means: LATE,
    covers: [{ request: DEVICE, legacy: OPENS, compat: 'alignment/' }],
  },
  {
    id: 'open-fails-hole',
    title: 'GET_DEVICE_FD fails with EFAULT when no memory is at a mapped address',
    severity: 'breaks',
    means: LATE,
    covers: [{ request: DEVICE, legacy: OPENS, compat: 'pinning/not-mapped' }],
  },
  {
    id: 'open-fails-read-only',
    title:
      'GET_DEVICE_FD fails with EFAULT when memory that is only readable is mapped for writing',
    severity: 'breaks',
    means: LATE,
    covers: [{ request: DEVICE, legacy: OPENS, compat: 'pinning/not-writable' }],
  },
  {
    id: 'open-fails-no-access',
    title: 'GET_DEVICE_FD fails with EFAULT when memory without access (PROT_NONE) is mapped',
    severity: 'breaks',
    means: LATE,
    covers: [{ request: DEVICE, legacy: OPENS, compat: 'pinning/not-accessible' }],
  },
  {
    id: 'open-fails-file',
    title: 'GET_DEVICE_FD fails with EFAULT when mapped memory is behind the end of a file by then',
    severity: 'breaks',
    means: LATE,
    covers: [{ request: DEVICE, legacy: OPENS, compat: 'pinning/beyond-file' }],
  },
  {
    id: 'open-fails-bar',
    title: 'GET_DEVICE_FD fails with EFAULT when a BAR of a device is mapped',
    severity: 'breaks',
    declared: 'the patch: "VFIO P2P is not implemented"',
    means:
      'type1 maps BARs for other devices. With iommufd the map is taken while no device is open, and then no device can be opened.',
    covers: [{ request: DEVICE, legacy: OPENS, compat: 'pinning/not-memory' }],
  },
  {
    id: 'open-fails-permission',
    title: 'GET_DEVICE_FD fails with EINVAL when a map permits neither reading nor writing',
    severity: 'breaks',
    means: LATE,
    covers: [{ request: DEVICE, legacy: OPENS, compat: 'domains/no-permission' }],
  },
];

const JOINING =
  'type1 maps everything that mdevs have mapped for the new group, or refuses it. iommufd takes the group; opening its device fails instead.';

const joining = (id: string, title: string, legacy: readonly Cited[]): Description => ({
  id,
  title,
  severity: 'differs',
  means: JOINING,
  covers: [{ request: SET, legacy, compatAnswers: 'grants' }],
});

const JOINS: readonly Description[] = [
  {
    id: 'join-in-use',
    title: 'SET_CONTAINER takes a group of which the kernel itself uses a device',
    severity: 'differs',
    declared: 'a comment in vfio_group_ioctl_get_status(): it is claimed during GET_DEVICE_FD',
    means:
      'type1 refuses with EPERM, as the group is not viable. With iommufd everything works until a device is to be opened, which fails with EPERM. Check VIABLE before the group joins.',
    covers: [{ request: SET, legacy: 'group-set-container/group-in-use', compatAnswers: 'grants' }],
  },
  joining(
    'join-reserved',
    'A group behind an IOMMU joins although something is mapped in its reserved ranges; type1 answers EINVAL',
    ['type1-attach-group/reserved-mapped'],
  ),
  joining(
    'join-aperture',
    'A group behind an IOMMU joins although something is mapped beyond its aperture; type1 refuses it',
    [
      'type1-attach-group/beyond-aperture',
      'type1-attach-group/beyond-aperture-efault',
      'type1-attach-group/aperture-conflicts',
    ],
  ),
  joining(
    'join-unpinned',
    'A group behind an IOMMU joins although mapped memory cannot be had; type1 answers EFAULT',
    ['type1-pinning/'],
  ),
  joining(
    'join-limit',
    'A group behind an IOMMU joins although what is mapped may not be locked; type1 answers ENOMEM',
    ['type1-locked-memory/'],
  ),
  {
    ...joining(
      'join-addresses',
      'A group joins although addresses were taken from maps; type1 answers EBUSY',
      ['type1-attach-group/vaddr-invalid'],
    ),
    means:
      'type1 lets no group join until the maps have addresses again. iommufd takes no address away (UNMAP_DMA with VADDR is refused), so that the maps are whole.',
  },
  joining('join-other', 'A group joins that type1 refuses', ['type1-attach-group/']),
];

export const GROUP_DESCRIPTIONS: readonly Description[] = [
  ...OPENING,
  ...JOINS,
  {
    id: 'status-in-use',
    title: 'GET_STATUS says that a group is viable of which the kernel itself uses a device',
    severity: 'differs',
    declared:
      'a comment in vfio_group_ioctl_get_status(): "VFIO_GROUP_FLAGS_VIABLE could be set but GET_DEVICE_FD will fail"',
    means:
      'With a container every group counts as viable. type1 does not let such a group join; with iommufd VIABLE is worth nothing from then on.',
    covers: [
      { request: 'VFIO_GROUP_GET_STATUS', what: 'flags', situation: 'the kernel uses a device' },
    ],
  },
  {
    id: 'status-open-left',
    title: 'GET_STATUS says that a group has no container when it left while its device is open',
    severity: 'harmless',
    means:
      'type1 does not let it leave, and goes on to say CONTAINER_SET and VIABLE. With iommufd a group behind an IOMMU is not viable then either, as its device is in use; one without an IOMMU is.',
    covers: [{ request: 'VFIO_GROUP_GET_STATUS', what: 'flags' }],
  },
  {
    id: 'rejoin-open',
    title: 'A group that left while its device is open can join again, also another container',
    severity: 'harmless',
    means:
      'type1 does not let it leave, and answers EINVAL. The device goes on to reach what the iommufd has that it was opened with, also through further descriptors of it, until all of them are closed.',
    covers: [
      { request: SET, legacy: 'group-set-container/has-container', compatAnswers: 'grants' },
    ],
  },
  {
    id: 'rejoin-after-join',
    title:
      'A group that only iommufd let join cannot join again: EINVAL instead of what type1 refused it for',
    severity: 'harmless',
    means: 'Both refuse.',
    covers: [
      { request: SET, legacyAnswers: 'refuses', compat: 'group-set-container/has-container' },
    ],
  },
  {
    id: 'set-iommu-not-isolated',
    title: 'SET_IOMMU works where interrupts are not isolated',
    severity: 'differs',
    means:
      'type1 refuses with EPERM unless vfio_iommu_type1.allow_unsafe_interrupts is set. With iommufd GET_DEVICE_FD refuses with EPERM, and the parameter is iommufd.allow_unsafe_interrupts.',
    covers: [
      {
        request: 'VFIO_SET_IOMMU',
        legacy: 'type1-attach-group/interrupts-not-isolated',
        compatAnswers: 'grants',
      },
    ],
  },
  {
    id: 'set-iommu-unaligned',
    title:
      'SET_IOMMU(TYPE1) fails with EADDRINUSE when something is mapped that is not page aligned',
    severity: 'breaks',
    means:
      'Only iommufd takes maps before a type is set, and byte by byte. Set the type first, then map; or unmap, and set it again.',
    covers: [
      {
        request: 'VFIO_SET_IOMMU(TYPE1)',
        legacy: 'type1-set-iommu/v1',
        compat: 'alignment/',
      },
    ],
  },
  {
    id: 'set-iommu-mapped',
    title: 'SET_IOMMU(TYPE1) fails with EINVAL when a device is open and something is mapped',
    severity: 'breaks',
    means:
      'Only iommufd takes both before a type is set. The maps may be in large pages, which v1 could not cut. Set the type first.',
    covers: [
      {
        request: 'VFIO_SET_IOMMU(TYPE1)',
        legacy: 'type1-set-iommu/v1',
        compatAnswers: 'refuses',
      },
    ],
  },
  {
    id: 'unset-container-open',
    title: 'UNSET_CONTAINER succeeds while a device is open',
    severity: 'differs',
    means:
      'type1 answers EBUSY. With iommufd the open device keeps the iommufd, and stays attached.',
    covers: [
      {
        request: UNSET,
        legacy: 'group-unset-container/device-open',
        compatAnswers: 'grants',
      },
    ],
  },
  {
    id: 'unset-after-join',
    title: 'UNSET_CONTAINER of a group that only iommufd let join succeeds',
    severity: 'harmless',
    means: 'type1 has not let the group join, and answers EINVAL.',
    covers: [
      { request: UNSET, legacy: 'group-unset-container/no-container', compatAnswers: 'grants' },
    ],
  },
  {
    id: 'unset-container-open-again',
    title: 'A second UNSET_CONTAINER fails with EINVAL when the first found a device open',
    severity: 'harmless',
    means:
      'type1 did not let the group leave: it answers EBUSY again as long as the device is open, and 0 when it is closed.',
    covers: [{ request: UNSET, compat: 'group-unset-container/no-container' }],
  },
  {
    id: 'device-open-left',
    title: 'GET_DEVICE_FD fails with EINVAL when the group left while its device is open',
    severity: 'differs',
    means:
      'type1 did not let the group leave, and opens the device once more. With iommufd the group must join again before.',
    covers: [
      { request: DEVICE, legacyAnswers: 'grants', compat: 'group-get-device-fd/no-container' },
    ],
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
    title: 'Maps stay when the last group leaves or is closed: mapping the same again is EEXIST',
    severity: 'differs',
    declared: KEPT,
    means:
      'type1 drops all maps and the type. A program that starts over with the same container must unmap everything first, or take a new container.',
    covers: [{ request: MAP, legacyAnswers: 'grants', compat: 'mapping/overlaps' }],
  },
  {
    id: 'maps-outlive-groups-unmap',
    title: 'Maps stay when the last group leaves: UNMAP_DMA finds them afterwards',
    severity: 'harmless',
    declared: KEPT,
    means: 'type1 says that nothing was there.',
    covers: [
      {
        request: UNMAP,
        what: 'size',
        legacy: 'type1-unmap-dma/unmaps',
        compat: 'compat-unmap-dma/unmaps',
      },
      {
        request: UNMAP,
        what: 'size',
        legacy: 'type1-unmap-dma/unmaps-all',
        compat: 'compat-unmap-dma/unmaps-all',
      },
    ],
  },
  {
    id: 'maps-outlive-groups-part',
    title: 'Maps stay when the last group leaves: unmapping a part of one is refused afterwards',
    severity: 'harmless',
    declared: KEPT,
    means: 'type1 answers 0, as nothing is there.',
    covers: [
      {
        request: UNMAP,
        legacy: 'type1-unmap-dma/unmaps',
        compat: 'unmapping/cuts-area',
      },
    ],
  },
  {
    id: 'maps-outlive-groups-device',
    title: 'Maps stay when the last group leaves: devices that are opened later reach them',
    severity: 'differs',
    declared: KEPT,
    means:
      'A program that starts over with the same container gives its new devices the memory of the old ones.',
    covers: [{ request: DEVICE, what: 'what devices reach: more under iommufd' }],
  },
  {
    id: 'version1-stays',
    title: 'v1 stays set when all groups have left, also if v2 is set then',
    severity: 'differs',
    means:
      'type1 begins anew. The compatibility IOAS goes on cutting maps once TYPE1 was set, so that an unmap of a part succeeds as v2, too.',
    covers: [
      {
        request: UNMAP,
        legacy: ['type1-unmap-dma/cuts-first', 'type1-unmap-dma/cuts-last'],
        compat: 'compat-unmap-dma/unmaps',
      },
    ],
  },
];

const BINDING: readonly Description[] = [
  {
    id: 'bind-container',
    title: "A device's own file can be bound to the container (BIND_IOMMUFD)",
    severity: 'harmless',
    declared: 'Documentation/driver-api/vfio.rst: "The cdev only works with IOMMUFD"',
    means: 'type1 answers EBADFD: the descriptor is no iommufd.',
    covers: [{ request: 'VFIO_DEVICE_BIND_IOMMUFD', compatAnswers: 'grants' }],
  },
  {
    id: 'bind-container-errno',
    title: "Binding a device's own file to the container fails with another error",
    severity: 'harmless',
    declared: 'Documentation/driver-api/vfio.rst: "The cdev only works with IOMMUFD"',
    means: 'Both refuse.',
    covers: [{ request: 'VFIO_DEVICE_BIND_IOMMUFD' }],
  },
];

/** Matched last, against causes that no other description covers. */
export const OTHER_GROUP_DESCRIPTIONS: readonly Description[] = [
  ...BINDING,
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
