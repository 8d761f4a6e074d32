// SPDX-License-Identifier: MIT
// The actions of the audit's programs: what a program that assigns devices does, in any order. They are few, so that the
// search can try every sequence up to a bound.

import {
  DATA_LENGTH,
  DATA_OFFSET,
  NO_ACCESS_OFFSET,
  READ_ONLY_OFFSET,
  READ_ONLY_STRUCT_OFFSET,
} from '../../model/programs/arena.ts';
import type { Operation, Value } from '../../model/programs/program.ts';
import { VFIO_NOIOMMU_IOMMU, VFIO_SET_IOMMU } from '../../spec/abi/vfio.ts';
import { isNoIommuGroup, type Platform } from '../../spec/terms/platform.ts';
import { BAR_OFFSET, FILE_OFFSET, type Scenario } from './platforms.ts';
import { dirty, START } from './requests/container.ts';
import {
  bindDevice,
  getDevice,
  plainStatus,
  setContainer,
  unsetContainer,
} from './requests/group.ts';
import { plain } from './requests/make.ts';
import {
  APERTURE_END,
  INTERRUPTS,
  LAST_PAGE,
  MAPPED_IOVA,
  MAPPED_PAGES,
  mapOf,
  plainMap,
  plainUnmap,
  takeAddresses,
} from './requests/mappings.ts';
import { CONTAINER } from './side.ts';

/** The descriptor of a handle that is open. */
export type DescriptorOf = (handle: string) => Value;

export type Action = {
  readonly name: string;
  /** Handles that must be open. */
  readonly needs: readonly string[];
  /** The operation, with that label. */
  readonly operation: (label: string, descriptorOf: DescriptorOf) => Operation;
  readonly opens?: string;
  readonly closes?: string;
  /** The search continues after it even if only one side grants it. `together`: also after other such actions. */
  readonly diverges?: 'alone' | 'together';
};

const PAGE = 4096n;

export const groupHandle = (group: number): string => `group${group}`;
const deviceHandle = (name: string): string => `device ${name}`;

const open = (handle: string, path: string): Action => ({
  name: handle,
  needs: [],
  operation: (label) => ({ op: 'open', label, path }),
  opens: handle,
});

const close = (handle: string): Action => ({
  name: `close ${handle}`,
  needs: [handle],
  operation: (label, descriptorOf) => ({ op: 'close', label, fd: descriptorOf(handle) }),
  closes: handle,
});

const on = (
  handle: string,
  name: string,
  make: (label: string, fd: Value, descriptorOf: DescriptorOf) => Operation,
  others: readonly string[] = [],
): Action => ({
  name,
  needs: [handle, ...others],
  operation: (label, descriptorOf) => make(label, descriptorOf(handle), descriptorOf),
});

export const CONTAINERS = ['container', 'container2'] as const;

const TYPES: readonly (readonly [string, bigint])[] = [
  ['type1v2', 3n],
  ['type1', 1n],
];

const containerActions = (container: string): readonly Action[] => [
  open(container, CONTAINER),
  ...TYPES.map(([name, type]) =>
    on(container, name, (label, fd) => plain(label, fd, VFIO_SET_IOMMU, type)),
  ),
  close(container),
];

const mappingActions = (container: string): readonly Action[] => [
  on(container, 'map', (label, fd) => plainMap(label, fd, MAPPED_IOVA)),
  on(container, 'mapReadOnly', (label, fd) => plainMap(label, fd, MAPPED_IOVA, 1n)),
  on(container, 'mapBehind', (label, fd) => plainMap(label, fd, MAPPED_IOVA + MAPPED_PAGES * PAGE)),
  on(container, 'unmap', (label, fd) => plainUnmap(label, fd, MAPPED_IOVA, MAPPED_PAGES * PAGE)),
  on(container, 'unmapMiddle', (label, fd) => plainUnmap(label, fd, MAPPED_IOVA + PAGE, PAGE)),
];

