// SPDX-License-Identifier: MIT
// Operations of programs that are written by hand. Descriptors and ids are named by the label of the operation that
// gave them.

import type { Label, Operation, Value, WordsInMemory } from '../../model/programs/program.ts';
import { NATIVE_CALLS, type NativeCallName } from '../../spec/abi/native.ts';
import { TEST_OPERATIONS, type TestOperationName } from '../../spec/abi/test.ts';
import {
  VFIO_CHECK_EXTENSION,
  VFIO_CONTAINER_FD,
  VFIO_DEVICE_ATTACH,
  VFIO_DEVICE_ATTACH_IOMMUFD_PT,
  VFIO_DEVICE_BIND,
  VFIO_DEVICE_BIND_IOMMUFD,
  VFIO_DEVICE_DETACH,
  VFIO_DEVICE_DETACH_IOMMUFD_PT,
  VFIO_GET_API_VERSION,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_STATUS,
  VFIO_GROUP_UNSET_CONTAINER,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_TYPE1_DIRTY_BITMAP,
  VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET,
  VFIO_IOMMU_TYPE1_DMA_MAP,
  VFIO_IOMMU_TYPE1_DMA_UNMAP,
  VFIO_IOMMU_TYPE1_DMA_UNMAP_BITMAP,
  VFIO_IOMMU_TYPE1_INFO,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
} from '../../spec/abi/vfio.ts';
import type { DmaDirection, Protection, StatusField } from '../../spec/terms/call.ts';

/** What an earlier operation gave in a field of its struct, or as its result. */
export const out = (from: Label, field = 'result'): Value => ({ from, out: field });

/** An address in the arena: bytes from its base. */
export const arena = (offset: bigint): Value => ({ arena: offset });

type Fields = Readonly<Record<string, Value>>;

/** How a struct differs from what it should be. */
export type Invalid = {
  readonly at?: Value;
  /** Bytes of the struct that are put in memory. */
  readonly length?: number;
  /** Hexadecimal bytes behind it. */
  readonly tail?: string;
  readonly also?: readonly WordsInMemory[];
};

/** A descriptor: a number, or the label of what opened it. */
export type Descriptor = bigint | Label | Value;

const descriptorValue = (fd: Descriptor): Value => (typeof fd === 'string' ? out(fd) : fd);

const withStruct = (
  label: Label,
  fd: Descriptor,
  command: number,
  layout: string,
  fields: Fields,
  { at = arena(0n), ...invalid }: Invalid,
): Operation => ({
  op: 'ioctl',
  label,
  fd: descriptorValue(fd),
  command,
  argument: { kind: 'struct', at, layout, fields, ...invalid },
});

export const open = (label: Label, path = '/dev/iommu'): Operation => ({ op: 'open', label, path });

export const close = (label: Label, fd: Descriptor): Operation => ({
  op: 'close',
  label,
  fd: descriptorValue(fd),
});

/** A native call; `size` is right unless it is given. */
export const native = (
  label: Label,
  fd: Descriptor,
  name: NativeCallName,
  fields: Fields,
  invalid: Invalid = {},
): Operation => {
  const call = NATIVE_CALLS.find((candidate) => candidate.name === name);
  if (call === undefined) throw new Error(`No native call is named ${name}.`);
  const size = BigInt(call.layout.size);
  return withStruct(label, fd, call.command, name, { size, ...fields }, invalid);
};

const TEST_COMMAND = 0x3ba0;

/** A test operation. */
export const test = (
  label: Label,
  fd: Descriptor,
  name: TestOperationName,
  fields: Fields,
  invalid: Invalid = {},
): Operation => {
  const operation = TEST_OPERATIONS.find((candidate) => candidate.name === name);
  if (operation === undefined) throw new Error(`No test operation is named ${name}.`);
  const { op, layout } = operation;
  const header = { size: BigInt(layout.size), op: BigInt(op) };
  return withStruct(label, fd, TEST_COMMAND, name, { ...header, ...fields }, invalid);
};

