// What takes many calls to come to with devices, drawn: devices of one group that move together, that two iommufds want,
// and that are attached by PASIDs.

import * as vfio from '../../../spec/abi/vfio.ts';
import { DATA_OFFSET } from '../arena.ts';
import type { Value } from '../program.ts';
import { mapMemory } from './deep-tables.ts';
import { allocate, open } from './first-calls.ts';
import type { Scene } from './scene.ts';

const PAGE = 4096n;
const LOW = 0x100_0000n;
const ATTACH = 'VFIO_DEVICE_ATTACH_IOMMUFD_PT';
const DETACH = 'VFIO_DEVICE_DETACH_IOMMUFD_PT';

const openFile = (scene: Scene, number: number): Value => {
  const label = scene.draft.label('cdev');
  scene.add({ op: 'open', label, path: `/dev/vfio/devices/vfio${number}` });
  return { from: label, out: 'result' };
};

const bind = (scene: Scene, device: Value, iommufd: Value): void => {
  const command = vfio.VFIO_DEVICE_BIND_IOMMUFD;
  const fields = { argsz: 16n, iommufd };
  scene.call('bind', device, command, 'VFIO_DEVICE_BIND_IOMMUFD', 16, fields);
};

const attachTo = (scene: Scene, device: Value, target: Value, pasid?: bigint): void => {
  const more = pasid === undefined ? { argsz: 12n } : { argsz: 16n, flags: 1n, pasid };
  const command = vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT;
  scene.call('attach', device, command, ATTACH, 16, { ...more, pt_id: target });
};

const detach = (scene: Scene, device: Value, pasid?: bigint): void => {
  const fields = pasid === undefined ? { argsz: 8n } : { argsz: 12n, flags: 1n, pasid };
  scene.call('detach', device, vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT, DETACH, 12, fields);
};

/** The files of two devices: of one group mostly, where a group has two. */
const twoFiles = ({ dice, platform: { devices } }: Scene): readonly number[] => {
  const own = devices.filter(({ cdev, iommu }) => cdev !== undefined && iommu !== 'noiommu');
  const [first] = own.length === 0 ? [] : [dice.of(own)];
  if (first === undefined) return [];
  const paired = own.find(({ name, group }) =>
    own.some((other) => other.group === group && other.name !== name),
  );
  const chosen = paired !== undefined && dice.chance(3, 4) ? paired : first;
  const others = own.filter(({ name }) => name !== chosen.name);
  const siblings = others.filter(({ group }) => group === chosen.group);
  const second = siblings[0] ?? (others.length > 0 ? dice.of(others) : undefined);
  return [chosen, ...(second === undefined ? [] : [second])].flatMap(({ cdev }) => cdev ?? []);
};

/** A map where devices reserve IOVAs: who comes later cannot follow the table. */
const mapReserved = (scene: Scene, fd: Value, table: Value): void => {
  const starts = scene.platform.devices.flatMap(({ reserved }) =>
    reserved.map(({ start }) => start),
  );
  if (starts.length > 0) mapMemory(scene, fd, table, DATA_OFFSET, PAGE, scene.dice.of(starts));
};

/** By a PASID, of which only 0 may be one that a device without any has. */
const usePasids = (scene: Scene, device: Value, tables: readonly Value[]): void => {
  const { dice } = scene;
  const pasids = [0n, 0n, 0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffean, 0xffff_ffffn];
  if (dice.chance(1, 2)) detach(scene, device);
  for (let count = dice.number(1, 4); count > 0; count -= 1) {
    if (dice.chance(1, 4)) detach(scene, device, dice.of(pasids));
    else attachTo(scene, device, dice.of(tables), dice.of(pasids));
  }
};

const close = (scene: Scene, fd: Value): void =>
  scene.add({ op: 'close', label: scene.draft.label('close'), fd });

/** Has the device read a few bytes, if programs may have it do that. */
const transfer = (scene: Scene, device: Value): void => {
  if (!scene.makesTransfers) return;
  const label = scene.draft.label('transfer');
  scene.add({ op: 'dma', label, fd: device, direction: 'read', iova: LOW, length: 8 });
};

/** Two devices, two iommufds, and tables that some of them cannot follow. */
export const beginHandOver = (scene: Scene): void => {
  const { dice } = scene;
  const files = twoFiles(scene);
  const [here, there] = [open(scene), open(scene)];
  const tables = [allocate(scene, here), allocate(scene, here)];
  const beyond = allocate(scene, there);
  if (dice.chance(1, 2)) mapReserved(scene, here, tables[1] as Value);
  const devices = files.map((number) => openFile(scene, number));
  if (dice.chance(1, 2)) mapMemory(scene, here, tables[0] as Value, DATA_OFFSET, PAGE, LOW);
  for (const device of devices) {
    if (dice.chance(1, 6)) transfer(scene, device);
    const leaves = dice.chance(1, 5);
    bind(scene, device, leaves ? there : here);
    if (dice.chance(5, 6)) attachTo(scene, device, leaves ? beyond : (tables[0] as Value));
  }
  for (let count = dice.number(1, 4); count > 0; count -= 1) {
    const device = devices.length === 0 ? here : dice.of(devices);
    const kind = dice.number(1, 10);
    if (kind <= 4) attachTo(scene, device, dice.of(tables));
    else if (kind <= 5) detach(scene, device);
    else if (kind <= 6) usePasids(scene, device, tables);
    else if (kind <= 7) close(scene, device);
    else if (kind <= 8) transfer(scene, device);
    else if (kind <= 9) close(scene, here);
    else mapReserved(scene, here, dice.of(tables));
  }
  const [number] = files;
  if (number === undefined || dice.chance(1, 2)) return;
  const [first] = devices;
  if (first !== undefined) close(scene, first);
  const again = openFile(scene, number);
  const elsewhere = dice.chance(2, 3);
  bind(scene, again, elsewhere ? there : here);
  attachTo(scene, again, elsewhere ? beyond : dice.of(tables));
};
