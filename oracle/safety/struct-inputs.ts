// SPDX-License-Identifier: MIT
// The inputs in a call's struct that the kernel follows: pointers into the program's memory, and descriptors. The
// subject reads them before the call, refuses those that are not the program's, and so knows which memory the call
// may change.

import type { Layout } from '../../spec/abi/layout.ts';
import { NATIVE_CALLS } from '../../spec/abi/native.ts';
import { TEST_OPERATIONS, type TestOperationName } from '../../spec/abi/test.ts';
import * as vfio from '../../spec/abi/vfio.ts';

/** How many bytes the kernel writes at a pointer: none, an unknown count, or a field of 32 bits times a unit. */
export type Written = 'nothing' | 'unknown' | { readonly countAt: number; readonly unit: number };

export type Pointer = {
  readonly offset: number;
  readonly written: Written;
  /** Bits of the struct's second word without which the pointer is not read. */
  readonly flag: number | undefined;
};

export type StructInputs = {
  readonly pointers: readonly Pointer[];
  /** Offsets of descriptors that the kernel resolves. */
  readonly descriptors: readonly number[];
  /** The offset of the length of the memory that the first pointer makes reachable by IOVA. */
  readonly mappedLength: number | undefined;
};

const OUTPUT = /^out_/;

/** Calls that write through their pointer; all others only read. */
const WRITTEN: Readonly<Record<string, Written>> = {
  IOMMU_IOAS_IOVA_RANGES: { countAt: 8, unit: 16 },
  IOMMU_GET_HW_INFO: { countAt: 12, unit: 1 },
  IOMMU_HWPT_GET_DIRTY_BITMAP: 'unknown',
  IOMMU_VIOMMU_ALLOC: { countAt: 24, unit: 1 },
  ACCESS_RW: { countAt: 24, unit: 1 },
};

const IOAS_MAP_LENGTH = 24;
/** The dirty bitmap's pointer: the same offset in VFIO_IOMMU_UNMAP_DMA and _DIRTY_PAGES. */
const bitmap = (flag: number): Pointer => ({ offset: 40, written: 'unknown', flag });
const DIRTY_PAGES_FLAG_GET_BITMAP = 4;

const inputsOf = (name: string, layout: Layout): StructInputs => ({
  pointers: layout.fields
    .filter(({ kind }) => kind === 'address')
    .map(({ offset }) => ({ offset, written: WRITTEN[name] ?? 'nothing', flag: undefined })),
  descriptors: layout.fields
    .filter((field) => field.kind === 'fd' && !OUTPUT.test(field.name))
    .map(({ offset }) => offset),
  mappedLength: name === 'IOMMU_IOAS_MAP' ? IOAS_MAP_LENGTH : undefined,
});

const only = (given: Partial<StructInputs>): StructInputs => ({
  pointers: [],
  descriptors: [],
  mappedLength: undefined,
  ...given,
});

const isEmpty = ({ pointers, descriptors }: StructInputs): boolean =>
  pointers.length === 0 && descriptors.length === 0;

const all: readonly (readonly [number, StructInputs])[] = [
  ...NATIVE_CALLS.map(({ command, name, layout }) => [command, inputsOf(name, layout)] as const),
  [
    vfio.VFIO_IOMMU_MAP_DMA,
    only({ pointers: [{ offset: 8, written: 'nothing', flag: undefined }], mappedLength: 24 }),
  ],
  [
    vfio.VFIO_IOMMU_UNMAP_DMA,
    only({ pointers: [bitmap(vfio.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP)] }),
  ],
  [vfio.VFIO_IOMMU_DIRTY_PAGES, only({ pointers: [bitmap(DIRTY_PAGES_FLAG_GET_BITMAP)] })],
  [vfio.VFIO_GROUP_SET_CONTAINER, only({ descriptors: [0] })],
  [
    vfio.VFIO_DEVICE_BIND_IOMMUFD,
    only({
      pointers: [{ offset: 16, written: 'nothing', flag: vfio.VFIO_DEVICE_BIND_FLAG_TOKEN }],
      descriptors: [8],
    }),
  ],
];

/** By the command's low byte; undefined if a struct has neither pointers nor descriptors. */
const commandInputs: readonly (StructInputs | undefined)[] = (() => {
  const table: (StructInputs | undefined)[] = new Array(256).fill(undefined);
  for (const [command, inputs] of all) {
    if (!isEmpty(inputs)) table[command & 0xff] = inputs;
  }
  return table;
})();

const testInputs: readonly (StructInputs | undefined)[] = (() => {
  const table: (StructInputs | undefined)[] = [];
  for (const { op, name, layout } of TEST_OPERATIONS) {
    const inputs = inputsOf(name, layout);
    table[op] = isEmpty(inputs) ? undefined : inputs;
  }
  return table;
})();

export const TEST_COMMAND = 0x3ba0;

/** `operation` is the struct's second word, which says what a test command does. */
export const inputsOfCall = (command: number, operation: number): StructInputs | undefined =>
  command === TEST_COMMAND ? testInputs[operation >>> 0] : commandInputs[command & 0xff];

export const testOperation = (name: TestOperationName): number => {
  const found = TEST_OPERATIONS.find((operation) => operation.name === name);
  if (found === undefined) throw new Error(`No test operation is called ${name}.`);
  return found.op;
};