const WITH_STRUCT = {
  VFIO_GROUP_GET_STATUS: { command: VFIO_GROUP_GET_STATUS, layout: VFIO_GROUP_STATUS },
  VFIO_GROUP_SET_CONTAINER: { command: VFIO_GROUP_SET_CONTAINER, layout: VFIO_CONTAINER_FD },
  VFIO_DEVICE_BIND_IOMMUFD: { command: VFIO_DEVICE_BIND_IOMMUFD, layout: VFIO_DEVICE_BIND },
  VFIO_DEVICE_ATTACH_IOMMUFD_PT: {
    command: VFIO_DEVICE_ATTACH_IOMMUFD_PT,
    layout: VFIO_DEVICE_ATTACH,
  },
  VFIO_DEVICE_DETACH_IOMMUFD_PT: {
    command: VFIO_DEVICE_DETACH_IOMMUFD_PT,
    layout: VFIO_DEVICE_DETACH,
  },
  VFIO_IOMMU_GET_INFO: { command: VFIO_IOMMU_GET_INFO, layout: VFIO_IOMMU_TYPE1_INFO },
  VFIO_IOMMU_MAP_DMA: { command: VFIO_IOMMU_MAP_DMA, layout: VFIO_IOMMU_TYPE1_DMA_MAP },
  VFIO_IOMMU_UNMAP_DMA: { command: VFIO_IOMMU_UNMAP_DMA, layout: VFIO_IOMMU_TYPE1_DMA_UNMAP },
  'VFIO_IOMMU_UNMAP_DMA with bitmap': {
    command: VFIO_IOMMU_UNMAP_DMA,
    layout: VFIO_IOMMU_TYPE1_DMA_UNMAP_BITMAP,
  },
  VFIO_IOMMU_DIRTY_PAGES: {
    command: VFIO_IOMMU_DIRTY_PAGES,
    layout: VFIO_IOMMU_TYPE1_DIRTY_BITMAP,
  },
  'VFIO_IOMMU_DIRTY_PAGES with bitmap': {
    command: VFIO_IOMMU_DIRTY_PAGES,
    layout: VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET,
  },
} as const;

/** A VFIO call with a struct; `argsz` is right unless it is given. */
export const vfio = (
  label: Label,
  fd: Descriptor,
  name: keyof typeof WITH_STRUCT,
  fields: Fields,
  invalid: Invalid = {},
): Operation => {
  const { command, layout } = WITH_STRUCT[name];
  const argsz = 'argsz' in layout.table ? { argsz: BigInt(layout.size) } : {};
  return withStruct(label, fd, command, name, { ...argsz, ...fields }, invalid);
};

const WITH_NUMBER = {
  VFIO_GET_API_VERSION,
  VFIO_CHECK_EXTENSION,
  VFIO_SET_IOMMU,
  VFIO_GROUP_UNSET_CONTAINER,
} as const;

/** A VFIO call whose argument is a number. */
export const vfioPlain = (
  label: Label,
  fd: Descriptor,
  name: keyof typeof WITH_NUMBER,
  value: Value = 0n,
): Operation => ioctl(label, fd, WITH_NUMBER[name], value);

/** An ioctl with a plain argument. */
export const ioctl = (label: Label, fd: Descriptor, command: number, value: Value): Operation => ({
  op: 'ioctl',
  label,
  fd: descriptorValue(fd),
  command,
  argument: { kind: 'plain', value },
});

/** An ioctl with bytes at an address. */
export const ioctlBytes = (
  label: Label,
  fd: Descriptor,
  command: number,
  hex: string,
  at: Value = arena(0n),
): Operation => ({
  op: 'ioctl',
  label,
  fd: descriptorValue(fd),
  command,
  argument: { kind: 'bytes', at, hex },
});

const asHex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

export const getDeviceFd = (label: Label, group: Descriptor, name: string): Operation =>
  ioctlBytes(label, group, VFIO_GROUP_GET_DEVICE_FD, `${asHex(name)}00`);

export const mmap = (
  label: Label,
  offset: bigint,
  length: bigint,
  protection: Protection = 'read-write',
  backing: Extract<Operation, { op: 'mmap' }>['backing'] = { kind: 'anonymous' },
  shared = false,
): Operation => ({ op: 'mmap', label, offset, length, protection, shared, backing });

export const munmap = (label: Label, offset: bigint, length: bigint): Operation => ({
  op: 'munmap',
  label,
  offset,
  length,
});

export const memfd = (label: Label, length: bigint): Operation => ({ op: 'memfd', label, length });

/** A transfer by a device; `look` is the offset in the arena from which the result is read. */
export const dma = (
  label: Label,
  fd: Descriptor,
  direction: DmaDirection,
  iova: Value,
  length: number,
  look?: bigint,
): Operation => ({
  op: 'dma',
  label,
  fd: descriptorValue(fd),
  direction,
  iova,
  length,
  ...(look === undefined ? {} : { look }),
});

export const status = (label: Label, field: StatusField): Operation => ({
  op: 'status',
  label,
  field,
});

export const store = (label: Label, offset: bigint, hex: string): Operation => ({
  op: 'store',
  label,
  offset,
  hex,
});