const diverging = (
  container: string,
  name: string,
  make: (label: string, fd: Value) => Operation,
): Action => ({ ...on(container, name, make), diverges: 'alone' });

const MAPPED_LENGTH = MAPPED_PAGES * PAGE;

/** 2^31 pages, one more than a dirty bitmap covers. */
const UNTRACKABLE_LENGTH = (1n << 31n) * PAGE;

/** The type of no-IOMMU groups; only for scenarios that name it. */
const noIommuAction = (container: string): Action =>
  on(container, 'noiommu', (label, fd) => plain(label, fd, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU));

/** On a map that type1 of 6.12 cannot find once it is made; only for scenarios that name them. */
const lastPagesActions = (container: string): readonly Action[] => {
  const iova = LAST_PAGE - PAGE;
  return [
    on(container, 'mapLastPages', (label, fd) => mapOf(label, fd, { iova, size: 2n * PAGE })),
    on(container, 'unmapLastPages', (label, fd) => plainUnmap(label, fd, iova, 2n * PAGE)),
    on(container, 'mapLastButOne', (label, fd) => mapOf(label, fd, { iova, size: PAGE })),
    on(container, 'unmapLastButOne', (label, fd) => plainUnmap(label, fd, iova, PAGE)),
  ];
};

/** After these the states of the two sides differ; only for scenarios that name them. */
const divergingActions = (container: string): readonly Action[] => [
  diverging(container, 'startTracking', (label, fd) => ({ ...dirty(fd, START, 8n), label })),
  diverging(container, 'takeAddresses', takeAddresses),
  diverging(container, 'mapReserved', (label, fd) => mapOf(label, fd, { iova: INTERRUPTS })),
  diverging(container, 'mapBeyond', (label, fd) => mapOf(label, fd, { iova: APERTURE_END })),
  diverging(container, 'mapUnaligned', (label, fd) =>
    mapOf(label, fd, { iova: MAPPED_IOVA + 0x800n, vaddr: { arena: DATA_OFFSET + 0x800n } }),
  ),
  diverging(container, 'mapUnalignedLength', (label, fd) =>
    mapOf(label, fd, { size: PAGE + 0x800n }),
  ),
  diverging(container, 'mapHole', (label, fd) =>
    mapOf(label, fd, { vaddr: { arena: DATA_OFFSET + DATA_LENGTH } }),
  ),
  diverging(container, 'mapReadOnlyMemory', (label, fd) =>
    mapOf(label, fd, { vaddr: { arena: READ_ONLY_OFFSET } }),
  ),
  diverging(container, 'mapNoAccess', (label, fd) =>
    mapOf(label, fd, { vaddr: { arena: NO_ACCESS_OFFSET } }),
  ),
  diverging(container, 'mapForNothing', (label, fd) => mapOf(label, fd, { flags: 0n })),
  diverging(container, 'mapBar', (label, fd) => mapOf(label, fd, { vaddr: { arena: BAR_OFFSET } })),
  diverging(container, 'mapBehindFile', (label, fd) =>
    mapOf(label, fd, { vaddr: { arena: FILE_OFFSET } }),
  ),
  diverging(container, 'mapMany', (label, fd) => mapOf(label, fd, { size: 2n * MAPPED_LENGTH })),
  diverging(container, 'mapTooLong', (label, fd) => mapOf(label, fd, { size: UNTRACKABLE_LENGTH })),
];

/** Changes nothing; only for scenarios that name it. */
const statusAction = (group: number): Action =>
  on(groupHandle(group), `status of ${groupHandle(group)}`, plainStatus);

/** Calls on a group, repeated; only for scenarios that name them. */
const repeatedActions = ({ devices }: Platform, group: number): readonly Action[] => {
  const handle = groupHandle(group);
  return [
    on(
      handle,
      `${handle} joins container again`,
      (label, fd, descriptorOf) => setContainer(label, fd, descriptorOf('container')),
      ['container'],
    ),
    on(handle, `${handle} leaves again`, unsetContainer),
    ...devices
      .filter((device) => device.group === group)
      .map(({ name }) =>
        on(handle, `${deviceHandle(name)} again`, (label, fd) => getDevice(label, fd, name)),
      ),
  ];
};

