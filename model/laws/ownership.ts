// SPDX-License-Identifier: MIT
// Laws of ownership: every reference is to something that exists, and nothing exists without an
// owner.

import { nodesOf, valueAt, valuesOf } from '../../spec/collections/ordered-map.ts';
import { SOFTWARE_IOMMU } from '../../spec/hardware/templates.ts';
import { slicesOf } from '../../spec/iopt/access.ts';
import { type Context, hwptAt, ioasAt, objectAt, usersOf } from '../../spec/state/context.ts';
import type { FileId } from '../../spec/state/files.ts';
import { boundDeviceOf, deviceNamed, type World } from '../../spec/state/world.ts';
import { type Contradiction, law, type WorldLaw } from './law.ts';
import { contextsOf, firstOf, hex, objectsOf } from './worlds.ts';

const inEveryContext = (name: string, contradiction: (context: Context) => Contradiction) =>
  law(name, (world) => firstOf(contextsOf(world).map(contradiction)));

/**
 * A hwpt belongs to an IOAS, whose table lists its domain once, and an automatic one has a device.
 */
const hwptsBelongToAnIoas = inEveryContext('an hwpt belongs to an IOAS', (context) =>
  firstOf(
    objectsOf(context, 'hwpt').map(({ id, object }) => {
      const domains = ioasAt(context, object.ioas)?.table.domains ?? [];
      if (domains.filter((other) => other === id).length !== 1)
        return `hwpt ${id} is not in its IOAS`;
      return object.automatic && usersOf(context, id) === 0
        ? `hwpt ${id} was made by an attach and has no device`
        : undefined;
    }),
  ),
);

/** The domains of a table are hwpts of its IOAS, and its accesses are attached to it. */
const tablesNameTheirUsers = inEveryContext('a table names its domains and accesses', (context) =>
  firstOf(
    objectsOf(context, 'ioas').flatMap(({ id: ioas, object: { table } }) => [
      ...table.domains.map((id) =>
        hwptAt(context, id)?.ioas === ioas ? undefined : `domain ${id} is elsewhere`,
      ),
      ...table.accesses.map((id) => {
        const access = objectAt(context, id);
        return access?.kind === 'access' && access.ioas === ioas
          ? undefined
          : `access ${id} is elsewhere`;
      }),
    ]),
  ),
);

/**
 * An attached device has a hwpt that exists and was made for its IOMMU, and its group has the same
 * one.
 */
const devicesAreAttached = inEveryContext('a device is attached with its group', (context) => {
  const byGroup = new Map<string, number>();
  for (const { id, object } of objectsOf(context, 'device')) {
    if (object.hwpt === undefined) {
      if (object.mock !== undefined) return `mock device ${id} is bound and not attached`;
      continue;
    }
    const hwpt = hwptAt(context, object.hwpt);
    if (hwpt === undefined) return `the hwpt of device ${id} is gone`;
    const takesAny = object.iommu === SOFTWARE_IOMMU;
    if (!takesAny && hwpt.domain.iommu !== object.iommu)
      return `device ${id} uses another IOMMU's domain`;
    if (hwpt.domain.tracksDirty && object.mock?.noDirty) return `device ${id} cannot track`;
    if ((byGroup.get(object.group) ?? object.hwpt) !== object.hwpt)
      return `${object.group} is divided`;
    byGroup.set(object.group, object.hwpt);
  }
  return undefined;
});

/**
 * Every reserved range is that of a domain of the table, of a device attached to it, or of a test.
 */
const reservationsHaveOwners = inEveryContext('what is reserved has an owner', (context) => {
  for (const { id: ioas, object } of objectsOf(context, 'ioas')) {
    for (const { by, start } of object.table.reserved) {
      if (by.kind === 'domain' && !object.table.domains.includes(by.hwpt))
        return `${hex(start)} by no domain`;
      if (by.kind === 'device') {
        const device = objectAt(context, by.device);
        const hwpt =
          device?.kind === 'device' && device.hwpt !== undefined
            ? hwptAt(context, device.hwpt)
            : undefined;
        if (hwpt?.ioas !== ioas) return `${hex(start)} by no device`;
      }
    }
  }
  return undefined;
});

