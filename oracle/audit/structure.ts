// The moves by which the audit's programs get from one situation to the next: what a program that assigns devices does,
// in any order. Few, so that every sequence up to a bound can be tried.

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
import { FILE_OFFSET, type Ground, REGISTERS_OFFSET } from './platforms.ts';
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

/** The descriptor of a thing that is open. */
export type DescriptorOf = (thing: string) => Value;

export type Move = {
  readonly name: string;
  /** Things that must be open. */
  readonly needs: readonly string[];
  /** The operation, under that label. */
  readonly operation: (label: string, descriptorOf: DescriptorOf) => Operation;
  readonly opens?: string;
  readonly closes?: string;
  /**
   * The search goes on behind it also where only one side granted it: what comes of that is looked for. `together` where it
   * is also made behind others that part the sides.
   */
  readonly parts?: 'alone' | 'together';
};

const PAGE = 4096n;

export const groupThing = (group: number): string => `group${group}`;
const deviceThing = (name: string): string => `device ${name}`;

const open = (thing: string, path: string): Move => ({
  name: thing,
  needs: [],
  operation: (label) => ({ op: 'open', label, path }),
  opens: thing,
});

const close = (thing: string): Move => ({
  name: `close ${thing}`,
  needs: [thing],
  operation: (label, descriptorOf) => ({ op: 'close', label, fd: descriptorOf(thing) }),
  closes: thing,
});

const on = (
  thing: string,
  name: string,
  make: (label: string, fd: Value, descriptorOf: DescriptorOf) => Operation,
  others: readonly string[] = [],
): Move => ({
  name,
  needs: [thing, ...others],
  operation: (label, descriptorOf) => make(label, descriptorOf(thing), descriptorOf),
});

export const CONTAINERS = ['container', 'container2'] as const;

const TYPES: readonly (readonly [string, bigint])[] = [
  ['type1v2', 3n],
  ['type1', 1n],
];

const containerMoves = (container: string): readonly Move[] => [
  open(container, CONTAINER),
  ...TYPES.map(([name, type]) =>
    on(container, name, (label, fd) => plain(label, fd, VFIO_SET_IOMMU, type)),
  ),
  close(container),
];

const mappingMoves = (container: string): readonly Move[] => [
  on(container, 'map', (label, fd) => plainMap(label, fd, MAPPED_IOVA)),
  on(container, 'mapReadOnly', (label, fd) => plainMap(label, fd, MAPPED_IOVA, 1n)),
  on(container, 'mapBehind', (label, fd) => plainMap(label, fd, MAPPED_IOVA + MAPPED_PAGES * PAGE)),
  on(container, 'unmap', (label, fd) => plainUnmap(label, fd, MAPPED_IOVA, MAPPED_PAGES * PAGE)),
  on(container, 'unmapMiddle', (label, fd) => plainUnmap(label, fd, MAPPED_IOVA + PAGE, PAGE)),
];

const parting = (
  container: string,
  name: string,
  make: (label: string, fd: Value) => Operation,
): Move => ({ ...on(container, name, make), parts: 'alone' });

const MAPPED_LENGTH = MAPPED_PAGES * PAGE;

/** 2^31 pages, one more than a dirty bitmap tells of. */
const UNTRACKABLE_LENGTH = (1n << 31n) * PAGE;

/** A move that only grounds make that name it: the type of no-IOMMU groups. */
const noIommuMove = (container: string): Move =>
  on(container, 'noiommu', (label, fd) => plain(label, fd, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU));

/** Moves that only grounds make that name them: on a map which type1 of 6.12 does not see once it is made. */
const lastPagesMoves = (container: string): readonly Move[] => {
  const iova = LAST_PAGE - PAGE;
  return [
    on(container, 'mapLastPages', (label, fd) => mapOf(label, fd, { iova, size: 2n * PAGE })),
    on(container, 'unmapLastPages', (label, fd) => plainUnmap(label, fd, iova, 2n * PAGE)),
    on(container, 'mapLastButOne', (label, fd) => mapOf(label, fd, { iova, size: PAGE })),
    on(container, 'unmapLastButOne', (label, fd) => plainUnmap(label, fd, iova, PAGE)),
  ];
};

