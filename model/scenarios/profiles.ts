// SPDX-License-Identifier: MIT
// The profiles of programs. With calls of every kind at once few programs get far: a cut area, or
// one that an access pins while domains come and go, takes several calls that all succeed. So most
// programs have a profile that makes some calls more frequent, begins with what they need, and
// generates mostly valid values; the others generate everything alike.

import { VFIO_IOAS_SET } from '../../spec/abi/native.ts';
import { VFIO_DEVICE_BIND_IOMMUFD, VFIO_SET_IOMMU } from '../../spec/abi/vfio.ts';
import {
  fitsLegacyContainer,
  generateOpenGroup,
  hasNoIommu,
  joinContainer,
} from '../generate/compat.ts';
import {
  generateBoundAndAttached,
  generateOpenDevice,
  hasDeviceFiles,
} from '../generate/device.ts';
import type { GenContext, Profile } from '../generate/gen-context.ts';
import { generateBar } from '../generate/memory.ts';
import { generateAllowIovas, generateFineMap } from '../generate/native.ts';
import { nativeCall } from '../generate/native-call.ts';
import { testCall } from '../generate/test-call.ts';
import {
  generateEdgeMap,
  generateOpenContainer,
  mapPage,
  mapPages,
  startTracking,
} from '../generate/type1.ts';
import type { Value } from '../programs/program.ts';
import * as tables from './areas-and-holes.ts';
import { beginTracking } from './dirty-areas.ts';
import { allocate, attach, open, use } from './first-calls.ts';
import { beginHandOver } from './hand-over.ts';
import { beginLateJoins, beginManyPages } from './late-joins.ts';
import { generateNarrowRange } from './narrow-hole.ts';
import { beginRefusedMove } from './refused-move.ts';
import { generateBrokenArea, generateJointCopy, generatePartCopy } from './shared-areas.ts';
import { generateTakenAddresses } from './taken-vaddrs.ts';

const DEVICE_BIND_IOMMUFD = {
  command: VFIO_DEVICE_BIND_IOMMUFD,
  layout: 'VFIO_DEVICE_BIND_IOMMUFD',
  size: 16,
} as const;

/**
 * One in so many operations is invalid: few if most calls should succeed, more if refusals matter
 * as much.
 */
const SELDOM = 40;
const OFTEN = 9;

const TYPE1 = 1n;
const TYPE1V2 = 3n;

const serveVfio = (gen: GenContext, fd: Value, ioas: Value, type: bigint): void => {
  nativeCall(gen, 'vfioIoas', fd, 'IOMMU_VFIO_IOAS', {
    ioas_id: ioas,
    op: BigInt(VFIO_IOAS_SET),
  });
  gen.plain('setIommu', fd, VFIO_SET_IOMMU, type);
};

const maybeAttach = (gen: GenContext, fd: Value, ioas: Value): void => {
  if (gen.rng.chance(1, 2)) attach(gen, fd, ioas);
};

const FREE: Profile = { weights: { invalid: 2 }, care: 0, invalidIn: OFTEN, begin: () => {} };

/** VFIO's calls on an IOAS whose areas can be cut, with a domain or without. */
const CUTS: Profile = {
  weights: { compat: 3, invalid: 0.3, memory: 0.3, access: 1 },
  care: 6,
  invalidIn: SELDOM,
  begin: (gen) => {
    const fd = open(gen);
    const ioas = allocate(gen, fd);
    serveVfio(gen, fd, ioas, gen.rng.chance(3, 4) ? TYPE1 : TYPE1V2);
    maybeAttach(gen, fd, ioas);
    if (gen.platform.mockDevices && gen.rng.chance(1, 2)) use(gen, fd, ioas);
  },
};