/** The ranges that a device reserves are reserved wherever it is attached. */
const devicesKeepTheirRanges = inEveryContext(
  'an attached device has its ranges reserved',
  (context) => {
    for (const { id, object } of objectsOf(context, 'device')) {
      if (object.hwpt === undefined) continue;
      const hwpt = hwptAt(context, object.hwpt);
      const reserved = hwpt === undefined ? [] : (ioasAt(context, hwpt.ioas)?.table.reserved ?? []);
      for (const { start, last } of object.reserved) {
        const kept = reserved.some(
          (range) =>
            range.start === start &&
            range.last === last &&
            range.by.kind === 'device' &&
            range.by.device === id,
        );
        if (!kept) return `device ${id} lost ${hex(start)}`;
      }
    }
    return undefined;
  },
);

/** The IOVAs outside a domain's aperture are reserved in its table. */
const aperturesAreKept = inEveryContext('what a domain cannot translate is reserved', (context) => {
  for (const { id, object } of objectsOf(context, 'hwpt')) {
    const { start, last } = object.domain.aperture;
    const own = (ioasAt(context, object.ioas)?.table.reserved ?? []).filter(
      ({ by }) => by.kind === 'domain' && by.hwpt === id,
    );
    const expected = (start > 0n ? 1 : 0) + (last < (1n << 64n) - 1n ? 1 : 0);
    if (own.length !== expected) return `hwpt ${id} reserves ${own.length} ranges`;
    if (own.some((range) => range.start <= last && start <= range.last))
      return `hwpt ${id} reserves its aperture`;
  }
  return undefined;
});

/** A test object has its device. */
const testObjectsHaveDevices = inEveryContext('a test object has its device', (context) =>
  firstOf(
    objectsOf(context, 'selftest').map(({ id, object }) =>
      objectAt(context, object.device)?.kind === 'device'
        ? undefined
        : `the device of ${id} is gone`,
    ),
  ),
);

/** The range of each pin is mapped without a gap. */
const pinsAreMapped = inEveryContext('what an access has pinned is mapped', (context) =>
  firstOf(
    objectsOf(context, 'access').flatMap(({ id, object }) =>
      object.pins.map(({ iova, length }) => {
        const table = object.ioas === undefined ? undefined : ioasAt(context, object.ioas)?.table;
        const last = iova + length - 1n;
        const slices = [...slicesOf(table?.areas, iova, last)];
        return slices.at(-1)?.last === last ? undefined : `access ${id} pins ${hex(iova)}`;
      }),
    ),
  ),
);

/** Ids are numbers from 1 to 2^31 - 1, and the compatibility IOAS is an IOAS. */
const idsAreSmall = inEveryContext('ids are positive numbers of 31 bits', (context) => {
  for (const { key } of nodesOf(context.objects))
    if (key < 1 || key > 0x7fff_ffff) return `id ${key}`;
  return context.compatIoas === undefined || ioasAt(context, context.compatIoas) !== undefined
    ? undefined
    : `the IOAS of VFIO calls, ${context.compatIoas}, is none`;
});

/** The files with a reference: from descriptors, groups, bound devices, accesses. */
const referencedFiles = (world: World): ReadonlySet<FileId> => {
  const held = new Set<FileId>();
  for (const { descriptors } of valuesOf(world.processes)) {
    for (const file of valuesOf(descriptors)) held.add(file);
  }
  for (const device of world.devices.values()) {
    if (device.kind === 'bound') held.add(device.iommufd);
    if (device.kind === 'held') held.add(device.group);
  }
  for (const file of valuesOf(world.files)) {
    if (file.kind === 'group' && file.container !== undefined) held.add(file.container);
    if (file.kind === 'access') held.add(file.iommufd);
  }
  return held;
};

