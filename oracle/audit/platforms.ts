// SPDX-License-Identifier: MIT
// The scenarios of the audit. Their platforms are machines that the command line can start, so that a kernel can show every
// difference.

import { DATA_OFFSET } from '../../model/programs/arena.ts';
import type { Operation } from '../../model/programs/program.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import type {
  Credentials,
  IovaRange,
  Platform,
  PlatformDevice,
} from '../../spec/terms/platform.ts';
import {
  MDEV_NAME,
  MDEV_PLATFORM,
  MOCK_PLATFORM,
  NOIOMMU_PLATFORM,
  VTD_IOMMU,
} from '../../spec/terms/platforms.ts';
import type { VmPlatform } from '../vm/qemu.ts';

const PAGE = 4096n;
const INTERRUPTS: readonly IovaRange[] = [{ start: 0xfee0_0000n, last: 0xfeef_ffffn }];

const device = (group: number): PlatformDevice => ({
  name: `0000:00:0${group}.0`,
  group,
  iommu: 0,
  reserved: INTERRUPTS,
  // QEMU's edu is in the first group and the third.
  ...(group === 2 ? {} : { dmaEngine: true as const }),
});

const mdevDevice = (group: number): PlatformDevice => ({
  name: MDEV_NAME,
  group,
  iommu: 'none',
  reserved: [],
});

/** One search: a platform, the program's credentials, and the groups that it uses. */
export type Scenario = {
  readonly name: string;
  readonly machine: VmPlatform;
  /** For the kernel's command line. */
  readonly kernelArguments: readonly string[];
  /** The same as a sentence, for readers with another machine. */
  readonly needs?: string;
  readonly platform: Platform;
  readonly credentials: Credentials;
  readonly groups: readonly number[];
  /** The first operations of each program. */
  readonly prologue: readonly Operation[];
  /** Names of the actions that follow the prologue in each program. */
  readonly first: readonly string[];
  /** Actions in a program after the first ones, at most. */
  readonly actions: number;
  /** Names of the actions that programs may make; absent: all that have the same outcome on both sides. */
  readonly only?: readonly string[];
  /** Names of actions after which programs continue even if only one side grants them. */
  readonly diverging?: readonly string[];
  /** Requests other than the actions are not tried. */
  readonly actionsAlone?: true;
};

const VTD: Platform = {
  ...MOCK_PLATFORM,
  name: 'vtd',
  iommus: [VTD_IOMMU],
  devices: [device(1), device(2), device(3)],
  mockDevices: false,
};

/** Programs of scenarios with BAR have a device's BAR here, the others data. */
export const BAR_OFFSET = DATA_OFFSET + 32n * PAGE;

const BAR: Operation = {
  op: 'mmap',
  label: 'bar',
  offset: BAR_OFFSET,
  length: 4n * PAGE,
  protection: 'read-write',
  shared: true,
  backing: { kind: 'device' },
};

/** A file of one page, mapped as four. */
export const FILE_OFFSET = DATA_OFFSET + 48n * PAGE;
const FILE: readonly Operation[] = [
  { op: 'memfd', label: 'file', length: PAGE },
  {
    op: 'mmap',
    label: 'short file',
    offset: FILE_OFFSET,
    length: 4n * PAGE,
    protection: 'read-write',
    shared: true,
    backing: { kind: 'memfd', fd: { from: 'file', out: 'result' }, offset: 0n },
  },
];

const ENTRY_LIMIT = 1;

const DEVICE = 'device 0000:00:01.0';

/** The actions before a device is opened, without a type. */
const TO_TYPE: readonly string[] = ['container', 'group1', 'group1 joins container'];

/** The only device that is bound to VFIO on this machine. */
const SHARED_NAME = '0000:01:01.0';
const SHARED: Platform = {
  ...VTD,
  devices: [{ name: SHARED_NAME, group: 1, iommu: 0, reserved: INTERRUPTS }],
  groupsInUse: [1],
};

/** The actions before a device is opened. */
const TO_DEVICE: readonly string[] = ['container', 'group1', 'group1 joins container', 'type1v2'];

/** Maps that type1 refuses, and that iommufd accepts while no device is open. */
const LATE: readonly string[] = [
  'mapReserved',
  'mapBeyond',
  'mapUnaligned',
  'mapUnalignedLength',
  'mapHole',
  'mapReadOnlyMemory',
  'mapNoAccess',
  'mapForNothing',
];

const MDEV_GROUP = 9;

/** On the platform without an IOMMU: its first no-IOMMU group, and the group of its mdev. */
const NOIOMMU_GROUP = 0;
const NOIOMMU_MDEV_GROUP = 3;
const NOIOMMU_DEVICE = 'device 0000:00:01.0';

const MIXED: Platform = { ...VTD, devices: [device(1), mdevDevice(MDEV_GROUP)] };

const MDEV_FIRST: readonly string[] = [
  'container',
  `group${MDEV_GROUP}`,
  `group${MDEV_GROUP} joins container`,
  'type1v2',
];