/** Moves that only grounds make that name them: those after which the two sides are not the same any more. */
const partingMoves = (container: string): readonly Move[] => [
  parting(container, 'startTracking', (label, fd) => ({ ...dirty(fd, START, 8n), label })),
  parting(container, 'takeAddresses', takeAddresses),
  parting(container, 'mapReserved', (label, fd) => mapOf(label, fd, { iova: INTERRUPTS })),
  parting(container, 'mapBeyond', (label, fd) => mapOf(label, fd, { iova: APERTURE_END })),
  parting(container, 'mapUnaligned', (label, fd) =>
    mapOf(label, fd, { iova: MAPPED_IOVA + 0x800n, vaddr: { arena: DATA_OFFSET + 0x800n } }),
  ),
  parting(container, 'mapOddLength', (label, fd) => mapOf(label, fd, { size: PAGE + 0x800n })),
  parting(container, 'mapHole', (label, fd) =>
    mapOf(label, fd, { vaddr: { arena: DATA_OFFSET + DATA_LENGTH } }),
  ),
  parting(container, 'mapReadOnlyMemory', (label, fd) =>
    mapOf(label, fd, { vaddr: { arena: READ_ONLY_OFFSET } }),
  ),
  parting(container, 'mapNoAccess', (label, fd) =>
    mapOf(label, fd, { vaddr: { arena: NO_ACCESS_OFFSET } }),
  ),
  parting(container, 'mapForNothing', (label, fd) => mapOf(label, fd, { flags: 0n })),
  parting(container, 'mapRegisters', (label, fd) =>
    mapOf(label, fd, { vaddr: { arena: REGISTERS_OFFSET } }),
  ),
  parting(container, 'mapBehindFile', (label, fd) =>
    mapOf(label, fd, { vaddr: { arena: FILE_OFFSET } }),
  ),
  parting(container, 'mapMany', (label, fd) => mapOf(label, fd, { size: 2n * MAPPED_LENGTH })),
  parting(container, 'mapTooLong', (label, fd) => mapOf(label, fd, { size: UNTRACKABLE_LENGTH })),
];

/** A move that changes nothing, which only grounds make that name it. */
const statusMove = (group: number): Move =>
  on(groupThing(group), `status of ${groupThing(group)}`, plainStatus);

/** Moves that only grounds make that name them: once more what a group was asked already. */
const repeatedMoves = ({ devices }: Platform, group: number): readonly Move[] => {
  const thing = groupThing(group);
  return [
    on(
      thing,
      `${thing} joins container again`,
      (label, fd, descriptorOf) => setContainer(label, fd, descriptorOf('container')),
      ['container'],
    ),
    on(thing, `${thing} leaves again`, unsetContainer),
    ...devices
      .filter((device) => device.group === group)
      .map(({ name }) =>
        on(thing, `${deviceThing(name)} again`, (label, fd) => getDevice(label, fd, name)),
      ),
  ];
};

/** A device's own file, bound to the container: moves that only grounds make that name them. */
const ownFileMoves = ({ devices }: Platform): readonly Move[] =>
  devices.flatMap(({ name, cdev }): readonly Move[] => {
    if (cdev === undefined) return [];
    const file = `file of ${name}`;
    const binding = (move: string, at?: Value): Move =>
      on(
        file,
        move,
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
const MEMORY_MOVES: readonly Move[] = [
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

const groupMoves = (platform: Platform, group: number): readonly Move[] => {
  const thing = groupThing(group);
  return [
    open(thing, `/dev/vfio/${isNoIommuGroup(platform, group) ? 'noiommu-' : ''}${group}`),
    ...CONTAINERS.map((container) =>
      on(
        thing,
        `${thing} joins ${container}`,
        (label, fd, descriptorOf) => setContainer(label, fd, descriptorOf(container)),
        [container],
      ),
    ),
    on(thing, `${thing} leaves`, unsetContainer),
    ...platform.devices
      .filter((device) => device.group === group)
      .flatMap(({ name }): readonly Move[] => {
        const device = deviceThing(name);
        return [
          { ...on(thing, device, (label, fd) => getDevice(label, fd, name)), opens: device },
          close(device),
        ];
      }),
    close(thing),
  ];
};

/** Every move with the devices of the groups, in a fixed order. */
const movesWith = (platform: Platform, groups: readonly number[]): readonly Move[] => [
  ...containerMoves('container'),
  ...groups.flatMap((group) => groupMoves(platform, group)),
  ...mappingMoves('container'),
  ...containerMoves('container2'),
];

/** The moves that every program of a ground begins with, and those that follow in every order. */
export type Moves = { readonly first: readonly Move[]; readonly others: readonly Move[] };

/** The moves of a ground, in a fixed order. */
export const movesOn = ({ platform, groups, first, only, parts }: Ground): Moves => {
  const plainMoves = movesWith(platform, groups);
  const all = [
    ...plainMoves,
    noIommuMove('container'),
    ...lastPagesMoves('container'),
    ...partingMoves('container'),
    ...MEMORY_MOVES,
    ...groups.map(statusMove),
    ...groups.flatMap((group) => repeatedMoves(platform, group)),
    ...ownFileMoves(platform),
  ].map(
    (move): Move => (parts?.includes(move.name) === true ? { ...move, parts: 'together' } : move),
  );
  return {
    first: first.flatMap((wanted) => all.find(({ name }) => name === wanted) ?? []),
    others: only === undefined ? plainMoves : all.filter(({ name }) => only.includes(name)),
  };
};

/** Whether the move can be made: what it needs is open, and what it opens is not. */
export const isPossible = ({ needs, opens }: Move, open: ReadonlyMap<string, string>): boolean =>
  needs.every((thing) => open.has(thing)) && (opens === undefined || !open.has(opens));