/** Several domains of one or two tables. */
const DOMAINS: Profile = {
  weights: { domain: 2.5, table: 1.5, invalid: 0.3, compat: 0.4 },
  care: 6,
  invalidIn: SELDOM,
  begin: (gen) => {
    const fd = open(gen);
    const ioas = allocate(gen, fd);
    const other = gen.rng.chance(1, 2) ? allocate(gen, fd) : undefined;
    const domains = gen.rng.number(1, 3);
    for (let index = 0; index < domains; index += 1) attach(gen, fd, ioas);
    if (other === undefined || gen.rng.chance(1, 2)) return;
    attach(gen, fd, other);
    generatePartCopy(gen, fd, ioas, other);
  },
};

/** Accesses of a table, with a domain or without. */
const USERS: Profile = {
  weights: { access: 3, table: 1.5, invalid: 0.3, compat: 0.3 },
  care: 6,
  invalidIn: SELDOM,
  begin: (gen) => {
    const fd = open(gen);
    const ioas = allocate(gen, fd);
    // With a second one accesses can move, and its areas may prevent that.
    const other = gen.rng.chance(1, 2) ? allocate(gen, fd) : undefined;
    if (gen.rng.chance(1, 6)) generateBrokenArea(gen, fd, ioas);
    else if (other === undefined) maybeAttach(gen, fd, ioas);
    if (other !== undefined && gen.rng.chance(2, 3)) generateFineMap(gen, fd, other);
    const users = other === undefined ? 1 : gen.rng.number(1, 2);
    for (let index = 1; index <= users; index += 1) {
      const flags = index === users ? 1n : BigInt(gen.rng.number(0, 1));
      gen.add(testCall(gen.builder.label('access'), fd, 'CREATE_ACCESS', { id: ioas, flags }));
    }
  },
};

/** Memory that is copied from table to table. */
const TABLES: Profile = {
  weights: { table: 3, invalid: 0.5, compat: 0.3 },
  care: 5,
  invalidIn: SELDOM,
  begin: (gen) => {
    const fd = open(gen);
    const ioas = allocate(gen, fd);
    const other = allocate(gen, fd);
    maybeAttach(gen, fd, ioas);
    if (gen.rng.chance(1, 4)) generateJointCopy(gen, fd, other, ioas);
  },
};

/** Usable IOVAs, and the kernel's choice among them. */
const CHOSEN_IOVAS: Profile = {
  weights: { place: 2, table: 2, invalid: 0.3, compat: 0.3, access: 0.5, memory: 0.3 },
  care: 5,
  invalidIn: SELDOM,
  begin: (gen) => {
    const fd = open(gen);
    const ioas = allocate(gen, fd);
    if (gen.rng.chance(1, 4)) attach(gen, fd, ioas);
    if (gen.rng.chance(1, 3)) {
      generateNarrowRange(gen, fd, ioas);
      return;
    }
    const [on] = gen.iommufds();
    if (on !== undefined && gen.rng.chance(3, 4)) generateAllowIovas(gen, on);
  },
};

/** A legacy container that groups join while something is mapped. */
const JOINS: Profile = {
  weights: { legacy: 2, invalid: 0.3 },
  care: 0,
  invalidIn: OFTEN,
  begin: (gen) => {
    const { rng } = gen;
    const container: Value = { from: gen.builder.label('container'), out: 'result' };
    generateOpenContainer(gen);
    const groups = [...new Set(gen.platform.devices.map(({ group }) => group))];
    const first = rng.of(groups.filter((group) => fitsLegacyContainer(gen, group)));
    const others = groups.filter((group) => group !== first);
    for (const group of others.length === 0 ? [first] : [first, rng.of(others)]) {
      const label = gen.builder.label('group');
      gen.add({ op: 'open', label, path: `/dev/vfio/${group}` });
    }
    const [joining, later] = gen.descriptorsOf('group');
    if (joining === undefined) return;
    joinContainer(gen, joining.value, container);
    gen.plain('setIommu', container, VFIO_SET_IOMMU, rng.chance(1, 2) ? TYPE1 : TYPE1V2);
    const [on] = gen.containers();
    if (on === undefined || gen.platform.iommus.length === 0 || rng.chance(1, 3)) return;
    if (rng.chance(1, 2)) generateEdgeMap(gen, on);
    else generateTakenAddresses(gen, container);
    if (later !== undefined && fitsLegacyContainer(gen, later.file.group)) {
      joinContainer(gen, later.value, container);
    }
  },
};

