// SPDX-License-Identifier: MIT
// Which struct a recorded call passes, and the memory that the struct names.

import { LAYOUTS } from '../../model/programs/program.ts';
import { decode } from '../../spec/abi/layout.ts';
import { IOMMU_TEST_CMD, NATIVE_CALLS } from '../../spec/abi/native.ts';
import { TEST_OPERATIONS } from '../../spec/abi/test.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import type { IoctlCall } from '../../spec/terms/call.ts';
import type { RecordedCall } from './recording.ts';

const VFIO_STRUCTS: ReadonlyMap<number, string> = new Map([
  [vfio.VFIO_GROUP_GET_STATUS, 'VFIO_GROUP_GET_STATUS'],
  [vfio.VFIO_GROUP_SET_CONTAINER, 'VFIO_GROUP_SET_CONTAINER'],
  [vfio.VFIO_DEVICE_BIND_IOMMUFD, 'VFIO_DEVICE_BIND_IOMMUFD'],
  [vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT, 'VFIO_DEVICE_ATTACH_IOMMUFD_PT'],
  [vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT, 'VFIO_DEVICE_DETACH_IOMMUFD_PT'],
  [vfio.VFIO_IOMMU_GET_INFO, 'VFIO_IOMMU_GET_INFO'],
  [vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA'],
  [vfio.VFIO_IOMMU_UNMAP_DMA, 'VFIO_IOMMU_UNMAP_DMA'],
  [vfio.VFIO_IOMMU_DIRTY_PAGES, 'VFIO_IOMMU_DIRTY_PAGES'],
]);

/** The bytes at the call's argument, before it. */
export const bytesAt = ({ memory }: IoctlCall): Uint8Array => memory[0]?.bytes ?? new Uint8Array();

/** Flags with which a struct has a bitmap behind it, where the recording shows as much. */
const BITMAP_FLAGS: Readonly<Record<string, number>> = {
  VFIO_IOMMU_UNMAP_DMA: vfio.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
  VFIO_IOMMU_DIRTY_PAGES: vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
};

const vfioStructOf = (command: number, bytes: Uint8Array): string | undefined => {
  const name = VFIO_STRUCTS.get(command);
  const flag = name === undefined ? undefined : BITMAP_FLAGS[name];
  if (name === undefined || flag === undefined) return name;
  const { flags } = decode(vfio.VFIO_IOMMU_TYPE1_DIRTY_BITMAP, bytes);
  const longer = `${name} with bitmap`;
  const size = LAYOUTS.get(longer)?.size ?? 0;
  return (flags & flag) !== 0 && bytes.length >= size ? longer : name;
};

/** The name in LAYOUTS of the struct with these bytes that an ioctl of that number passes. */
export const structPassed = (command: number, bytes: Uint8Array): string | undefined => {
  const native = NATIVE_CALLS.find((call) => call.command === command);
  if (native === undefined) return vfioStructOf(command, bytes);
  if (native.name !== 'IOMMU_TEST_CMD') return native.name;
  const { op } = decode(IOMMU_TEST_CMD, bytes);
  return TEST_OPERATIONS.find((operation) => operation.op === op)?.name ?? native.name;
};

/** The name in LAYOUTS of the struct that the call passes. */
export const structOf = (call: IoctlCall): string | undefined =>
  structPassed(call.command, bytesAt(call));

const LENGTHS: Readonly<Record<string, string>> = {
  VFIO_IOMMU_MAP_DMA: 'size',
  'VFIO_IOMMU_UNMAP_DMA with bitmap': 'bitmap_size',
  'VFIO_IOMMU_DIRTY_PAGES with bitmap': 'bitmap_size',
};

export type Used = { readonly address: bigint; readonly length: bigint };

/** The memory that a call's struct names, apart from arrays that the recording shows. */
export const memoryNamed = ({ call }: RecordedCall): readonly Used[] => {
  if (call.kind !== 'ioctl') return [];
  const struct = structOf(call);
  const layout = struct === undefined ? undefined : LAYOUTS.get(struct);
  if (struct === undefined || layout === undefined) return [];
  const values = decode(layout, bytesAt(call)) as Readonly<Record<string, bigint>>;
  const length = values[LENGTHS[struct] ?? 'length'];
  return layout.fields.flatMap(({ kind, name }) => {
    const address = values[name];
    return kind === 'address' && address !== undefined && length !== undefined
      ? [{ address, length }]
      : [];
  });
};
