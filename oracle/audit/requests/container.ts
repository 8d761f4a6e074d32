// SPDX-License-Identifier: MIT
// Requests to a container other than maps and unmaps.

import {
  DATA_LENGTH,
  DATA_OFFSET,
  READ_ONLY_STRUCT_OFFSET,
  STRUCT_LENGTH,
  STRUCT_OFFSET,
} from '../../../model/programs/arena.ts';
import type { Operation, Value } from '../../../model/programs/program.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import {
  VFIO_CHECK_EXTENSION,
  VFIO_GET_API_VERSION,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_UNSET_CONTAINER,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_DISABLE,
  VFIO_IOMMU_ENABLE,
  VFIO_IOMMU_GET_INFO,
  VFIO_SET_IOMMU,
} from '../../../spec/abi/vfio.ts';
import { ARRAY, ioctl, plain, STRUCT, UNWRITABLE_BITMAPS } from './make.ts';
import { MAPPED_IOVA, MAPPED_PAGES } from './mappings.ts';

const PAGE = 4096n;
/** Bytes of GET_INFO's buffer. */
const ROOM = 128;
const INFO_SIZE = 24;
/** Each byte of the buffer after the struct, before the call. */
export const UNTOUCHED = 0xaa;

const EXTENSIONS: readonly bigint[] = [
  ...Array.from({ length: 13 }, (_, number) => BigInt(number)),
  0x1_0000_0001n,
  0x1_0000_0003n,
  U64_MAX,
];

const INFO_ARGSZ: readonly bigint[] = [
  ...[0, 8, 15, 16, 17, 20, 23, 24, 25, 32, 36, 39, 40, 47, 48, 56, 60, 64, 71, 72, 80],
  ...[87, 88, 95, 96, 104, 111, 112, 120, 128, 0xffff_ffff],
].map(BigInt);

/** The last eight bytes of the memory for structs. */
const END_OF_STRUCTS: Value = { arena: STRUCT_OFFSET + STRUCT_LENGTH - 8n };

const INFO_ADDRESSES: readonly Value[] = [
  0n,
  { arena: READ_ONLY_STRUCT_OFFSET },
  // The memory ends within the struct or within the capabilities.
  ...[8n, 16n, 24n, 40n, 60n, 72n, 88n, 104n].map((left) => ({
    arena: STRUCT_OFFSET + STRUCT_LENGTH - left,
  })),
];

const info = (container: Value, at: Value, argsz: bigint): Operation =>
  ioctl('info', container, VFIO_IOMMU_GET_INFO, {
    kind: 'struct',
    at,
    layout: 'VFIO_IOMMU_GET_INFO',
    fields: { argsz, flags: 0xffff_fff0n, cap_offset: 0xbbbb_bbbbn },
    tail: UNTOUCHED.toString(16).repeat(ROOM - INFO_SIZE),
  });

function* infoRequests(container: Value): Generator<Operation> {
  for (const argsz of INFO_ARGSZ) yield info(container, STRUCT, argsz);
  for (const at of INFO_ADDRESSES) {
    for (const argsz of [16n, 24n, 80n, 128n]) yield info(container, at, argsz);
  }
}

/** struct vfio_iommu_type1_dirty_bitmap_get: iova, size, and the bitmap's page size, length in bytes and address. */
const range = (
  iova: bigint,
  size: bigint,
  pageSize: bigint,
  bytes: bigint,
  bitmap: Value = ARRAY,
): readonly Value[] => [iova, size, pageSize, bytes, bitmap];

export const dirty = (
  container: Value,
  flags: bigint,
  argsz: bigint,
  words?: readonly Value[],
  at: Value = STRUCT,
): Operation =>
  ioctl('dirty', container, VFIO_IOMMU_DIRTY_PAGES, {
    kind: 'struct',
    at,
    layout: 'VFIO_IOMMU_DIRTY_PAGES',
    fields: { argsz, flags },
    ...(words === undefined ? {} : { also: [{ at: { arena: STRUCT_OFFSET + 8n }, words }] }),
  });

export const START = 1n;
const STOP = 2n;
const GET = 4n;