/** The cdevs of a group with several devices, which must agree on a domain. */
const siblings = ({ platform: { devices } }: GenContext): readonly number[] => {
  const several = devices.find(({ name, group }) =>
    devices.some((other) => other.group === group && other.name !== name),
  );
  return devices.flatMap(({ group, cdev }) => (group === several?.group ? (cdev ?? []) : []));
};

const SIBLINGS: Profile = {
  weights: { other: 2, invalid: 0.5, compat: 0.3 },
  care: 6,
  invalidIn: SELDOM,
  begin: (gen) => {
    const fd = open(gen);
    allocate(gen, fd);
    allocate(gen, fd);
    for (const number of siblings(gen)) {
      const label = gen.builder.label('cdev');
      gen.add({ op: 'open', label, path: `/dev/vfio/devices/vfio${number}` });
      gen.call('bind', { from: label, out: 'result' }, DEVICE_BIND_IOMMUFD, {
        argsz: 16n,
        iommufd: fd,
      });
    }
  },
};

/** Devices through their cdevs, which move between tables and hwpts. */
const DEVICES: Profile = {
  weights: { device: 3, domain: 1.5, invalid: 0.3, compat: 0.2, memory: 0.3 },
  care: 6,
  invalidIn: SELDOM,
  begin: (gen) => {
    const fd = open(gen);
    const table = allocate(gen, fd);
    attach(gen, fd, allocate(gen, fd));
    // A group that one iommufd releases may go to another.
    if (gen.rng.chance(1, 4)) allocate(gen, open(gen));
    const devices = gen.rng.number(1, 2);
    for (let index = 0; index < devices; index += 1) {
      generateOpenDevice(gen);
      const cdev = gen.descriptorsOf('cdev').at(-1);
      if (cdev !== undefined) generateBoundAndAttached(gen, cdev, fd, table);
    }
  },
};

/** Physical addresses of memory for a device without an IOMMU. */
const UNTRANSLATED: Profile = {
  weights: { table: 4, device: 0.3, invalid: 0.3, compat: 0.2, domain: 0.3 },
  care: 6,
  invalidIn: SELDOM,
  begin: (gen) => {
    const fd = open(gen);
    const table = allocate(gen, fd);
    generateOpenDevice(gen);
    const cdev = gen.descriptorsOf('cdev').at(-1);
    if (cdev !== undefined) generateBoundAndAttached(gen, cdev, fd, table);
  },
};

/** At most so many maps fill a container with a low limit. */
const MOST_MAPS = 16;

/** A legacy container with some groups in it. */
const GROUPS: Profile = {
  weights: { legacy: 1.2, invalid: 0.3, memory: 0.5, device: 0.3 },
  care: 0,
  invalidIn: OFTEN,
  begin: (gen) => {
    const groups = gen.rng.of([1, 2, 2]);
    generateOpenContainer(gen);
    const [container] = gen.containers();
    if (container === undefined) return;
    for (let index = 0; index < groups; index += 1) {
      // A group without an IOMMU keeps the maps when the groups with one leave.
      generateOpenGroup(gen, index === 0 && gen.rng.chance(1, 2) ? 'emulated' : 'served');
      const group = gen.descriptorsOf('group').at(-1);
      if (group !== undefined) joinContainer(gen, group.value, container.value);
    }
    gen.plain('setIommu', container.value, VFIO_SET_IOMMU, gen.rng.of([1n, 3n, 3n, 3n]));
    if (gen.rng.chance(1, 2)) startTracking(gen, container.value);
    const most = gen.platform.dmaEntryLimit > MOST_MAPS ? 4 : 1;
    const pages = BigInt(gen.rng.number(1, most));
    if (gen.rng.chance(1, 2)) mapPages(gen, container.value, 0x100_0000n, pages);
    if (gen.rng.chance(1, 4)) generateBar(gen);
  },
};

