// SPDX-License-Identifier: MIT
// Generates states of devices that take many calls: devices of one group that move together, that
// two iommufds use, and that are attached by PASID.

import * as vfio from '../../spec/abi/vfio.ts';
import type { GenContext } from '../generate/gen-context.ts';
import { DATA_OFFSET } from '../programs/arena.ts';
import type { Value } from '../programs/program.ts';
import { mapMemory } from './areas-and-holes.ts';
import { allocate, open } from './first-calls.ts';

const PAGE = 4096n;
const LOW = 0x100_0000n;
const ATTACH = 'VFIO_DEVICE_ATTACH_IOMMUFD_PT';
const DETACH = 'VFIO_DEVICE_DETACH_IOMMUFD_PT';

const openFile = (gen: GenContext, number: number): Value => {
  const label = gen.builder.label('cdev');
  gen.add({ op: 'open', label, path: `/dev/vfio/devices/vfio${number}` });
  return { from: label, out: 'result' };
};

const bind = (gen: GenContext, device: Value, iommufd: Value): void => {
  const command = vfio.VFIO_DEVICE_BIND_IOMMUFD;
  const fields = { argsz: 16n, iommufd };
  gen.call('bind', device, { command, layout: 'VFIO_DEVICE_BIND_IOMMUFD', size: 16 }, fields);
};

const attachTo = (gen: GenContext, device: Value, target: Value, pasid?: bigint): void => {
  const more = pasid === undefined ? { argsz: 12n } : { argsz: 16n, flags: 1n, pasid };
  const command = vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT;
  gen.call('attach', device, { command, layout: ATTACH, size: 16 }, { ...more, pt_id: target });
};

const detach = (gen: GenContext, device: Value, pasid?: bigint): void => {
  const fields = pasid === undefined ? { argsz: 8n } : { argsz: 12n, flags: 1n, pasid };
  gen.call(
    'detach',
    device,
    { command: vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT, layout: DETACH, size: 12 },
    fields,
  );
};

/** The cdevs of two devices: mostly of one group, if a group has two. */
const twoFiles = ({ rng, platform: { devices } }: GenContext): readonly number[] => {
  const own = devices.filter(({ cdev, iommu }) => cdev !== undefined && iommu !== 'noiommu');
  const [first] = own.length === 0 ? [] : [rng.of(own)];
  if (first === undefined) return [];
  const paired = own.find(({ name, group }) =>
    own.some((other) => other.group === group && other.name !== name),
  );
  const chosen = paired !== undefined && rng.chance(3, 4) ? paired : first;
  const others = own.filter(({ name }) => name !== chosen.name);
  const siblings = others.filter(({ group }) => group === chosen.group);
  const second = siblings[0] ?? (others.length > 0 ? rng.of(others) : undefined);
  return [chosen, ...(second === undefined ? [] : [second])].flatMap(({ cdev }) => cdev ?? []);
};

/** A map at IOVAs that devices reserve: a device that comes later cannot attach to the table. */
const mapReserved = (gen: GenContext, fd: Value, table: Value): void => {
  const starts = gen.platform.devices.flatMap(({ reserved }) => reserved.map(({ start }) => start));
  if (starts.length > 0) mapMemory(gen, fd, table, DATA_OFFSET, PAGE, gen.rng.of(starts));
};

/** By PASID; a device without PASIDs may have only 0. */
const usePasids = (gen: GenContext, device: Value, tables: readonly Value[]): void => {
  const { rng } = gen;
  const pasids = [0n, 0n, 0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffean, 0xffff_ffffn];
  if (rng.chance(1, 2)) detach(gen, device);
  for (let count = rng.number(1, 4); count > 0; count -= 1) {
    if (rng.chance(1, 4)) detach(gen, device, rng.of(pasids));
    else attachTo(gen, device, rng.of(tables), rng.of(pasids));
  }
};

const close = (gen: GenContext, fd: Value): void =>
  gen.add({ op: 'close', label: gen.builder.label('close'), fd });

/** Makes the device read a few bytes, if programs may have transfers. */
const transfer = (gen: GenContext, device: Value): void => {
  if (!gen.makesTransfers) return;
  const label = gen.builder.label('transfer');
  gen.add({ op: 'dma', label, fd: device, direction: 'read', iova: LOW, length: 8 });
};

/** Two devices, two iommufds, and tables that some of them cannot attach to. */
export const beginHandOver = (gen: GenContext): void => {
  const { rng } = gen;
  const files = twoFiles(gen);
  const [here, there] = [open(gen), open(gen)];
  const tables = [allocate(gen, here), allocate(gen, here)];
  const beyond = allocate(gen, there);
  if (rng.chance(1, 2)) mapReserved(gen, here, tables[1] as Value);
  const devices = files.map((number) => openFile(gen, number));
  if (rng.chance(1, 2)) mapMemory(gen, here, tables[0] as Value, DATA_OFFSET, PAGE, LOW);
  for (const device of devices) {
    if (rng.chance(1, 6)) transfer(gen, device);
    const leaves = rng.chance(1, 5);
    bind(gen, device, leaves ? there : here);
    if (rng.chance(5, 6)) attachTo(gen, device, leaves ? beyond : (tables[0] as Value));
  }
  for (let count = rng.number(1, 4); count > 0; count -= 1) {
    const device = devices.length === 0 ? here : rng.of(devices);
    const kind = rng.number(1, 10);
    if (kind <= 4) attachTo(gen, device, rng.of(tables));
    else if (kind <= 5) detach(gen, device);
    else if (kind <= 6) usePasids(gen, device, tables);
    else if (kind <= 7) close(gen, device);
    else if (kind <= 8) transfer(gen, device);
    else if (kind <= 9) close(gen, here);
    else mapReserved(gen, here, rng.of(tables));
  }
  const [number] = files;
  if (number === undefined || rng.chance(1, 2)) return;
  const [first] = devices;
  if (first !== undefined) close(gen, first);
  const again = openFile(gen, number);
  const elsewhere = rng.chance(2, 3);
  bind(gen, again, elsewhere ? there : here);
  attachTo(gen, again, elsewhere ? beyond : rng.of(tables));
};