/** A file exists exactly as long as something refers to it. */
const filesAreHeld = law('files exist as long as something refers to them', (world) => {
  const held = referencedFiles(world);
  for (const id of held) if (valueAt(world.files, id) === undefined) return `file ${id} is gone`;
  for (const { key } of nodesOf(world.files))
    if (!held.has(key)) return `nothing refers to file ${key}`;
  return undefined;
});

const isAttached = (world: World, name: string): boolean => {
  const kind = world.devices.get(name)?.kind;
  if (kind === 'held' || kind === 'unbound') return true;
  const open = boundDeviceOf(world, name);
  const file = open === undefined ? undefined : valueAt(world.files, open.iommufd);
  if (open === undefined || file?.kind !== 'iommufd') return false;
  const object = objectAt(file.context, open.object);
  if (object?.kind === 'device') return object.hwpt !== undefined;
  return object?.kind === 'access' && object.ioas !== undefined;
};

/**
 * A group is open once, and not while one of its devices is bound through its cdev. An open device
 * counts its descriptors and is bound to the iommufd that it names. One that a group returned is
 * attached, or its group is, or it has no IOMMU.
 */
const devicesAreOpen = law('open devices are bound, and groups are open once', (world) => {
  const groups = new Set<number>();
  const boundGroups = new Set<number>();
  const opens = new Map<string, number>();
  for (const file of valuesOf(world.files)) {
    if (file.kind === 'group') {
      if (groups.has(file.group)) return `group ${file.group} is open twice`;
      groups.add(file.group);
    }
    if (file.kind === 'cdev' && file.bound) {
      if (opens.has(file.name)) return `${file.name} is bound and open otherwise`;
      boundGroups.add(deviceNamed(world, file.name).group);
    }
    if (file.kind === 'device' || (file.kind === 'cdev' && file.bound)) {
      opens.set(file.name, (opens.get(file.name) ?? 0) + 1);
    }
    if (file.kind === 'device' && !isAttached(world, file.name)) {
      return `${file.name} was got from its group and is not attached`;
    }
  }
  for (const group of groups) if (boundGroups.has(group)) return `group ${group} is open and bound`;
  for (const [name, device] of world.devices) {
    if (opens.get(name) !== device.opens)
      return `${name} is open ${opens.get(name)} times, not ${device.opens}`;
    if (device.kind === 'held') {
      if (valueAt(world.files, device.group)?.kind !== 'group') return `${name} holds no group`;
      continue;
    }
    if (device.kind === 'unbound') {
      if (deviceNamed(world, name).iommu !== 'noiommu') return `${name} has an IOMMU, and none`;
      continue;
    }
    const file = valueAt(world.files, device.iommufd);
    if (file?.kind !== 'iommufd' || objectAt(file.context, device.object) === undefined)
      return `${name} is not bound`;
  }
  return opens.size === world.devices.size
    ? undefined
    : 'a descriptor of a device that is not open';
});

/** Mappings of memory ascend, do not overlap, and begin and end at page bounds. */
const mappingsAreApart = law("the program's mappings are apart and whole pages", (world) => {
  for (const space of valuesOf(world.memory.spaces)) {
    let end = -1n;
    for (const { key, value } of nodesOf(space)) {
      if (key <= end || value.last < key) return `the mapping at ${hex(key)} is out of order`;
      if (key % 4096n !== 0n || (value.last + 1n) % 4096n !== 0n)
        return `the mapping at ${hex(key)} is no whole pages`;
      end = value.last;
    }
  }
  return undefined;
});

export const OWNERSHIP_LAWS: readonly WorldLaw[] = [
  hwptsBelongToAnIoas,
  tablesNameTheirUsers,
  devicesAreAttached,
  reservationsHaveOwners,
  devicesKeepTheirRanges,
  aperturesAreKept,
  testObjectsHaveDevices,
  pinsAreMapped,
  idsAreSmall,
  filesAreHeld,
  devicesAreOpen,
  mappingsAreApart,
];
