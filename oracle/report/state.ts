// SPDX-License-Identifier: MIT
// The state around a call as data: its IOASes with their maps, objects with their users, the program's memory, its
// descriptors, and charges.

import { type ObjectId, U64_MAX } from '../../spec/abi/units.ts';
import { nodesOf, sizeOf } from '../../spec/collections/ordered-map.ts';
import { type Context, hwptAt, objectAt, tableOf } from '../../spec/state/context.ts';
import type { FileId } from '../../spec/state/files.ts';
import { accountOf, lockedOf, spaceOf } from '../../spec/state/memory.ts';
import { descriptorsOf, openFile, type World } from '../../spec/state/world.ts';
import type { Call, Process } from '../../spec/terms/call.ts';
import { type CallContext, ioasBehind } from '../decode/call-context.ts';
import { memlockText } from '../judge/facts-text.ts';
import { fileText } from '../text/file-text.ts';
import { objectText, usersText } from '../text/object-text.ts';
import { lastOf } from '../text/quantities.ts';
import {
  areasBeside,
  areasElsewhere,
  descriptorsShown,
  MAPPINGS_BESIDE,
  objectsShown,
  type Verbosity,
} from '../text/verbosity.ts';
import { type ContainerAround, containerAround } from './container-state.ts';
import { type Extent, type MapLine, mapLines, type Wanted } from './iova-map.ts';

export type DomainAround = {
  readonly hwpt: ObjectId;
  readonly iommu: string;
  /** Bitmap. */
  readonly pageSizes: bigint;
  readonly aperture: { readonly start: bigint; readonly last: bigint };
};

export type IoasAround = {
  readonly id: ObjectId;
  /** VFIO calls use it. */
  readonly ofVfio: boolean;
  readonly areas: number;
  /** Bytes. */
  readonly alignment: bigint;
  readonly largePages: 'enabled' | 'disabled';
  readonly domains: readonly DomainAround[];
  readonly accesses: readonly ObjectId[];
  /** Empty if all IOVAs are allowed. */
  readonly allowed: readonly { readonly start: bigint; readonly last: bigint }[];
  readonly map: readonly MapLine[];
};

export type ObjectAround = {
  readonly id: ObjectId;
  readonly what: string;
  readonly usedBy: string;
  /** The call that made it. */
  readonly since?: string;
};

export type MappingAround = {
  readonly start: bigint;
  /** Inclusive. */
  readonly last: bigint;
  readonly what: string;
  /** Overlaps the memory of the call. */
  readonly meets: boolean;
};

export type DescriptorAround = {
  readonly process: Process;
  readonly fd: number;
  readonly what: string;
};

export type StateAround = {
  /** The call's iommufd. */
  readonly iommufd: FileId | undefined;
  readonly ioases: readonly IoasAround[];
  readonly containers: readonly ContainerAround[];
  readonly objects: readonly ObjectAround[];
  readonly objectsOmitted: number;
  readonly memory: readonly MappingAround[];
  /** Whether every mapping is known; a recording shows only those that were mapped through a call. */
  readonly memoryIsWhole: boolean;
  readonly descriptors: readonly DescriptorAround[];
  readonly descriptorsOmitted: number;
  /** Pages. */
  readonly charged: {
    readonly process: number;
    readonly pinned: number;
    readonly user: number;
    /** RLIMIT_MEMLOCK in bytes; absent if the program has no limit. */
    readonly limit?: bigint;
    /** What replies showed of the limit, if the input does not state it. */
    readonly notStated?: string | undefined;
    readonly accounting: 'user' | 'process' | undefined;
  };
};

const extentOf = (verbosity: Verbosity): Extent => ({
  beside: areasBeside(verbosity),
  elsewhere: areasElsewhere(verbosity),
});

const ioasAround = (
  context: Context,
  id: ObjectId,
  wanted: readonly Wanted[],
  verbosity: Verbosity,
): IoasAround => {
  const table = tableOf(context, id);
  const domains = table.domains.flatMap((hwpt): readonly DomainAround[] => {
    const domain = hwptAt(context, hwpt)?.domain;
    return domain === undefined
      ? []
      : [{ hwpt, iommu: domain.iommu, pageSizes: domain.pageSizes, aperture: domain.aperture }];
  });
  return {
    id,
    ofVfio: context.compatIoas === id,
    areas: sizeOf(table.areas),
    alignment: table.alignment,
    largePages: table.largePagesDisabled ? 'disabled' : 'enabled',
    domains,
    accesses: table.accesses,
    allowed: table.allowed,
    map: mapLines(context, table, wanted, extentOf(verbosity)),
  };
};

