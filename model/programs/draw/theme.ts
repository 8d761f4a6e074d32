// What one program is mostly about. Calls of every kind at once seldom come far: an area that is cut, or held by a user
// while domains come and go, takes several calls that all succeed. So most programs have a theme that makes some calls
// more frequent, begins with what they need, and draws values that mostly serve; the others draw everything alike.

import { VFIO_IOAS_SET } from '../../../spec/abi/native.ts';
import { VFIO_DEVICE_BIND_IOMMUFD, VFIO_SET_IOMMU } from '../../../spec/abi/vfio.ts';
import type { Value } from '../program.ts';
import { testCall } from '../table-probes.ts';
import type { Dice } from '../values.ts';
import { drawOpenGroup, fitsLegacyContainer, hasNoIommu, joinContainer } from './compat.ts';
import { beginLateJoins, beginManyPages } from './deep-containers.ts';
import { beginHandOver } from './deep-devices.ts';
import * as tables from './deep-tables.ts';
import { beginTracking } from './deep-tracking.ts';
import { beginRefusedMove } from './deep-users.ts';
import { drawBoundAndAttached, drawOpenDevice, hasDeviceFiles } from './device.ts';
import { allocate, attach, open, use } from './first-calls.ts';
import { drawRegisters } from './memory.ts';
import { drawNarrowPlace } from './narrow-place.ts';
import { drawAllowIovas, drawFineMap } from './native.ts';
import { nativeCall } from './native-call.ts';
import type { Scene } from './scene.ts';
import { drawBrokenArea, drawJointCopy, drawPartCopy } from './shared-areas.ts';
import { drawTakenAddresses } from './taken-addresses.ts';
import { drawEdgeMap, drawOpenContainer, mapPage, mapPages, startTracking } from './type1.ts';

/** What an operation is about. */
export type Group =
  | 'table'
  | 'place'
  | 'compat'
  | 'domain'
  | 'access'
  | 'odd'
  | 'memory'
  | 'device'
  | 'legacy'
  | 'other';

export type Theme = {
  /** How much more often than else operations of a group are drawn. */
  readonly weights: Readonly<Partial<Record<Group, number>>>;
  /** How many values in eight are drawn so that they serve. */
  readonly care: number;
  /** One operation in so many has a field that is not as it should be. */
  readonly oddIn: number;
  readonly begin: (scene: Scene) => void;
};

/** Where most calls should succeed, and where refusals are as welcome. */
const SELDOM = 40;
const OFTEN = 9;

const TYPE1 = 1n;
const TYPE1V2 = 3n;

const serveVfio = (scene: Scene, fd: Value, ioas: Value, type: bigint): void => {
  nativeCall(scene, 'vfioIoas', fd, 'IOMMU_VFIO_IOAS', {
    ioas_id: ioas,
    op: BigInt(VFIO_IOAS_SET),
  });
  scene.plain('setIommu', fd, VFIO_SET_IOMMU, type);
};

const maybeAttach = (scene: Scene, fd: Value, ioas: Value): void => {
  if (scene.dice.chance(1, 2)) attach(scene, fd, ioas);
};

const FREE: Theme = { weights: { odd: 2 }, care: 0, oddIn: OFTEN, begin: () => {} };

/** VFIO's calls on an IOAS whose areas can be cut, with a domain or without. */
const CUTS: Theme = {
  weights: { compat: 3, odd: 0.3, memory: 0.3, access: 1 },
  care: 6,
  oddIn: SELDOM,
  begin: (scene) => {
    const fd = open(scene);
    const ioas = allocate(scene, fd);
    serveVfio(scene, fd, ioas, scene.dice.chance(3, 4) ? TYPE1 : TYPE1V2);
    maybeAttach(scene, fd, ioas);
    if (scene.platform.mockDevices && scene.dice.chance(1, 2)) use(scene, fd, ioas);
  },
};