/** Binding a device's cdev to the container; only for scenarios that name them. */
const ownFileActions = ({ devices }: Platform): readonly Action[] =>
  devices.flatMap(({ name, cdev }): readonly Action[] => {
    if (cdev === undefined) return [];
    const file = `file of ${name}`;
    const binding = (action: string, at?: Value): Action =>
      on(
        file,
        action,
        (label, fd, descriptorOf) => bindDevice(label, fd, descriptorOf('container'), at),
        ['container'],
      );
    return [
      open(file, `/dev/vfio/devices/vfio${cdev}`),
      binding(`bind ${name}`),
      binding(`bind ${name}, which cannot be answered`, { arena: READ_ONLY_STRUCT_OFFSET }),
    ];
  });

/** What a program does to the memory that it mapped. */
const MEMORY_ACTIONS: readonly Action[] = [
  {
    name: 'munmap',
    needs: [],
    operation: (label) => ({ op: 'munmap', label, offset: DATA_OFFSET, length: MAPPED_LENGTH }),
  },
  {
    name: 'mmap',
    needs: [],
    operation: (label) => ({
      op: 'mmap',
      label,
      offset: DATA_OFFSET,
      length: MAPPED_LENGTH,
      protection: 'read-write',
      shared: false,
      backing: { kind: 'anonymous' },
    }),
  },
];

const groupActions = (platform: Platform, group: number): readonly Action[] => {
  const handle = groupHandle(group);
  return [
    open(handle, `/dev/vfio/${isNoIommuGroup(platform, group) ? 'noiommu-' : ''}${group}`),
    ...CONTAINERS.map((container) =>
      on(
        handle,
        `${handle} joins ${container}`,
        (label, fd, descriptorOf) => setContainer(label, fd, descriptorOf(container)),
        [container],
      ),
    ),
    on(handle, `${handle} leaves`, unsetContainer),
    ...platform.devices
      .filter((device) => device.group === group)
      .flatMap(({ name }): readonly Action[] => {
        const device = deviceHandle(name);
        return [
          { ...on(handle, device, (label, fd) => getDevice(label, fd, name)), opens: device },
          close(device),
        ];
      }),
    close(handle),
  ];
};

/** Every action on the groups and their devices, in a fixed order. */
const actionsWith = (platform: Platform, groups: readonly number[]): readonly Action[] => [
  ...containerActions('container'),
  ...groups.flatMap((group) => groupActions(platform, group)),
  ...mappingActions('container'),
  ...containerActions('container2'),
];

/** The actions that each program of a scenario begins with, and those that follow in any order. */
export type Actions = { readonly first: readonly Action[]; readonly others: readonly Action[] };

/** The actions of a scenario, in a fixed order. */
export const actionsOn = ({
  platform,
  groups,
  first,
  only,
  diverging: named,
}: Scenario): Actions => {
  const plainActions = actionsWith(platform, groups);
  const all = [
    ...plainActions,
    noIommuAction('container'),
    ...lastPagesActions('container'),
    ...divergingActions('container'),
    ...MEMORY_ACTIONS,
    ...groups.map(statusAction),
    ...groups.flatMap((group) => repeatedActions(platform, group)),
    ...ownFileActions(platform),
  ].map(
    (action): Action =>
      named?.includes(action.name) === true ? { ...action, diverges: 'together' } : action,
  );
  return {
    first: first.flatMap((wanted) => all.find(({ name }) => name === wanted) ?? []),
    others: only === undefined ? plainActions : all.filter(({ name }) => only.includes(name)),
  };
};

/** Whether what the action needs is open, and what it opens is not. */
export const isPossible = ({ needs, opens }: Action, open: ReadonlyMap<string, string>): boolean =>
  needs.every((handle) => open.has(handle)) && (opens === undefined || !open.has(opens));