function* dirtyRequests(container: Value): Generator<Operation> {
  for (const flags of [START, STOP, GET, 0n, 3n, 5n, 6n, 7n, 8n]) {
    for (const argsz of [8n, 0n, 7n, 9n, 47n, 48n, 0xffff_ffffn])
      yield dirty(container, flags, argsz);
  }
  for (const at of [0n, END_OF_STRUCTS]) {
    for (const flags of [START, GET]) yield dirty(container, flags, 48n, undefined, at);
  }
  const size = MAPPED_PAGES * PAGE;
  for (const iova of [MAPPED_IOVA, MAPPED_IOVA + PAGE, 0n, MAPPED_IOVA + 1n, U64_MAX - PAGE + 1n]) {
    for (const length of [size, PAGE, 2n * size, 0n, 1n, U64_MAX - PAGE + 1n]) {
      yield dirty(container, GET, 48n, range(iova, length, PAGE, 8n));
    }
  }
  for (const pageSize of [0n, 0x800n, 2n * PAGE, PAGE + 1n]) {
    yield dirty(container, GET, 48n, range(MAPPED_IOVA, size, pageSize, 8n));
  }
  for (const bytes of [0n, 7n, 16n, U64_MAX]) {
    yield dirty(container, GET, 48n, range(MAPPED_IOVA, size, PAGE, bytes));
  }
  for (const bitmap of UNWRITABLE_BITMAPS) {
    yield dirty(container, GET, 48n, range(MAPPED_IOVA, size, PAGE, 8n, bitmap));
  }
}

/** Native iommufd calls: programs may use them to find out which container they have. */
const IOMMU_DESTROY = 0x3b80;
const IOMMU_IOAS_ALLOC = 0x3b81;
const IOMMU_OPTION = 0x3b87;
const IOMMU_VFIO_IOAS = 0x3b88;

const NATIVE: readonly (readonly [number, string, number])[] = [
  [IOMMU_DESTROY, 'IOMMU_DESTROY', 8],
  [IOMMU_IOAS_ALLOC, 'IOMMU_IOAS_ALLOC', 12],
  [IOMMU_OPTION, 'IOMMU_OPTION', 24],
  [IOMMU_VFIO_IOAS, 'IOMMU_VFIO_IOAS', 12],
];

const OTHER: readonly number[] = [
  VFIO_IOMMU_ENABLE,
  VFIO_IOMMU_DISABLE,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_UNSET_CONTAINER,
  VFIO_GROUP_GET_DEVICE_FD,
  0x3b6b,
  0x3b76,
  0x3b77,
  0x3b79,
  0x3b7f,
  0x3b00,
  0x3bff,
];

/** Unused numbers between and after those of native calls. */
const UNUSED: readonly number[] = [0x3b96, 0x3b9f, 0x3bff];

/** An mmap of the descriptor at a free address. */
const mapped = (container: Value, shared: boolean): Operation => ({
  op: 'mmap',
  label: 'mapped',
  offset: DATA_OFFSET + DATA_LENGTH,
  length: PAGE,
  protection: 'read',
  shared,
  backing: { kind: 'memfd', fd: container, offset: 0n },
});

/** Native calls that the ioctl dispatch refuses because of the struct's size. */
function* dispatchRequests(container: Value): Generator<Operation> {
  yield plain('native', container, IOMMU_DESTROY, 0n);
  for (const size of [0n, 7n, 16n]) {
    yield ioctl('native', container, IOMMU_DESTROY, {
      kind: 'struct',
      at: STRUCT,
      layout: 'IOMMU_DESTROY',
      fields: { size },
      also: [{ at: { arena: STRUCT_OFFSET + 8n }, words: [1n] }],
    });
  }
}

/** Every request to a container other than maps and unmaps. */
export function* containerRequests(container: Value): Generator<Operation> {
  for (const value of [0n, 1n, U64_MAX]) {
    yield plain('version', container, VFIO_GET_API_VERSION, value);
  }
  for (const extension of EXTENSIONS) {
    yield plain('extension', container, VFIO_CHECK_EXTENSION, extension);
  }
  for (const type of EXTENSIONS) yield plain('setIommu', container, VFIO_SET_IOMMU, type);
  yield* infoRequests(container);
  yield* dirtyRequests(container);
  for (const command of OTHER) yield plain('other', container, command, STRUCT);
  for (const command of UNUSED) {
    for (const address of [STRUCT, 0n]) yield plain('other', container, command, address);
  }
  for (const shared of [false, true]) yield mapped(container, shared);
  for (const [command, layout, size] of NATIVE) {
    yield ioctl('native', container, command, {
      kind: 'struct',
      at: STRUCT,
      layout,
      fields: { size: BigInt(size) },
    });
  }
  yield* dispatchRequests(container);
}