/** The IOASes that the call names, or every one if it names none. */
const ioasesOf = ({ context, objects, spans }: CallContext): readonly ObjectId[] => {
  if (context === undefined) return [];
  const ids = new Set<ObjectId>(spans.map(({ ioas }) => ioas));
  for (const id of objects) {
    const ioas = ioasBehind(context, id);
    if (ioas !== undefined) ids.add(ioas);
  }
  if (ids.size > 0) return [...ids].sort((a, b) => a - b);
  return [...nodesOf(context.objects)]
    .filter(({ value }) => value.kind === 'ioas')
    .map(({ key }) => key);
};

/** The objects to show, around the one that the call names. */
const objectsAround = (
  context: Context,
  named: ObjectId | undefined,
  shown: number,
): readonly ObjectAround[] => {
  const nodes = [...nodesOf(context.objects)];
  const position = nodes.findIndex(({ key }) => key === named);
  const first = Math.max(0, Math.min(position - (shown >> 1), nodes.length - shown));
  return nodes.slice(first, first + shown).map(({ key, value }) => ({
    id: key,
    what: objectText(context, key, value),
    usedBy: usersText(context, key),
  }));
};

const descriptorsAround = (world: World, process: Process): readonly DescriptorAround[] =>
  [...nodesOf(descriptorsOf(world, process))].flatMap(({ key, value }) => {
    const file = openFile(world, value);
    return file === undefined ? [] : [{ process, fd: key, what: fileText(world, process, file) }];
  });

const memoryAround = (
  world: World,
  process: Process,
  memory: CallContext['memory'],
): readonly MappingAround[] => {
  if (memory === undefined) return [];
  const last = lastOf(memory.address, memory.length);
  const all = [...nodesOf(spaceOf(world.memory, process))].map(({ key, value }) => {
    const kind = value.kind === 'device' ? "a device's BAR" : 'memory';
    return {
      start: key,
      last: value.last,
      what: `${value.protection}, ${value.shared ? 'shared' : 'private'} ${kind}`,
      meets: key <= last && value.last >= memory.address,
    };
  });
  const first = all.findIndex((mapping) => mapping.last >= memory.address);
  const behind = all.findIndex((mapping) => mapping.start > last);
  const from = first < 0 ? all.length : first;
  const to = behind < 0 ? all.length : behind;
  return all.slice(Math.max(0, from - MAPPINGS_BESIDE), to + MAPPINGS_BESIDE);
};

/** The state around a call. */
export const stateAround = (
  world: World,
  call: Call,
  about: CallContext,
  verbosity: Verbosity,
): StateAround => {
  const { context } = about;
  const objects =
    context === undefined ? [] : objectsAround(context, about.objects[0], objectsShown(verbosity));
  const descriptors = descriptorsAround(world, call.process);
  const wantedIn = (ioas: ObjectId): readonly Wanted[] =>
    about.spans
      .filter((span) => span.ioas === ioas)
      .map(({ what, start, length }) => ({ what, start, last: lastOf(start, length) }));
  const { privileged, memlockLimit } = world.setting.credentials;
  const { facts } = world.setting;
  return {
    iommufd: about.file,
    ioases:
      context === undefined
        ? []
        : ioasesOf(about)
            .filter((id) => objectAt(context, id)?.kind === 'ioas')
            .map((id) => ioasAround(context, id, wantedIn(id), verbosity)),
    containers: about.containers.flatMap((file) =>
      containerAround(world, call.process, file, about.containerRanges, extentOf(verbosity)),
    ),
    objects,
    objectsOmitted: sizeOf(context?.objects) - objects.length,
    memory: memoryAround(world, call.process, about.memory),
    memoryIsWhole: world.memory.knowledge === 'complete',
    descriptors: descriptors.slice(0, descriptorsShown(verbosity)),
    descriptorsOmitted: Math.max(0, descriptors.length - descriptorsShown(verbosity)),
    charged: {
      process: lockedOf(world.memory, call.process),
      pinned: accountOf(world.memory, call.process).pinned,
      user: world.memory.userLocked,
      ...(privileged || memlockLimit === U64_MAX ? {} : { limit: memlockLimit }),
      ...(facts === undefined ? {} : { notStated: memlockText(facts) }),
      accounting: context?.accounting,
    },
  };
};