/** Several domains that follow one or two tables. */
const DOMAINS: Theme = {
  weights: { domain: 2.5, table: 1.5, odd: 0.3, compat: 0.4 },
  care: 6,
  oddIn: SELDOM,
  begin: (scene) => {
    const fd = open(scene);
    const ioas = allocate(scene, fd);
    const other = scene.dice.chance(1, 2) ? allocate(scene, fd) : undefined;
    const domains = scene.dice.number(1, 3);
    for (let index = 0; index < domains; index += 1) attach(scene, fd, ioas);
    if (other === undefined || scene.dice.chance(1, 2)) return;
    attach(scene, fd, other);
    drawPartCopy(scene, fd, ioas, other);
  },
};

/** In-kernel users of a table, with a domain or without. */
const USERS: Theme = {
  weights: { access: 3, table: 1.5, odd: 0.3, compat: 0.3 },
  care: 6,
  oddIn: SELDOM,
  begin: (scene) => {
    const fd = open(scene);
    const ioas = allocate(scene, fd);
    // A second one is where they can be moved, and what is mapped there may keep them out.
    const other = scene.dice.chance(1, 2) ? allocate(scene, fd) : undefined;
    if (scene.dice.chance(1, 6)) drawBrokenArea(scene, fd, ioas);
    else if (other === undefined) maybeAttach(scene, fd, ioas);
    if (other !== undefined && scene.dice.chance(2, 3)) drawFineMap(scene, fd, other);
    const users = other === undefined ? 1 : scene.dice.number(1, 2);
    for (let index = 1; index <= users; index += 1) {
      const flags = index === users ? 1n : BigInt(scene.dice.number(0, 1));
      scene.add(testCall(scene.draft.label('access'), fd, 'CREATE_ACCESS', { id: ioas, flags }));
    }
  },
};

/** Memory that goes from table to table. */
const TABLES: Theme = {
  weights: { table: 3, odd: 0.5, compat: 0.3 },
  care: 5,
  oddIn: SELDOM,
  begin: (scene) => {
    const fd = open(scene);
    const ioas = allocate(scene, fd);
    const other = allocate(scene, fd);
    maybeAttach(scene, fd, ioas);
    if (scene.dice.chance(1, 4)) drawJointCopy(scene, fd, other, ioas);
  },
};

/** Where something may be mapped, and where the kernel then chooses a place. */
const PLACES: Theme = {
  weights: { place: 2, table: 2, odd: 0.3, compat: 0.3, access: 0.5, memory: 0.3 },
  care: 5,
  oddIn: SELDOM,
  begin: (scene) => {
    const fd = open(scene);
    const ioas = allocate(scene, fd);
    if (scene.dice.chance(1, 4)) attach(scene, fd, ioas);
    if (scene.dice.chance(1, 3)) {
      drawNarrowPlace(scene, fd, ioas);
      return;
    }
    const [on] = scene.iommufds();
    if (on !== undefined && scene.dice.chance(3, 4)) drawAllowIovas(scene, on);
  },
};

/** A legacy container that groups join while something is mapped. */
const JOINS: Theme = {
  weights: { legacy: 2, odd: 0.3 },
  care: 0,
  oddIn: OFTEN,
  begin: (scene) => {
    const { dice } = scene;
    const container: Value = { from: scene.draft.label('container'), out: 'result' };
    drawOpenContainer(scene);
    const groups = [...new Set(scene.platform.devices.map(({ group }) => group))];
    const first = dice.of(groups.filter((group) => fitsLegacyContainer(scene, group)));
    const others = groups.filter((group) => group !== first);
    for (const group of others.length === 0 ? [first] : [first, dice.of(others)]) {
      const label = scene.draft.label('group');
      scene.add({ op: 'open', label, path: `/dev/vfio/${group}` });
    }
    const [joining, later] = scene.descriptorsOf('group');
    if (joining === undefined) return;
    joinContainer(scene, joining.value, container);
    scene.plain('setIommu', container, VFIO_SET_IOMMU, dice.chance(1, 2) ? TYPE1 : TYPE1V2);
    const [on] = scene.containers();
    if (on === undefined || scene.platform.iommus.length === 0 || dice.chance(1, 3)) return;
    if (dice.chance(1, 2)) drawEdgeMap(scene, on);
    else drawTakenAddresses(scene, container);
    if (later !== undefined && fitsLegacyContainer(scene, later.file.group)) {
      joinContainer(scene, later.value, container);
    }
  },
};

