// The moves by which the audit's programs get from one situation to the next: what a program that assigns devices does,
// in any order. Few, so that every sequence up to a bound can be tried.

import type { Operation, Value } from '../../model/programs/program.ts';
import { VFIO_SET_IOMMU } from '../../spec/abi/vfio.ts';
import type { PlatformDevice } from '../../spec/platform.ts';
import { getDevice, setContainer, unsetContainer } from './requests/group.ts';
import { plain } from './requests/make.ts';
import { MAPPED_IOVA, MAPPED_PAGES, plainMap, plainUnmap } from './requests/mappings.ts';
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

const groupMoves = (devices: readonly PlatformDevice[], group: number): readonly Move[] => {
  const thing = groupThing(group);
  return [
    open(thing, `/dev/vfio/${group}`),
    ...CONTAINERS.map((container) =>
      on(
        thing,
        `${thing} joins ${container}`,
        (label, fd, descriptorOf) => setContainer(label, fd, descriptorOf(container)),
        [container],
      ),
    ),
    on(thing, `${thing} leaves`, unsetContainer),
    ...devices
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
export const movesWith = (
  devices: readonly PlatformDevice[],
  groups: readonly number[],
): readonly Move[] => [
  ...containerMoves('container'),
  ...groups.flatMap((group) => groupMoves(devices, group)),
  ...mappingMoves('container'),
  ...containerMoves('container2'),
];

/** Whether the move can be made: what it needs is open, and what it opens is not. */
export const isPossible = ({ needs, opens }: Move, open: ReadonlyMap<string, string>): boolean =>
  needs.every((thing) => open.has(thing)) && (opens === undefined || !open.has(opens));
