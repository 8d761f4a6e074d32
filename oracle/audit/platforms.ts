// SPDX-License-Identifier: MIT
// What the audit's programs run on: the machines that the command line starts, so that every difference can be shown on a
// kernel.

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

/** One search: a platform, who the program is, and the groups that it uses. */
export type Scenario = {
  readonly name: string;
  readonly machine: VmPlatform;
  /** Words for the kernel's command line, where the platform needs them. */
  readonly kernelArguments: readonly string[];
  /** The same in a sentence, for who has another machine. */
  readonly needs?: string;
  readonly platform: Platform;
  readonly credentials: Credentials;
  readonly groups: readonly number[];
  /** What each program does first. */
  readonly prologue: readonly Operation[];
  /** Names of the actions that each program begins with. */
  readonly first: readonly string[];
  /** Actions in a program behind the first ones, at most. */
  readonly actions: number;
  /** Names of the actions that there are; absent where all are that lead both sides to the same. */
  readonly only?: readonly string[];
  /** Names of actions behind which the programs go on also where the two sides part there. */
  readonly parts?: readonly string[];
  /** No request but the actions themselves is tried. */
  readonly movesAlone?: true;
};

const VTD: Platform = {
  ...MOCK_PLATFORM,
  name: 'vtd',
  iommus: [VTD_IOMMU],
  devices: [device(1), device(2), device(3)],
  mockDevices: false,
};

/** Where the programs of one scenario have a device's BAR in their memory, and the others data. */
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

/** The way to a device, without a type. */
const TO_TYPE: readonly string[] = ['container', 'group1', 'group1 joins container'];

/** The only device that VFIO has on a machine of that kind, and its group. */
const SHARED_NAME = '0000:01:01.0';
const SHARED: Platform = {
  ...VTD,
  devices: [{ name: SHARED_NAME, group: 1, iommu: 0, reserved: INTERRUPTS }],
  groupsInUse: [1],
};

/** The way to a device. */
const TO_DEVICE: readonly string[] = ['container', 'group1', 'group1 joins container', 'type1v2'];

/** Maps that type1 refuses and iommufd takes as long as no device is open. */
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

const MEDIATED_GROUP = 9;

/** The first no-IOMMU group of its platform, and the mdev's group there, which is none. */
const UNPROTECTED_GROUP = 0;
const MEDIATED_BESIDE = 3;
const UNPROTECTED = 'device 0000:00:01.0';

const MIXED: Platform = { ...VTD, devices: [device(1), mdevDevice(MEDIATED_GROUP)] };

const MEDIATED_FIRST: readonly string[] = [
  'container',
  `group${MEDIATED_GROUP}`,
  `group${MEDIATED_GROUP} joins container`,
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
    groups: [1, MEDIATED_GROUP],
    first: ['container'],
    actions: 7,
    only: [
      ...TO_DEVICE,
      DEVICE,
      `group${MEDIATED_GROUP}`,
      `group${MEDIATED_GROUP} joins container`,
      `device ${MDEV_NAME}`,
      'map',
    ],
  },
  {
    ...PLAIN,
    name: 'a group behind VT-d that joins an mdev with maps',
    machine: 'mixed',
    platform: MIXED,
    groups: [1, MEDIATED_GROUP],
    first: MEDIATED_FIRST,
    actions: 4,
    only: [
      'group1',
      'group1 joins container',
      'group1 joins container again',
      'group1 leaves',
      DEVICE,
      ...LATE,
    ],
    parts: ['group1 joins container'],
    movesAlone: true,
  },
  {
    ...PLAIN,
    name: 'a group behind VT-d that joins an mdev with more than may be locked',
    machine: 'mixed',
    platform: MIXED,
    credentials: LIMITED,
    groups: [1, MEDIATED_GROUP],
    first: MEDIATED_FIRST,
    actions: 4,
    only: ['group1', 'group1 joins container', DEVICE, 'mapMany'],
    parts: ['group1 joins container'],
    movesAlone: true,
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
    parts: ['startTracking', 'mapTooLong'],
    movesAlone: true,
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
    movesAlone: true,
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
    movesAlone: true,
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
    movesAlone: true,
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
    movesAlone: true,
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
    movesAlone: true,
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
    movesAlone: true,
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
    parts: ['mapUnaligned'],
    movesAlone: true,
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
    parts: [DEVICE, 'map'],
    movesAlone: true,
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
    parts: [DEVICE],
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
    parts: ['group1 leaves'],
    movesAlone: true,
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
    parts: ['type1v2'],
    movesAlone: true,
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
    movesAlone: true,
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
    parts: ['group1 joins container'],
    movesAlone: true,
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
    movesAlone: true,
  },
  {
    ...PLAIN,
    name: 'a no-IOMMU group, and the unsafe mode switched off since',
    machine: 'noiommu',
    kernelArguments: ['noiommu_mode=N'],
    needs:
      'vfio.enable_unsafe_noiommu_mode was on when vfio-pci took the device, and is off since.',
    platform: { ...NOIOMMU_PLATFORM, noIommuEnabled: false },
    groups: [UNPROTECTED_GROUP],
    first: ['container', `group${UNPROTECTED_GROUP}`, `group${UNPROTECTED_GROUP} joins container`],
    actions: 2,
    only: ['noiommu', UNPROTECTED],
    parts: ['noiommu'],
    movesAlone: true,
  },
  {
    ...PLAIN,
    name: 'a no-IOMMU group',
    machine: 'noiommu',
    platform: NOIOMMU_PLATFORM,
    groups: [UNPROTECTED_GROUP],
    actions: 8,
    only: [
      'container',
      'close container',
      `group${UNPROTECTED_GROUP}`,
      `group${UNPROTECTED_GROUP} joins container`,
      `group${UNPROTECTED_GROUP} leaves`,
      `close group${UNPROTECTED_GROUP}`,
      UNPROTECTED,
      `close ${UNPROTECTED}`,
      'noiommu',
      'type1v2',
    ],
  },
  {
    ...PLAIN,
    name: 'a no-IOMMU group and an mdev',
    machine: 'noiommu',
    platform: NOIOMMU_PLATFORM,
    groups: [UNPROTECTED_GROUP, MEDIATED_BESIDE],
    first: ['container'],
    actions: 6,
    only: [UNPROTECTED_GROUP, MEDIATED_BESIDE].flatMap((group) => [
      `group${group}`,
      `group${group} joins container`,
      `group${group} leaves`,
    ]),
  },
];
