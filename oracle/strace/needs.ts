// SPDX-License-Identifier: MIT
// What must have succeeded before an ioctl can, whatever its struct: an object of the right kind, or a type that is set.

import { NATIVE_CALLS, type NativeCallName } from '../../spec/abi/native.ts';
import * as vfio from '../../spec/abi/vfio.ts';
import type { FileKind } from './logged-file.ts';

/** Calls of which one must have succeeded: on the same file, or on any file. */
type Needs = { readonly here: readonly number[]; readonly anywhere: readonly number[] };

const native = (...names: readonly NativeCallName[]): readonly number[] =>
  NATIVE_CALLS.filter(({ name }) => names.includes(name)).map(({ command }) => command);

const TEST = native('IOMMU_TEST_CMD');

/** The compatibility IOAS is made when a group joins. */
const JOINS = [vfio.VFIO_GROUP_SET_CONTAINER];

/** A device is bound by its own file, or got from a group. */
const BINDS = [vfio.VFIO_DEVICE_BIND_IOMMUFD, vfio.VFIO_GROUP_GET_DEVICE_FD];

const IOAS: Needs = { here: native('IOMMU_IOAS_ALLOC'), anywhere: JOINS };
const DEVICE: Needs = { here: TEST, anywhere: BINDS };
const HWPT: Needs = { here: [...native('IOMMU_HWPT_ALLOC'), ...TEST], anywhere: BINDS };
const OBJECT: Needs = {
  here: native(
    'IOMMU_IOAS_ALLOC',
    'IOMMU_HWPT_ALLOC',
    'IOMMU_FAULT_QUEUE_ALLOC',
    'IOMMU_VIOMMU_ALLOC',
    'IOMMU_VDEVICE_ALLOC',
    'IOMMU_VEVENTQ_ALLOC',
    'IOMMU_HW_QUEUE_ALLOC',
    'IOMMU_TEST_CMD',
  ),
  anywhere: JOINS,
};

const ON_IOMMUFD: ReadonlyMap<number, Needs> = new Map(
  (
    [
      [['IOMMU_DESTROY'], OBJECT],
      [
        [
          'IOMMU_IOAS_ALLOW_IOVAS',
          'IOMMU_IOAS_COPY',
          'IOMMU_IOAS_IOVA_RANGES',
          'IOMMU_IOAS_MAP',
          'IOMMU_IOAS_MAP_FILE',
          'IOMMU_IOAS_UNMAP',
        ],
        IOAS,
      ],
      [['IOMMU_HWPT_ALLOC', 'IOMMU_GET_HW_INFO'], DEVICE],
      [
        ['IOMMU_HWPT_SET_DIRTY_TRACKING', 'IOMMU_HWPT_GET_DIRTY_BITMAP', 'IOMMU_HWPT_INVALIDATE'],
        HWPT,
      ],
    ] as const satisfies readonly (readonly [readonly NativeCallName[], Needs])[]
  ).flatMap(([names, needs]) => native(...names).map((command) => [command, needs] as const)),
);

const COMPAT: Needs = {
  here: native('IOMMU_IOAS_ALLOC'),
  anywhere: JOINS,
};

const ON_COMPAT: ReadonlySet<number> = new Set([
  vfio.VFIO_SET_IOMMU,
  vfio.VFIO_IOMMU_GET_INFO,
  vfio.VFIO_IOMMU_MAP_DMA,
  vfio.VFIO_IOMMU_UNMAP_DMA,
]);

const TYPE_SET: Needs = { here: [vfio.VFIO_SET_IOMMU], anywhere: [] };

const NEEDS_TYPE: ReadonlySet<number> = new Set([
  vfio.VFIO_IOMMU_GET_INFO,
  vfio.VFIO_IOMMU_MAP_DMA,
  vfio.VFIO_IOMMU_UNMAP_DMA,
  vfio.VFIO_IOMMU_DIRTY_PAGES,
]);

const CONTAINER_SET: Needs = { here: JOINS, anywhere: [] };

const needsOf = (kind: FileKind, command: number): Needs | undefined => {
  switch (kind) {
    case 'iommufd':
      return ON_IOMMUFD.get(command) ?? (ON_COMPAT.has(command) ? COMPAT : undefined);
    case 'container':
      if (command === vfio.VFIO_SET_IOMMU) return { here: [], anywhere: JOINS };
      return NEEDS_TYPE.has(command) ? TYPE_SET : undefined;
    case 'group':
      return command === vfio.VFIO_GROUP_GET_DEVICE_FD ||
        command === vfio.VFIO_GROUP_UNSET_CONTAINER
        ? CONTAINER_SET
        : undefined;
    default:
      return undefined;
  }
};

/** Whether the call cannot succeed, as nothing that it needs was made: `here` on the file, `anywhere` on any. */
export const lacksNeeds = (
  kind: FileKind,
  command: number,
  here: ReadonlySet<number>,
  anywhere: ReadonlySet<number>,
): boolean => {
  const needs = needsOf(kind, command);
  return (
    needs !== undefined &&
    !needs.here.some((one) => here.has(one)) &&
    !needs.anywhere.some((one) => anywhere.has(one))
  );
};
