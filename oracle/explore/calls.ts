// SPDX-License-Identifier: MIT
// Makes the actions of action sets: structs are at the arena's first address, and fields that are not given are zero.

import { STRUCT_OFFSET } from '../../model/programs/arena.ts';
import type { Argument, Operation, Value, WordsInMemory } from '../../model/programs/program.ts';
import { NATIVE_CALLS, type NativeCallName } from '../../spec/abi/native.ts';
import { TEST_OPERATIONS, type TestOperationName } from '../../spec/abi/test.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import { type Action, action, type Handle } from './actions.ts';

export const PAGE = 4096n;
/** The greatest number of 64 bits, and the first byte of the last page. */
export const MOST = (1n << 64n) - 1n;
export const LAST_PAGE = MOST - PAGE + 1n;

const STRUCT: Value = { arena: STRUCT_OFFSET };

/** A value of a field, or the handle whose number it is. */
export type FieldValue = Value | { readonly handle: Handle };
export type Fields = Readonly<Record<string, FieldValue>>;

export type More = {
  readonly unless?: readonly Handle[];
  /** Handles that must exist besides those in the fields. */
  readonly needs?: readonly Handle[];
  readonly tail?: string;
  readonly also?: readonly WordsInMemory[];
};

const isHandle = (value: FieldValue): value is { readonly handle: Handle } =>
  typeof value === 'object' && 'handle' in value;

/** An action whose call is an ioctl with a struct. */
const structAction = (
  name: string,
  fd: Handle,
  command: number,
  layout: string,
  fields: Fields,
  { unless = [], needs = [], tail, also }: More,
): Action => {
  const named = Object.entries(fields).flatMap(([field, value]) =>
    isHandle(value) ? [[field, value.handle] as const] : [],
  );
  const handles = [fd, ...named.map(([, handle]) => handle)];
  const plain = Object.entries(fields).filter(
    (entry): entry is [string, Value] => !isHandle(entry[1]),
  );
  const rest = {
    ...(tail === undefined ? {} : { tail }),
    ...(also === undefined ? {} : { also }),
  };
  return action(
    name,
    [...handles, ...needs],
    (label, values) => ({
      op: 'ioctl',
      label,
      fd: values[0] as Value,
      command,
      argument: {
        kind: 'struct',
        at: STRUCT,
        layout,
        fields: {
          ...Object.fromEntries(plain),
          ...Object.fromEntries(named.map(([field], at) => [field, values[at + 1] as Value])),
        },
        ...rest,
      },
    }),
    unless,
  );
};

export const handle = (name: Handle): FieldValue => ({ handle: name });

const IOMMUFD: Handle = 'iommufd 1';

/** A native call on the first iommufd. */
export const native = (
  name: string,
  call: NativeCallName,
  fields: Fields,
  more: More = {},
): Action => {
  const found = NATIVE_CALLS.find((candidate) => candidate.name === call);
  if (found === undefined) throw new Error(`No native call is named ${call}.`);
  const size = BigInt(found.layout.size);
  return structAction(name, IOMMUFD, found.command, call, { size, ...fields }, more);
};

const TEST_COMMAND = 0x3ba0;

/** A test operation on the first iommufd. */
export const test = (
  name: string,
  operation: TestOperationName,
  fields: Fields,
  more: More = {},
): Action => {
  const found = TEST_OPERATIONS.find((candidate) => candidate.name === operation);
  if (found === undefined) throw new Error(`No test operation is named ${operation}.`);
  const header = { size: BigInt(found.layout.size), op: BigInt(found.op) };
  return structAction(name, IOMMUFD, TEST_COMMAND, operation, { ...header, ...fields }, more);
};

/** The number of a call, and its struct. */
const WITH_STRUCT = {
  VFIO_GROUP_GET_STATUS: [vfio.VFIO_GROUP_GET_STATUS, vfio.VFIO_GROUP_STATUS],
  VFIO_GROUP_SET_CONTAINER: [vfio.VFIO_GROUP_SET_CONTAINER, vfio.VFIO_CONTAINER_FD],
  VFIO_DEVICE_BIND_IOMMUFD: [vfio.VFIO_DEVICE_BIND_IOMMUFD, vfio.VFIO_DEVICE_BIND],
  VFIO_DEVICE_ATTACH_IOMMUFD_PT: [vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT, vfio.VFIO_DEVICE_ATTACH],
  VFIO_DEVICE_DETACH_IOMMUFD_PT: [vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT, vfio.VFIO_DEVICE_DETACH],
  VFIO_IOMMU_GET_INFO: [vfio.VFIO_IOMMU_GET_INFO, vfio.VFIO_IOMMU_TYPE1_INFO],
  VFIO_IOMMU_MAP_DMA: [vfio.VFIO_IOMMU_MAP_DMA, vfio.VFIO_IOMMU_TYPE1_DMA_MAP],
  VFIO_IOMMU_UNMAP_DMA: [vfio.VFIO_IOMMU_UNMAP_DMA, vfio.VFIO_IOMMU_TYPE1_DMA_UNMAP],
  'VFIO_IOMMU_UNMAP_DMA with bitmap': [
    vfio.VFIO_IOMMU_UNMAP_DMA,
    vfio.VFIO_IOMMU_TYPE1_DMA_UNMAP_BITMAP,
  ],
  VFIO_IOMMU_DIRTY_PAGES: [vfio.VFIO_IOMMU_DIRTY_PAGES, vfio.VFIO_IOMMU_TYPE1_DIRTY_BITMAP],
  'VFIO_IOMMU_DIRTY_PAGES with bitmap': [
    vfio.VFIO_IOMMU_DIRTY_PAGES,
    vfio.VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET,
  ],
} as const;

type WithStruct = keyof typeof WITH_STRUCT;

/** A VFIO call with a struct; `argsz` is the struct's size unless it is given. */
export const vfioCall = (
  name: string,
  fd: Handle,
  call: WithStruct,
  fields: Fields,
  more: More = {},
): Action => {
  const [command, layout] = WITH_STRUCT[call];
  const argsz = 'argsz' in layout.table ? { argsz: BigInt(layout.size) } : {};
  return structAction(name, fd, command, call, { ...argsz, ...fields }, more);
};

/** An ioctl whose argument is a number. */
export const plain = (name: string, fd: Handle, command: number, value: bigint): Action =>
  action(name, [fd], (label, [on]) => ({
    op: 'ioctl',
    label,
    fd: on as Value,
    command,
    argument: { kind: 'plain', value },
  }));

/** An ioctl with bytes. */
export const bytes = (
  name: string,
  fd: Handle,
  command: number,
  hex: string,
  unless: readonly Handle[] = [],
): Action => {
  const argument: Argument = { kind: 'bytes', at: STRUCT, hex };
  return action(
    name,
    [fd],
    (label, [on]): Operation => ({ op: 'ioctl', label, fd: on as Value, command, argument }),
    unless,
  );
};

export const open = (name: string, path: string, unless: Handle): Action =>
  action(name, [], (label) => ({ op: 'open', label, path }), [unless]);

export const close = (fd: Handle): Action =>
  action(`close ${fd}`, [fd], (label, [on]) => ({ op: 'close', label, fd: on as Value }));
