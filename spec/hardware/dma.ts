// SPDX-License-Identifier: MIT
// A transfer by a device, which shows what its domain translates. The device is QEMU's edu, which reads zeros where the
// IOMMU refuses an access.

import { PAGE_SIZE, PAGE_SIZE_BYTES } from '../abi/units.ts';
import { bytesAt, contentsOf, stored } from '../memory/contents.ts';
import { failed, type Outcome, succeeded } from '../outcome/outcome.ts';
import { deviceAt, hwptAt } from '../state/context.ts';
import type { DmaFault } from '../state/engines.ts';
import type { Memory } from '../state/memory.ts';
import { containerOf, contextOf, fileAt, openFile, type World } from '../state/world.ts';
import type { DmaCall, Segment } from '../terms/call.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { type Translated, translate } from './translate.ts';
import { reachesBar, translate as translateByType1 } from './translate-type1.ts';

export const dmaRules = rulesOf(
  { id: 'dma', title: 'DMA by a device', source: 'pread(2), pwrite(2)' },
  {
    badDescriptor: refuses('EBADF', 'The descriptor is not open.'),
    noEngine: refuses('ENODEV', 'The descriptor is not a bound device with a DMA engine.'),
    nothingRead: refuses(
      'ENODATA',
      'The device has read fewer bytes since the program started: what it would write is not known.',
    ),
    transfers: grants(
      'The domain translates every byte and permits the access: transfers all bytes.',
      'iommu_map() in drivers/iommu/iommu.c',
    ),
    faults: grants(
      'Bytes that the domain does not translate or permit stay, reads return zeros for them, and the IOMMU reports a fault. Transfers the rest.',
      'dmar_fault() in drivers/iommu/intel/dmar.c',
    ),
  },
);

/** The size of the device's buffer in bytes. */
export const ENGINE_BUFFER = 4096;
/** The end of the IOVAs that the device can use, exclusive. */
export const ENGINE_REACH = 1n << 48n;

type Chunk = {
  readonly iova: bigint;
  /** Bytes from the transfer's start. */
  readonly from: number;
  readonly length: number;
  /** What the IOVA translates to; undefined if the access is refused. */
  readonly to: Translated | undefined;
};

/** The domain of a device: its translation, and its smallest page size in bytes. */
type DeviceDomain = {
  readonly translate: (iova: bigint) => Translated | undefined;
  readonly granule: bigint;
};

/** The transfer in chunks, each within one entry of the domain. Without a domain all of it is refused. */
function* chunksOf(call: DmaCall, attached: DeviceDomain | undefined): Generator<Chunk> {
  const granule = attached?.granule ?? PAGE_SIZE_BYTES;
  for (let from = 0; from < call.length; ) {
    const iova = call.iova + BigInt(from);
    const found = attached?.translate(iova);
    const permitted = call.direction === 'read' ? found?.readable : found?.writable;
    const length = Math.min(
      call.length - from,
      Number(granule - (iova % granule)),
      Number(PAGE_SIZE_BYTES - (iova % PAGE_SIZE_BYTES)),
      PAGE_SIZE - (found?.offset ?? 0),
    );
    yield { iova, from, length, to: permitted === true ? found : undefined };
    from += length;
  }
}

const byteOffset = ({ page, offset }: Translated): bigint =>
  BigInt(page) * PAGE_SIZE_BYTES + BigInt(offset);

/** The bytes that the device reads. */
const read = (memory: Memory, chunks: readonly Chunk[], length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (const { from, length: count, to } of chunks) {
    if (to === undefined) continue;
    bytes.set(contentsOf(memory.stores, to.backing, byteOffset(to), count), from);
  }
  return bytes;
};

const written = (memory: Memory, chunks: readonly Chunk[], bytes: Uint8Array): Memory => {
  let after = memory;
  for (const { from, length, to } of chunks) {
    if (to === undefined) continue;
    after = stored(after, to.backing, byteOffset(to), bytes.slice(from, from + length));
  }
  return after;
};

const faultsOf = (device: string, call: DmaCall, chunks: readonly Chunk[]): readonly DmaFault[] => {
  const pages = chunks
    .filter(({ to }) => to === undefined)
    .map(({ iova }) => iova - (iova % PAGE_SIZE_BYTES));
  return [...new Set(pages)].map((page) => ({ device, direction: call.direction, page }));
};

