// SPDX-License-Identifier: MIT
// The name of an ioctl and the kind of its argument. The same number is another call on another kind of file, so the
// descriptor's file decides.

import { decode, type Layout } from '../../spec/abi/layout.ts';
import { IOMMU_TEST_CMD, NATIVE_CALLS } from '../../spec/abi/native.ts';
import { TEST_OPERATIONS } from '../../spec/abi/test.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import type { OpenFile } from '../../spec/state/world.ts';

export type CallShape = {
  /** "IOMMU_IOAS_MAP", "IOMMU_TEST_CMD MOCK_DOMAIN", "ioctl 0x3bff". */
  readonly name: string;
  /** The struct at the argument; absent if the argument is not the address of a struct, or the call is not known. */
  readonly layout?: Layout;
  /** The kind of the argument. */
  readonly argument: 'struct' | 'value' | 'text' | 'unused' | 'unknown';
  /** A call of a legacy container: its GET_INFO reports other capabilities. */
  readonly legacy?: true;
};

const structs = (
  table: readonly (readonly [number, string, Layout])[],
): readonly (readonly [number, CallShape])[] =>
  table.map(([command, name, layout]) => [command, { name, layout, argument: 'struct' }]);

const CONTAINER_CALLS: ReadonlyMap<number, CallShape> = new Map([
  [vfio.VFIO_GET_API_VERSION, { name: 'VFIO_GET_API_VERSION', argument: 'unused' }],
  [vfio.VFIO_CHECK_EXTENSION, { name: 'VFIO_CHECK_EXTENSION', argument: 'value' }],
  [vfio.VFIO_SET_IOMMU, { name: 'VFIO_SET_IOMMU', argument: 'value' }],
  ...structs([
    [vfio.VFIO_IOMMU_GET_INFO, 'VFIO_IOMMU_GET_INFO', vfio.VFIO_IOMMU_TYPE1_INFO],
    [vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA', vfio.VFIO_IOMMU_TYPE1_DMA_MAP],
    [vfio.VFIO_IOMMU_UNMAP_DMA, 'VFIO_IOMMU_UNMAP_DMA', vfio.VFIO_IOMMU_TYPE1_DMA_UNMAP],
    [vfio.VFIO_IOMMU_DIRTY_PAGES, 'VFIO_IOMMU_DIRTY_PAGES', vfio.VFIO_IOMMU_TYPE1_DIRTY_BITMAP],
  ]),
  [vfio.VFIO_IOMMU_ENABLE, { name: 'VFIO_IOMMU_ENABLE', argument: 'unused' }],
  [vfio.VFIO_IOMMU_DISABLE, { name: 'VFIO_IOMMU_DISABLE', argument: 'unused' }],
]);

const GROUP_CALLS: ReadonlyMap<number, CallShape> = new Map([
  ...structs([
    [vfio.VFIO_GROUP_GET_STATUS, 'VFIO_GROUP_GET_STATUS', vfio.VFIO_GROUP_STATUS],
    [vfio.VFIO_GROUP_SET_CONTAINER, 'VFIO_GROUP_SET_CONTAINER', vfio.VFIO_CONTAINER_FD],
  ]),
  [
    vfio.VFIO_GROUP_UNSET_CONTAINER,
    { name: 'VFIO_GROUP_UNSET_CONTAINER', argument: 'unused' } as const,
  ],
  [vfio.VFIO_GROUP_GET_DEVICE_FD, { name: 'VFIO_GROUP_GET_DEVICE_FD', argument: 'text' } as const],
]);

const DEVICE_CALLS: ReadonlyMap<number, CallShape> = new Map([
  [0x3b6b, { name: 'VFIO_DEVICE_GET_INFO', argument: 'unknown' }],
  [0x3b6c, { name: 'VFIO_DEVICE_GET_REGION_INFO', argument: 'unknown' }],
  [0x3b6d, { name: 'VFIO_DEVICE_GET_IRQ_INFO', argument: 'unknown' }],
  [0x3b6e, { name: 'VFIO_DEVICE_SET_IRQS', argument: 'unknown' }],
  [0x3b6f, { name: 'VFIO_DEVICE_RESET', argument: 'unknown' }],
  [0x3b70, { name: 'VFIO_DEVICE_GET_PCI_HOT_RESET_INFO', argument: 'unknown' }],
  [0x3b71, { name: 'VFIO_DEVICE_PCI_HOT_RESET', argument: 'unknown' }],
  ...structs([
    [vfio.VFIO_DEVICE_BIND_IOMMUFD, 'VFIO_DEVICE_BIND_IOMMUFD', vfio.VFIO_DEVICE_BIND],
    [vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT, 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', vfio.VFIO_DEVICE_ATTACH],
    [vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT, 'VFIO_DEVICE_DETACH_IOMMUFD_PT', vfio.VFIO_DEVICE_DETACH],
  ]),
]);

const unknownCall = (command: number): CallShape => ({
  name: `ioctl 0x${command.toString(16)}`,
  argument: 'unknown',
});

const WITH_BITMAP: ReadonlyMap<number, readonly [flag: number, shape: CallShape]> = new Map([
  [
    vfio.VFIO_IOMMU_UNMAP_DMA,
    [
      vfio.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
      {
        name: 'VFIO_IOMMU_UNMAP_DMA',
        layout: vfio.VFIO_IOMMU_TYPE1_DMA_UNMAP_BITMAP,
        argument: 'struct',
      },
    ],
  ],
  [
    vfio.VFIO_IOMMU_DIRTY_PAGES,
    [
      vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
      {
        name: 'VFIO_IOMMU_DIRTY_PAGES',
        layout: vfio.VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET,
        argument: 'struct',
      },
    ],
  ],
]);

/** A call of a legacy container: a bitmap follows the struct if a flag says so, and there are no native calls. */
const legacyCall = (command: number, bytes: Uint8Array): CallShape => {
  const [flag, shape] = WITH_BITMAP.get(command) ?? [];
  const { flags } = decode(vfio.VFIO_IOMMU_TYPE1_DIRTY_BITMAP, bytes);
  const known =
    flag !== undefined && shape !== undefined && (flags & flag) !== 0
      ? shape
      : (CONTAINER_CALLS.get(command) ?? unknownCall(command));
  return { ...known, legacy: true };
};

const nativeByNumber = new Map(NATIVE_CALLS.map((call) => [call.command, call]));
const testByNumber = new Map(TEST_OPERATIONS.map((operation) => [operation.op, operation]));

const testCall = (bytes: Uint8Array): CallShape => {
  const { op } = decode(IOMMU_TEST_CMD, bytes);
  const operation = testByNumber.get(op);
  return operation === undefined
    ? { name: `IOMMU_TEST_CMD ${op}`, layout: IOMMU_TEST_CMD, argument: 'struct' }
    : { name: `IOMMU_TEST_CMD ${operation.name}`, layout: operation.layout, argument: 'struct' };
};

const containerCall = (command: number, bytes: Uint8Array): CallShape => {
  const native = nativeByNumber.get(command);
  if (native?.name === 'IOMMU_TEST_CMD') return testCall(bytes);
  if (native !== undefined) {
    return { name: native.name, layout: native.layout, argument: 'struct' };
  }
  return CONTAINER_CALLS.get(command) ?? unknownCall(command);
};

/**
 * The shape of a call. `file` is the descriptor's file; if it is not known, the number is that of an iommufd or a
 * container. `bytes` are at the argument.
 */
export const shapeOf = (
  file: OpenFile | undefined,
  command: number,
  bytes: Uint8Array,
): CallShape => {
  const onDevice =
    file?.kind === 'device' ||
    file?.kind === 'cdev' ||
    (file?.kind === 'unspecified' && /vfio-device|\/devices\//.test(file.path));
  if (file?.kind === 'container') return legacyCall(command, bytes);
  if (file?.kind === 'group') return GROUP_CALLS.get(command) ?? unknownCall(command);
  if (onDevice) {
    return DEVICE_CALLS.get(command) ?? unknownCall(command);
  }
  return containerCall(command, bytes);
};
