// What one program is mostly about. Calls of every kind at once seldom come far: an area that is cut, or held by a user
// while domains come and go, takes several calls that all succeed. So most programs have a theme that makes some calls
// more frequent, begins with what they need, and draws values that mostly serve; the others draw everything alike.

import { IOMMU_IOAS_ALLOC, NATIVE_CALLS, VFIO_IOAS_SET } from '../../../spec/abi/native.ts';
import { VFIO_SET_IOMMU } from '../../../spec/abi/vfio.ts';
import { STRUCT_OFFSET } from '../arena.ts';
import type { Label, Value } from '../program.ts';
import { testCall } from '../table-probes.ts';
import type { Dice } from '../values.ts';
import { drawAllowIovas } from './native.ts';
import type { Scene } from './scene.ts';

/** What an operation is about. */
export type Group =
  | 'table'
  | 'place'
  | 'compat'
  | 'domain'
  | 'access'
  | 'odd'
  | 'memory'
  | 'legacy'
  | 'other';

export type Theme = {
  /** How much more often than else operations of a group are drawn. */
  readonly weights: Readonly<Partial<Record<Group, number>>>;
  /** How many values in eight are drawn so that they serve. */
  readonly care: number;
  readonly begin: (scene: Scene) => void;
};

const TYPE1 = 1n;
const TYPE1V2 = 3n;

const open = (scene: Scene): Value => {
  const label = scene.draft.label('iommufd');
  scene.add({ op: 'open', label, path: '/dev/iommu' });
  return { from: label, out: 'result' };
};

const allocate = (scene: Scene, fd: Value): Value => {
  const label: Label = scene.draft.label('ioas');
  scene.add({
    op: 'ioctl',
    label,
    fd,
    command: numberOf('IOMMU_IOAS_ALLOC'),
    argument: {
      kind: 'struct',
      at: { arena: STRUCT_OFFSET },
      layout: 'IOMMU_IOAS_ALLOC',
      fields: { size: BigInt(IOMMU_IOAS_ALLOC.size) },
    },
  });
  return { from: label, out: 'out_ioas_id' };
};

const numberOf = (name: string): number =>
  NATIVE_CALLS.find((call) => call.name === name)?.command ?? 0;

const serveVfio = (scene: Scene, fd: Value, ioas: Value, type: bigint): void => {
  scene.add({
    op: 'ioctl',
    label: scene.draft.label('vfioIoas'),
    fd,
    command: numberOf('IOMMU_VFIO_IOAS'),
    argument: {
      kind: 'struct',
      at: { arena: STRUCT_OFFSET },
      layout: 'IOMMU_VFIO_IOAS',
      fields: { size: 12n, ioas_id: ioas, op: BigInt(VFIO_IOAS_SET) },
    },
  });
  scene.plain('setIommu', fd, VFIO_SET_IOMMU, type);
};

const attach = (scene: Scene, fd: Value, ioas: Value): void => {
  if (!scene.platform.mockDevices) return;
  scene.add(testCall(scene.draft.label('mock'), fd, 'MOCK_DOMAIN', { id: ioas }));
};

const maybeAttach = (scene: Scene, fd: Value, ioas: Value): void => {
  if (scene.dice.chance(1, 2)) attach(scene, fd, ioas);
};

const FREE: Theme = { weights: { odd: 2 }, care: 0, begin: () => {} };

/** VFIO's calls on an IOAS whose areas can be cut, with a domain or without. */
const CUTS: Theme = {
  weights: { compat: 3, odd: 0.3, memory: 0.3, access: 0.5 },
  care: 6,
  begin: (scene) => {
    const fd = open(scene);
    const ioas = allocate(scene, fd);
    serveVfio(scene, fd, ioas, scene.dice.chance(3, 4) ? TYPE1 : TYPE1V2);
    maybeAttach(scene, fd, ioas);
  },
};

/** Several domains that follow one or two tables. */
const DOMAINS: Theme = {
  weights: { domain: 2.5, table: 1.5, odd: 0.3, compat: 0.4 },
  care: 6,
  begin: (scene) => {
    const fd = open(scene);
    const ioas = allocate(scene, fd);
    if (scene.dice.chance(1, 2)) allocate(scene, fd);
    const domains = scene.dice.number(1, 3);
    for (let index = 0; index < domains; index += 1) attach(scene, fd, ioas);
  },
};

/** In-kernel users of a table, with a domain or without. */
const USERS: Theme = {
  weights: { access: 3, table: 1.5, odd: 0.3, compat: 0.3 },
  care: 6,
  begin: (scene) => {
    const fd = open(scene);
    const ioas = allocate(scene, fd);
    maybeAttach(scene, fd, ioas);
    scene.add(testCall(scene.draft.label('access'), fd, 'CREATE_ACCESS', { id: ioas, flags: 1n }));
  },
};

/** Memory that goes from table to table. */
const TABLES: Theme = {
  weights: { table: 3, odd: 0.5, compat: 0.3 },
  care: 5,
  begin: (scene) => {
    const fd = open(scene);
    const ioas = allocate(scene, fd);
    allocate(scene, fd);
    maybeAttach(scene, fd, ioas);
  },
};

/** Where something may be mapped, and where the kernel then chooses a place. */
const PLACES: Theme = {
  weights: { place: 2, table: 2, odd: 0.3, compat: 0.3, access: 0.5, memory: 0.3 },
  care: 5,
  begin: (scene) => {
    const fd = open(scene);
    const ioas = allocate(scene, fd);
    if (scene.dice.chance(1, 4)) attach(scene, fd, ioas);
    const [on] = scene.iommufds();
    if (on !== undefined && scene.dice.chance(3, 4)) drawAllowIovas(scene, on);
  },
};

const WITH_DEVICES: readonly Theme[] = [FREE, FREE, FREE, FREE, CUTS, TABLES, PLACES];
const WITH_MOCKS: readonly Theme[] = [FREE, FREE, CUTS, CUTS, DOMAINS, USERS, TABLES, PLACES];

/** Themes are about iommufds. Groups and devices are what a machine with devices is for. */
const themesFor = ({ paths, platform }: Scene): readonly Theme[] => {
  if (paths === 'legacy') return [FREE];
  return platform.devices.length > 0 ? WITH_DEVICES : WITH_MOCKS;
};

export const drawTheme = (scene: Scene, dice: Dice): Theme => dice.of(themesFor(scene));