/** The memory of the call after the transfer, if memory changed. */
const readBack = (before: Memory, after: Memory, call: DmaCall): readonly Segment[] =>
  before === after
    ? []
    : call.memory.map(({ address, bytes }) => ({
        address,
        bytes: bytesAt(after, call.process, address, bytes.length),
      }));

/** The legacy container of the device's group, which the group cannot leave while the device is open. */
const containerOfDevice = (world: World, name: string) => {
  const open = world.devices.get(name);
  const group = open?.kind === 'held' ? openFile(world, open.group) : undefined;
  return group?.kind === 'group' && group.container !== undefined
    ? { container: containerOf(world, group.container), group: group.group }
    : undefined;
};

const attachedDomain = (world: World, name: string): DeviceDomain | undefined => {
  const open = world.devices.get(name);
  if (open?.kind === 'bound') {
    const context = contextOf(world, open.iommufd);
    const hwpt = deviceAt(context, open.object)?.hwpt;
    if (hwpt === undefined) return undefined;
    const sizes = hwptAt(context, hwpt)?.domain.pageSizes ?? PAGE_SIZE_BYTES;
    return { translate: (iova) => translate(context, hwpt, iova), granule: sizes & -sizes };
  }
  const joined = containerOfDevice(world, name);
  if (joined === undefined) return undefined;
  const { container, group } = joined;
  return {
    translate: (iova) => translateByType1(container, group, iova),
    granule: PAGE_SIZE_BYTES,
  };
};

const transfer = (world: World, call: DmaCall, name: string): readonly Outcome[] => {
  const known = world.engines.buffers.get(name) ?? new Uint8Array();
  if (call.direction === 'write' && known.length < call.length) {
    return [failed(dmaRules.nothingRead, world)];
  }
  const chunks = [...chunksOf(call, attachedDomain(world, name))];
  const faults = faultsOf(name, call, chunks);
  const rule = faults.length === 0 ? dmaRules.transfers : dmaRules.faults;
  const engines = { ...world.engines, faults: [...world.engines.faults, ...faults] };
  if (call.direction === 'write') {
    const memory = written(world.memory, chunks, known);
    const writes = readBack(world.memory, memory, call);
    return [succeeded(rule, { ...world, engines, memory }, writes)];
  }
  const buffer = new Uint8Array(Math.max(known.length, call.length));
  buffer.set(known);
  buffer.set(read(world.memory, chunks, call.length));
  const buffers = new Map(world.engines.buffers).set(name, buffer);
  return [succeeded(rule, { ...world, engines: { ...engines, buffers } })];
};

/** Why the transfer is not specified; undefined if it is. */
const whyUnspecified = (world: World, call: DmaCall, name: string): string | undefined => {
  const { iova, length } = call;
  const last = iova + BigInt(length) - 1n;
  if (length < 1 || length > ENGINE_BUFFER || last >= ENGINE_REACH) {
    return 'a transfer that the device cannot make';
  }
  const reserved = world.setting.platform.devices.find((device) => device.name === name)?.reserved;
  if (reserved?.some((range) => iova <= range.last && last >= range.start) === true) {
    return 'a transfer that the IOMMU does not translate';
  }
  const open = world.devices.get(name);
  if (open?.kind === 'unbound') return 'a transfer that no IOMMU translates';
  const joined = containerOfDevice(world, name);
  if (joined !== undefined && reachesBar(joined.container, iova, last)) {
    return "a transfer to another device's BAR";
  }
  const isUntracked =
    joined?.container.untracked !== undefined ||
    (open?.kind === 'bound' && contextOf(world, open.iommufd).untracked !== undefined);
  return isUntracked ? 'a transfer through a domain that is not known' : undefined;
};

export const dma = (world: World, call: DmaCall): readonly Outcome[] => {
  const id = fileAt(world, call.process, call.fd);
  const file = id === undefined ? undefined : openFile(world, id);
  if (file === undefined) return [failed(dmaRules.badDescriptor, world)];
  const isBound = file.kind === 'device' || (file.kind === 'cdev' && file.bound);
  const device = isBound
    ? world.setting.platform.devices.find(({ name }) => name === file.name)
    : undefined;
  if (device?.dmaEngine === undefined || !world.devices.has(device.name)) {
    return [failed(dmaRules.noEngine, world)];
  }
  const what =
    file.kind === 'cdev' && file.attachedByPasid
      ? 'a transfer of a device that is attached as a PASID'
      : whyUnspecified(world, call, device.name);
  return what === undefined
    ? transfer(world, call, device.name)
    : [{ kind: 'unspecified', what, world: () => world }];
};