/** The devices of a group that has several, by their own files: they must agree on a domain. */
const siblings = ({ platform: { devices } }: Scene): readonly number[] => {
  const several = devices.find(({ name, group }) =>
    devices.some((other) => other.group === group && other.name !== name),
  );
  return devices.flatMap(({ group, cdev }) => (group === several?.group ? (cdev ?? []) : []));
};

const SIBLINGS: Theme = {
  weights: { other: 2, odd: 0.5, compat: 0.3 },
  care: 6,
  oddIn: SELDOM,
  begin: (scene) => {
    const fd = open(scene);
    allocate(scene, fd);
    allocate(scene, fd);
    for (const number of siblings(scene)) {
      const label = scene.draft.label('cdev');
      scene.add({ op: 'open', label, path: `/dev/vfio/devices/vfio${number}` });
      scene.call(
        'bind',
        { from: label, out: 'result' },
        VFIO_DEVICE_BIND_IOMMUFD,
        'VFIO_DEVICE_BIND_IOMMUFD',
        16,
        { argsz: 16n, iommufd: fd },
      );
    }
  },
};

/** Devices by their own files, which are moved between tables and their domains. */
const DEVICES: Theme = {
  weights: { device: 3, domain: 1.5, odd: 0.3, compat: 0.2, memory: 0.3 },
  care: 6,
  oddIn: SELDOM,
  begin: (scene) => {
    const fd = open(scene);
    const table = allocate(scene, fd);
    attach(scene, fd, allocate(scene, fd));
    // A group that one iommufd lets go of may go to another.
    if (scene.dice.chance(1, 4)) allocate(scene, open(scene));
    const devices = scene.dice.number(1, 2);
    for (let index = 0; index < devices; index += 1) {
      drawOpenDevice(scene);
      const cdev = scene.descriptorsOf('cdev').at(-1);
      if (cdev !== undefined) drawBoundAndAttached(scene, cdev, fd, table);
    }
  },
};

/** Memory that a device without an IOMMU is told the place of. */
const UNTRANSLATED: Theme = {
  weights: { table: 4, device: 0.3, odd: 0.3, compat: 0.2, domain: 0.3 },
  care: 6,
  oddIn: SELDOM,
  begin: (scene) => {
    const fd = open(scene);
    const table = allocate(scene, fd);
    drawOpenDevice(scene);
    const cdev = scene.descriptorsOf('cdev').at(-1);
    if (cdev !== undefined) drawBoundAndAttached(scene, cdev, fd, table);
  },
};

/** The most maps that a container with a low limit is filled with. */
const MOST_MAPS = 16;

/** A legacy container with some groups in it. */
const GROUPS: Theme = {
  weights: { legacy: 1.2, odd: 0.3, memory: 0.5, device: 0.3 },
  care: 0,
  oddIn: OFTEN,
  begin: (scene) => {
    const groups = scene.dice.of([1, 2, 2]);
    drawOpenContainer(scene);
    const [container] = scene.containers();
    if (container === undefined) return;
    for (let index = 0; index < groups; index += 1) {
      // A group without an IOMMU keeps the maps when those that have one leave.
      drawOpenGroup(scene, index === 0 && scene.dice.chance(1, 2) ? 'emulated' : 'served');
      const group = scene.descriptorsOf('group').at(-1);
      if (group !== undefined) joinContainer(scene, group.value, container.value);
    }
    scene.plain('setIommu', container.value, VFIO_SET_IOMMU, scene.dice.of([1n, 3n, 3n, 3n]));
    if (scene.dice.chance(1, 2)) startTracking(scene, container.value);
    const most = scene.platform.dmaEntryLimit > MOST_MAPS ? 4 : 1;
    const pages = BigInt(scene.dice.number(1, most));
    if (scene.dice.chance(1, 2)) mapPages(scene, container.value, 0x100_0000n, pages);
    if (scene.dice.chance(1, 4)) drawRegisters(scene);
  },
};