const PRIVILEGED: Credentials = { privileged: true, memlockLimit: U64_MAX };
const LIMITED: Credentials = { privileged: false, memlockLimit: 6n * PAGE };
const HAVING_LOCKED: Credentials = { ...LIMITED, lockedBefore: 4 };

const PLAIN = {
  kernelArguments: [],
  credentials: PRIVILEGED,
  prologue: [],
  first: [],
} as const;

export const SCENARIOS: readonly Scenario[] = [
  {
    ...PLAIN,
    name: 'a container alone',
    machine: 'mock',
    platform: MOCK_PLATFORM,
    groups: [],
    actions: 3,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d',
    machine: 'vtd',
    platform: VTD,
    groups: [1],
    actions: 8,
  },
  {
    ...PLAIN,
    name: 'two devices behind VT-d',
    machine: 'vtd',
    platform: VTD,
    groups: [1, 2],
    actions: 6,
  },
  {
    ...PLAIN,
    name: 'an mdev',
    machine: 'mdev',
    platform: MDEV_PLATFORM,
    groups: [0],
    actions: 7,
  },
  {
    ...PLAIN,
    name: 'an mdev, and a map of the last two pages of addresses',
    machine: 'mdev',
    platform: MDEV_PLATFORM,
    groups: [0],
    first: ['container', 'group0', 'group0 joins container', 'type1v2', 'mapLastPages'],
    actions: 1,
    only: [`device ${MDEV_NAME}`, 'unmapLastPages', 'mapLastButOne', 'unmapLastButOne'],
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, and a BAR to map',
    machine: 'vtd',
    platform: VTD,
    groups: [1],
    prologue: [BAR],
    actions: 5,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, and a program that may lock six pages',
    machine: 'vtd',
    platform: VTD,
    credentials: LIMITED,
    groups: [1],
    actions: 6,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, and one map a container',
    machine: 'vtd',
    kernelArguments: [`vfio_iommu_type1.dma_entry_limit=${ENTRY_LIMIT}`],
    platform: { ...VTD, dmaEntryLimit: ENTRY_LIMIT },
    groups: [1],
    actions: 6,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d and an mdev',
    machine: 'mixed',
    platform: MIXED,
    groups: [1, MDEV_GROUP],
    first: ['container'],
    actions: 7,
    only: [
      ...TO_DEVICE,
      DEVICE,
      `group${MDEV_GROUP}`,
      `group${MDEV_GROUP} joins container`,
      `device ${MDEV_NAME}`,
      'map',
    ],
  },
  {
    ...PLAIN,
    name: 'a group behind VT-d that joins an mdev with maps',
    machine: 'mixed',
    platform: MIXED,
    groups: [1, MDEV_GROUP],
    first: MDEV_FIRST,
    actions: 4,
    only: [
      'group1',
      'group1 joins container',
      'group1 joins container again',
      'group1 leaves',
      DEVICE,
      ...LATE,
    ],
    diverging: ['group1 joins container'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a group behind VT-d that joins an mdev with more than may be locked',
    machine: 'mixed',
    platform: MIXED,
    credentials: LIMITED,
    groups: [1, MDEV_GROUP],
    first: MDEV_FIRST,
    actions: 4,
    only: ['group1', 'group1 joins container', DEVICE, 'mapMany'],
    diverging: ['group1 joins container'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, where dirty pages are tracked',
    machine: 'vtd',
    platform: VTD,
    groups: [1],
    first: TO_DEVICE,
    actions: 4,
    only: [DEVICE, 'map', 'mapBehind', 'startTracking'],
  },
  {
    ...PLAIN,
    name: 'an mdev, where dirty pages are tracked',
    machine: 'mdev',
    platform: MDEV_PLATFORM,
    groups: [0],
    first: ['container', 'group0', 'group0 joins container', 'type1v2'],
    actions: 2,
    only: ['startTracking', 'mapTooLong'],
    diverging: ['startTracking', 'mapTooLong'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, where addresses were taken from maps',
    machine: 'vtd',
    platform: VTD,
    groups: [1, 2],
    first: TO_DEVICE,
    actions: 4,
    only: [DEVICE, 'map', 'mapBehind', 'takeAddresses', 'group2', 'group2 joins container'],
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, opened after maps that only iommufd takes',
    machine: 'vtd',
    platform: VTD,
    groups: [1],
    first: TO_DEVICE,
    actions: 3,
    only: [DEVICE, ...LATE],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, opened after a map of a BAR',
    machine: 'vtd',
    platform: VTD,
    groups: [1],
    prologue: [BAR],
    first: TO_DEVICE,
    actions: 2,
    only: [DEVICE, 'mapBar'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, opened after a map of more than a file has',
    machine: 'vtd',
    platform: VTD,
    groups: [1],
    prologue: FILE,
    first: TO_DEVICE,
    actions: 2,
    only: [DEVICE, 'mapBehindFile'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, opened after a map of more than may be locked',
    machine: 'vtd',
    platform: VTD,
    credentials: LIMITED,
    groups: [1],
    first: TO_DEVICE,
    actions: 2,
    only: [DEVICE, 'mapMany'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, and memory that is unmapped or replaced',
    machine: 'vtd',
    platform: VTD,
    groups: [1],
    first: [...TO_DEVICE, 'map'],
    actions: 5,
    only: [DEVICE, `close ${DEVICE}`, 'munmap', 'mmap'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, and a program that has locked memory by itself',
    machine: 'vtd',
    platform: VTD,
    credentials: HAVING_LOCKED,
    groups: [1],
    first: TO_DEVICE,
    actions: 2,
    only: [DEVICE, 'map'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d, and an unaligned map made before a type is set',
    machine: 'vtd',
    platform: VTD,
    groups: [1],
    first: TO_TYPE,
    actions: 2,
    only: ['mapUnaligned', 'type1', DEVICE],
    diverging: ['mapUnaligned'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d that is open before a type is set',
    machine: 'vtd',
    platform: VTD,
    groups: [1],
    first: [...TO_TYPE, DEVICE],
    actions: 2,
    only: ['map', 'type1'],
    diverging: [DEVICE, 'map'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d that is open, and no type is set',
    machine: 'vtd',
    platform: VTD,
    groups: [1],
    first: [...TO_TYPE, DEVICE],
    actions: 0,
    only: [],
    diverging: [DEVICE],
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d that is open when its group leaves',
    machine: 'vtd',
    platform: VTD,
    groups: [1],
    first: [...TO_DEVICE, DEVICE],
    actions: 3,
    only: [
      'group1 leaves',
      `close ${DEVICE}`,
      'status of group1',
      'group1 joins container',
      'group1 leaves again',
      `${DEVICE} again`,
    ],
    diverging: ['group1 leaves'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d whose interrupts are not isolated',
    machine: 'vtd',
    kernelArguments: ['intremap=off'],
    needs: 'The kernel was started with intremap=off.',
    platform: { ...VTD, unsafeInterrupts: { type1: false, iommufd: false } },
    groups: [1],
    first: TO_TYPE,
    actions: 2,
    only: [DEVICE, 'type1v2'],
    diverging: ['type1v2'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a device behind VT-d whose interrupts are not isolated, which vfio_iommu_type1 allows',
    machine: 'vtd',
    kernelArguments: ['intremap=off', 'vfio_iommu_type1.allow_unsafe_interrupts=1'],
    needs:
      'The kernel was started with intremap=off, and vfio_iommu_type1.allow_unsafe_interrupts is on.',
    platform: { ...VTD, unsafeInterrupts: { type1: true, iommufd: false } },
    groups: [1],
    first: TO_DEVICE,
    actions: 1,
    only: [DEVICE],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a group behind VT-d of which the kernel itself uses a device',
    machine: 'shared',
    platform: SHARED,
    groups: [1],
    first: ['container', 'group1'],
    actions: 2,
    only: ['group1 joins container', 'status of group1', `device ${SHARED_NAME}`],
    diverging: ['group1 joins container'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: "an mdev's own file",
    machine: 'mdev',
    platform: MDEV_PLATFORM,
    groups: [0],
    first: ['container', `file of ${MDEV_NAME}`],
    actions: 2,
    only: ['group0', `bind ${MDEV_NAME}`, `bind ${MDEV_NAME}, which cannot be answered`],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a no-IOMMU group, and the unsafe mode switched off since',
    machine: 'noiommu',
    kernelArguments: ['noiommu_mode=N'],
    needs:
      'vfio.enable_unsafe_noiommu_mode was on when vfio-pci took the device, and is off since.',
    platform: { ...NOIOMMU_PLATFORM, noIommuEnabled: false },
    groups: [NOIOMMU_GROUP],
    first: ['container', `group${NOIOMMU_GROUP}`, `group${NOIOMMU_GROUP} joins container`],
    actions: 2,
    only: ['noiommu', NOIOMMU_DEVICE],
    diverging: ['noiommu'],
    actionsAlone: true,
  },
  {
    ...PLAIN,
    name: 'a no-IOMMU group',
    machine: 'noiommu',
    platform: NOIOMMU_PLATFORM,
    groups: [NOIOMMU_GROUP],
    actions: 8,
    only: [
      'container',
      'close container',
      `group${NOIOMMU_GROUP}`,
      `group${NOIOMMU_GROUP} joins container`,
      `group${NOIOMMU_GROUP} leaves`,
      `close group${NOIOMMU_GROUP}`,
      NOIOMMU_DEVICE,
      `close ${NOIOMMU_DEVICE}`,
      'noiommu',
      'type1v2',
    ],
  },
  {
    ...PLAIN,
    name: 'a no-IOMMU group and an mdev',
    machine: 'noiommu',
    platform: NOIOMMU_PLATFORM,
    groups: [NOIOMMU_GROUP, NOIOMMU_MDEV_GROUP],
    first: ['container'],
    actions: 6,
    only: [NOIOMMU_GROUP, NOIOMMU_MDEV_GROUP].flatMap((group) => [
      `group${group}`,
      `group${group} joins container`,
      `group${group} leaves`,
    ]),
  },
];
