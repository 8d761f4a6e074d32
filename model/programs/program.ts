// SPDX-License-Identifier: MIT
// Programs as plain data: operations with symbolic handles, because ids, descriptors and addresses
// exist only when a program runs. A handle names the label of the operation that returned it, so
// that removing another operation does not change it.

import type { Layout } from '../../spec/abi/layout.ts';
import { NATIVE_CALLS } from '../../spec/abi/native.ts';
import { TEST_OPERATIONS } from '../../spec/abi/test.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import type { DmaDirection, Protection, StatusField } from '../../spec/terms/call.ts';

/** Identifies an operation within its program. */
export type Label = string;

/**
 * An output of an earlier operation: its result, or a field that the kernel wrote. 0 if there is
 * none.
 */
export type ResultOf = { readonly from: Label; readonly out: string };
/** An address in the program's arena, in bytes from its base; may lie outside it. */
export type ArenaOffset = { readonly arena: bigint };
export type Value = bigint | ResultOf | ArenaOffset;

/** Words of 8 bytes, stored one after the other at an address before the call. */
export type WordsInMemory = { readonly at: Value; readonly words: readonly Value[] };

export type Argument =
  /** A number, or an address at which nothing is stored. */
  | { readonly kind: 'plain'; readonly value: Value }
  /** A struct of the ABI at an address: missing fields are zero. */
  | {
      readonly kind: 'struct';
      readonly at: Value;
      readonly layout: string;
      readonly fields: Readonly<Record<string, Value>>;
      /** How many bytes of it are stored; the struct's size by default. */
      readonly length?: number;
      /** Bytes after the struct, hexadecimal. */
      readonly tail?: string;
      readonly also?: readonly WordsInMemory[];
    }
  /** Raw bytes, hexadecimal. */
  | { readonly kind: 'bytes'; readonly at: Value; readonly hex: string };

export type Operation =
  | { readonly op: 'open'; readonly label: Label; readonly path: string }
  | { readonly op: 'close'; readonly label: Label; readonly fd: Value }
  | {
      readonly op: 'ioctl';
      readonly label: Label;
      readonly fd: Value;
      readonly command: number;
      readonly argument: Argument;
    }
  | { readonly op: 'memfd'; readonly label: Label; readonly length: bigint }
  | {
      readonly op: 'mmap';
      readonly label: Label;
      /** Arena offset and length in bytes, whole pages. */
      readonly offset: bigint;
      readonly length: bigint;
      readonly protection: Protection;
      readonly shared: boolean;
      readonly backing:
        | { readonly kind: 'anonymous' }
        | { readonly kind: 'device' }
        | { readonly kind: 'huge' }
        | { readonly kind: 'memfd'; readonly fd: Value; readonly offset: bigint };
    }
  | {
      readonly op: 'munmap';
      readonly label: Label;
      readonly offset: bigint;
      readonly length: bigint;
    }
  /** The program's own store, hexadecimal bytes at an arena offset. */
  | { readonly op: 'store'; readonly label: Label; readonly offset: bigint; readonly hex: string }
  /** A transfer by the device of the descriptor. */
  | {
      readonly op: 'dma';
      readonly label: Label;
      readonly fd: Value;
      readonly direction: DmaDirection;
      readonly iova: Value;
      /** Bytes, at most 4096. */
      readonly length: number;
      /**
       * Arena offset of as many bytes, which are read before and after the transfer; none by
       * default.
       */
      readonly look?: bigint;
    }
  /** A line of /proc/self/status. */
  | { readonly op: 'status'; readonly label: Label; readonly field: StatusField };

export type Program = readonly Operation[];

const named: readonly (readonly [string, Layout])[] = [
  ...NATIVE_CALLS.map((call) => [call.name, call.layout] as const),
  ...TEST_OPERATIONS.map((operation) => [operation.name, operation.layout] as const),
  ['VFIO_GROUP_GET_STATUS', vfio.VFIO_GROUP_STATUS],
  ['VFIO_GROUP_SET_CONTAINER', vfio.VFIO_CONTAINER_FD],
  ['VFIO_DEVICE_BIND_IOMMUFD', vfio.VFIO_DEVICE_BIND],
  ['VFIO_DEVICE_ATTACH_IOMMUFD_PT', vfio.VFIO_DEVICE_ATTACH],
  ['VFIO_DEVICE_DETACH_IOMMUFD_PT', vfio.VFIO_DEVICE_DETACH],
  ['VFIO_IOMMU_GET_INFO', vfio.VFIO_IOMMU_TYPE1_INFO],
  ['VFIO_IOMMU_MAP_DMA', vfio.VFIO_IOMMU_TYPE1_DMA_MAP],
  ['VFIO_IOMMU_UNMAP_DMA', vfio.VFIO_IOMMU_TYPE1_DMA_UNMAP],
  ['VFIO_IOMMU_UNMAP_DMA with bitmap', vfio.VFIO_IOMMU_TYPE1_DMA_UNMAP_BITMAP],
  ['VFIO_IOMMU_DIRTY_PAGES', vfio.VFIO_IOMMU_TYPE1_DIRTY_BITMAP],
  ['VFIO_IOMMU_DIRTY_PAGES with bitmap', vfio.VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET],
];

/** The struct that an operation may refer to: of a native call, a test operation or a VFIO call. */
export const LAYOUTS: ReadonlyMap<string, Layout> = new Map(named);