/** The same, with nearly as many maps as it takes, where those are few. */
const FULL: Theme = {
  ...GROUPS,
  begin: (scene) => {
    GROUPS.begin(scene);
    const { dmaEntryLimit } = scene.platform;
    const [container] = scene.containers();
    if (container === undefined || dmaEntryLimit > MOST_MAPS) return;
    const maps = dmaEntryLimit - scene.dice.number(0, 1);
    for (let index = 0; index < maps; index += 1) mapPage(scene, container.value, index);
  },
};

type Begin = Theme['begin'];

/** Begins with calls that lead to what few programs come to. */
const oneOf =
  (begins: readonly Begin[]): Begin =>
  (scene) =>
    scene.dice.of(begins)(scene);

const AREAS: readonly Begin[] = [
  tables.beginHoles,
  tables.beginHoles,
  tables.beginHalfway,
  tables.beginHalfway,
  tables.beginFiles,
  tables.beginHugePages,
  tables.beginOptions,
];

const deep = (begins: readonly Begin[]): Theme => ({
  weights: { table: 2, odd: 0.3, compat: 0.3, place: 1.5 },
  care: 6,
  oddIn: SELDOM,
  begin: oneOf(begins),
});

/** In one iommufd. */
const DEEP = deep([
  ...AREAS,
  tables.beginSlowCopies,
  tables.beginSlowCopies,
  beginRefusedMove,
  beginTracking,
  beginTracking,
]);
/** The same, where nobody copies for the program. */
const DEEP_UNTESTED = deep(AREAS);

const HAND_OVER: Theme = {
  weights: { device: 2, domain: 1.5, odd: 0.3, compat: 0.2, memory: 0.3 },
  care: 6,
  oddIn: SELDOM,
  begin: beginHandOver,
};

/** In a legacy container. */
const DEEP_LEGACY: Theme = {
  weights: { legacy: 1.5, odd: 0.3, memory: 0.5, device: 0.3 },
  care: 0,
  oddIn: OFTEN,
  begin: oneOf([beginLateJoins, beginManyPages]),
};

const WITH_DEVICES: readonly Theme[] = [
  FREE,
  FREE,
  FREE,
  FREE,
  CUTS,
  TABLES,
  PLACES,
  DEVICES,
  DEVICES,
  DEEP,
  HAND_OVER,
];
/** Of devices that have no files of their own. */
const WITH_GROUPS_ONLY = WITH_DEVICES.filter((theme) => theme !== DEVICES && theme !== HAND_OVER);
const WITH_MOCKS: readonly Theme[] = [
  FREE,
  FREE,
  CUTS,
  CUTS,
  DOMAINS,
  USERS,
  TABLES,
  PLACES,
  DEEP,
  DEEP,
];

const WITH_GROUPS: readonly Theme[] = [
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

/** Most themes are about iommufds. Groups and devices are what a machine with devices is for. */
const themesFor = (scene: Scene): readonly Theme[] => {
  const { paths, platform } = scene;
  if (platform.devices.length === 0) return paths === 'legacy' ? [FREE] : WITH_MOCKS;
  if (paths === 'legacy') return WITH_GROUPS;
  const all = hasDeviceFiles(scene) ? WITH_DEVICES : WITH_GROUPS_ONLY;
  const themes = platform.testCommands
    ? all
    : all.map((theme) => (theme === DEEP ? DEEP_UNTESTED : theme));
  if (hasNoIommu(scene)) return [...themes, UNTRANSLATED, UNTRANSLATED];
  return siblings(scene).length > 0 ? [...themes, SIBLINGS] : themes;
};

export const drawTheme = (scene: Scene, dice: Dice): Theme => dice.of(themesFor(scene));