/** The same, with nearly as many maps as the limit allows, if it is low. */
const FULL: Profile = {
  ...GROUPS,
  begin: (gen) => {
    GROUPS.begin(gen);
    const { dmaEntryLimit } = gen.platform;
    const [container] = gen.containers();
    if (container === undefined || dmaEntryLimit > MOST_MAPS) return;
    const maps = dmaEntryLimit - gen.rng.number(0, 1);
    for (let index = 0; index < maps; index += 1) mapPage(gen, container.value, index);
  },
};

type Begin = Profile['begin'];

/** Begins with a scenario. */
const oneOf =
  (begins: readonly Begin[]): Begin =>
  (gen) =>
    gen.rng.of(begins)(gen);

const AREAS: readonly Begin[] = [
  tables.beginHoles,
  tables.beginHoles,
  tables.beginHalfway,
  tables.beginHalfway,
  tables.beginFiles,
  tables.beginHugePages,
  tables.beginOptions,
];

const deep = (begins: readonly Begin[]): Profile => ({
  weights: { table: 2, invalid: 0.3, compat: 0.3, place: 1.5 },
  care: 6,
  invalidIn: SELDOM,
  begin: oneOf(begins),
});

/** Scenarios of one iommufd. */
const DEEP = deep([
  ...AREAS,
  tables.beginSlowCopies,
  tables.beginSlowCopies,
  beginRefusedMove,
  beginTracking,
  beginTracking,
]);
/** The same without test commands. */
const DEEP_UNTESTED = deep(AREAS);

const HAND_OVER: Profile = {
  weights: { device: 2, domain: 1.5, invalid: 0.3, compat: 0.2, memory: 0.3 },
  care: 6,
  invalidIn: SELDOM,
  begin: beginHandOver,
};

/** Scenarios of a legacy container. */
const DEEP_LEGACY: Profile = {
  weights: { legacy: 1.5, invalid: 0.3, memory: 0.5, device: 0.3 },
  care: 0,
  invalidIn: OFTEN,
  begin: oneOf([beginLateJoins, beginManyPages]),
};

const WITH_DEVICES: readonly Profile[] = [
  FREE,
  FREE,
  FREE,
  FREE,
  CUTS,
  TABLES,
  CHOSEN_IOVAS,
  DEVICES,
  DEVICES,
  DEEP,
  HAND_OVER,
];
/** For platforms whose devices have no cdevs. */
const WITH_GROUPS_ONLY = WITH_DEVICES.filter(
  (profile) => profile !== DEVICES && profile !== HAND_OVER,
);
const WITH_MOCKS: readonly Profile[] = [
  FREE,
  FREE,
  CUTS,
  CUTS,
  DOMAINS,
  USERS,
  TABLES,
  CHOSEN_IOVAS,
  DEEP,
  DEEP,
];

const WITH_GROUPS: readonly Profile[] = [
  FREE,
  FREE,
  JOINS,
  GROUPS,
  GROUPS,
  GROUPS,
  GROUPS,
  FULL,
  DEEP_LEGACY,
  DEEP_LEGACY,
];

/**
 * Most profiles are about iommufds; those about groups and devices need a platform with devices.
 */
const profilesFor = (gen: GenContext): readonly Profile[] => {
  const { paths, platform } = gen;
  if (platform.devices.length === 0) return paths === 'legacy' ? [FREE] : WITH_MOCKS;
  if (paths === 'legacy') return WITH_GROUPS;
  const all = hasDeviceFiles(gen) ? WITH_DEVICES : WITH_GROUPS_ONLY;
  const profiles = platform.testCommands
    ? all
    : all.map((profile) => (profile === DEEP ? DEEP_UNTESTED : profile));
  if (hasNoIommu(gen)) return [...profiles, UNTRANSLATED, UNTRANSLATED];
  return siblings(gen).length > 0 ? [...profiles, SIBLINGS] : profiles;
};

export const chooseProfile = (gen: GenContext): Profile => gen.rng.of(profilesFor(gen));
