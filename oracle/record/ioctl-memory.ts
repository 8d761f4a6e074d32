// SPDX-License-Identifier: MIT
// The memory of an ioctl: the struct at its argument, the memory that the struct points at, and the range to map.

import { decode } from '../../spec/abi/layout.ts';
import * as native from '../../spec/abi/native.ts';
import { ACCESS_RW, TEST_OPERATIONS } from '../../spec/abi/test.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import { READ_MAX, type TraceeMemory } from './tracee-memory.ts';

/** Their argument is a value. */
const PLAIN = new Set<number>([
  vfio.VFIO_GET_API_VERSION,
  vfio.VFIO_CHECK_EXTENSION,
  vfio.VFIO_SET_IOMMU,
]);

const LEAST = 4;
const NAME_MOST = 256;

/** A device's name, with its zero byte. */
const nameAt = (memory: TraceeMemory, process: number, address: bigint): Uint8Array => {
  const bytes = memory.read(process, address, NAME_MOST);
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end + 1);
};

/** The struct, as many bytes as its first word says. Nothing where the argument is a value. */
export const structAt = (
  memory: TraceeMemory,
  process: number,
  command: number,
  address: bigint,
): Uint8Array | undefined => {
  if (PLAIN.has(command)) return undefined;
  if (command === vfio.VFIO_GROUP_GET_DEVICE_FD) return nameAt(memory, process, address);
  const first = memory.read(process, address, LEAST);
  // SET_CONTAINER's argument is a descriptor, and has no size.
  if (first.length < LEAST || command === vfio.VFIO_GROUP_SET_CONTAINER) return first;
  const size = new DataView(first.buffer, first.byteOffset).getUint32(0, true);
  return size <= LEAST ? first : memory.read(process, address, Math.min(size, READ_MAX));
};

export type Range = { readonly address: bigint; readonly length: number };

const POINTED_MOST = 4096;
const RANGE_SIZE = native.IOVA_RANGE.size;

const pointed = (address: bigint, length: number | bigint): Range | undefined =>
  BigInt(length) === 0n
    ? undefined
    : { address, length: length > POINTED_MOST ? POINTED_MOST : Number(length) };

const commandOf = (name: string): number =>
  native.NATIVE_CALLS.find((call) => call.name === name)?.command ?? 0;

const IOVA_RANGES = commandOf('IOMMU_IOAS_IOVA_RANGES');
const ALLOW_IOVAS = commandOf('IOMMU_IOAS_ALLOW_IOVAS');
const HWPT_ALLOC = commandOf('IOMMU_HWPT_ALLOC');
const TEST_COMMAND = commandOf('IOMMU_TEST_CMD');
const IOAS_MAP = commandOf('IOMMU_IOAS_MAP');
const IOAS_MAP_FILE = commandOf('IOMMU_IOAS_MAP_FILE');
const OPERATION_ACCESS_RW = TEST_OPERATIONS.find(({ name }) => name === 'ACCESS_RW')?.op;

/** The memory that the struct points at, if the judge uses it. */
export const pointedAt = (command: number, struct: Uint8Array): Range | undefined => {
  switch (command) {
    case IOVA_RANGES: {
      const { allowed_iovas, num_iovas } = decode(native.IOMMU_IOAS_IOVA_RANGES, struct);
      return pointed(allowed_iovas, num_iovas * RANGE_SIZE);
    }
    case ALLOW_IOVAS: {
      const { allowed_iovas, num_iovas } = decode(native.IOMMU_IOAS_ALLOW_IOVAS, struct);
      return pointed(allowed_iovas, num_iovas * RANGE_SIZE);
    }
    case HWPT_ALLOC: {
      const { data_uptr, data_len } = decode(native.IOMMU_HWPT_ALLOC, struct);
      return pointed(data_uptr, data_len);
    }
    case TEST_COMMAND: {
      if (decode(native.IOMMU_TEST_CMD, struct).op !== OPERATION_ACCESS_RW) return undefined;
      const { uptr, length } = decode(ACCESS_RW, struct);
      return pointed(uptr, length);
    }
    default:
      return undefined;
  }
};

/** The memory to map, both ends inclusive. */
export const toBeMapped = (
  command: number,
  struct: Uint8Array,
): { readonly start: bigint; readonly last: bigint } | undefined => {
  if (command !== IOAS_MAP && command !== vfio.VFIO_IOMMU_MAP_DMA) return undefined;
  const { start, length } =
    command === IOAS_MAP
      ? ((values) => ({ start: values.user_va, length: values.length }))(
          decode(native.IOMMU_IOAS_MAP, struct),
        )
      : ((values) => ({ start: values.vaddr, length: values.size }))(
          decode(vfio.VFIO_IOMMU_TYPE1_DMA_MAP, struct),
        );
  return length === 0n ? undefined : { start, last: start + length - 1n };
};

/** The descriptor of the file to map. */
export const fileToBeMapped = (command: number, struct: Uint8Array): number | undefined =>
  command === IOAS_MAP_FILE ? decode(native.IOMMU_IOAS_MAP_FILE, struct).fd : undefined;
