// SPDX-License-Identifier: MIT
// The parts whose rules may apply to a call, which depend on the call and on the file of its descriptor: the dispatch,
// the call's own part, and the parts that these use.

import { u32At } from './abi/bytes.ts';
import { fieldOf } from './abi/layout.ts';
import { IOMMU_TEST_CMD, NATIVE_CALLS, type NativeCallName } from './abi/native.ts';
import { TEST_OPERATIONS, type TestOperationName } from './abi/test.ts';
import {
  VFIO_CHECK_EXTENSION,
  VFIO_DEVICE_ATTACH_IOMMUFD_PT,
  VFIO_DEVICE_BIND_IOMMUFD,
  VFIO_DEVICE_DETACH_IOMMUFD_PT,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_UNSET_CONTAINER,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
} from './abi/vfio.ts';
import { isNativeNumber } from './iommufd-ioctl.ts';
import { partsUsedBy } from './parts-used.ts';
import type { PartId } from './rules.ts';
import { fileAt, openFile, type World } from './state/world.ts';
import type { Call, IoctlCall } from './terms/call.ts';

type Parts = readonly PartId[];

/** Unspecified calls have no part. */
export const NATIVE_PARTS: Readonly<Partial<Record<NativeCallName, PartId>>> = {
  IOMMU_DESTROY: 'destroy',
  IOMMU_IOAS_ALLOC: 'ioas-alloc',
  IOMMU_IOAS_ALLOW_IOVAS: 'ioas-allow-iovas',
  IOMMU_IOAS_COPY: 'ioas-copy',
  IOMMU_IOAS_IOVA_RANGES: 'ioas-iova-ranges',
  IOMMU_IOAS_MAP: 'ioas-map',
  IOMMU_IOAS_UNMAP: 'ioas-unmap',
  IOMMU_OPTION: 'option',
  IOMMU_VFIO_IOAS: 'vfio-ioas',
  IOMMU_HWPT_ALLOC: 'hwpt-alloc',
  IOMMU_GET_HW_INFO: 'get-hw-info',
  IOMMU_HWPT_SET_DIRTY_TRACKING: 'hwpt-set-dirty-tracking',
  IOMMU_HWPT_GET_DIRTY_BITMAP: 'hwpt-get-dirty-bitmap',
  IOMMU_IOAS_MAP_FILE: 'ioas-map-file',
  IOMMU_IOAS_CHANGE_PROCESS: 'ioas-change-process',
  IOMMU_IOAS_NOIOMMU_GET_PA: 'ioas-noiommu-get-pa',
  IOMMU_TEST_CMD: 'test-cmd',
};

const TEST_PARTS: Readonly<Partial<Record<TestOperationName, PartId>>> = {
  ADD_RESERVED: 'test-add-reserved',
  MOCK_DOMAIN: 'test-mock-domain',
  MOCK_DOMAIN_FLAGS: 'test-mock-domain',
  MD_CHECK_MAP: 'test-md-check-map',
  MD_CHECK_REFS: 'test-md-check-refs',
  CREATE_ACCESS: 'test-create-access',
  DESTROY_ACCESS_PAGES: 'test-destroy-access-pages',
  ACCESS_PAGES: 'test-access-pages',
  ACCESS_RW: 'test-access-rw',
  MOCK_DOMAIN_REPLACE: 'test-mock-domain-replace',
  ACCESS_REPLACE_IOAS: 'test-access-replace-ioas',
  DIRTY: 'test-dirty',
};

const COMPAT_PARTS: ReadonlyMap<number, PartId> = new Map([
  [VFIO_CHECK_EXTENSION, 'compat-check-extension'],
  [VFIO_SET_IOMMU, 'compat-set-iommu'],
  [VFIO_IOMMU_GET_INFO, 'compat-get-info'],
  [VFIO_IOMMU_MAP_DMA, 'compat-map-dma'],
  [VFIO_IOMMU_UNMAP_DMA, 'compat-unmap-dma'],
]);

const TYPE1_PARTS: ReadonlyMap<number, PartId> = new Map([
  [VFIO_CHECK_EXTENSION, 'type1-check-extension'],
  [VFIO_SET_IOMMU, 'type1-set-iommu'],
  [VFIO_IOMMU_GET_INFO, 'type1-get-info'],
  [VFIO_IOMMU_MAP_DMA, 'type1-map-dma'],
  [VFIO_IOMMU_UNMAP_DMA, 'type1-unmap-dma'],
  [VFIO_IOMMU_DIRTY_PAGES, 'type1-dirty-pages'],
]);

const GROUP_PARTS: ReadonlyMap<number, PartId> = new Map([
  [VFIO_GROUP_GET_STATUS, 'group-get-status'],
  [VFIO_GROUP_SET_CONTAINER, 'group-set-container'],
  [VFIO_GROUP_UNSET_CONTAINER, 'group-unset-container'],
  [VFIO_GROUP_GET_DEVICE_FD, 'group-get-device-fd'],
]);

const DEVICE_PARTS: ReadonlyMap<number, PartId> = new Map([
  [VFIO_DEVICE_ATTACH_IOMMUFD_PT, 'device-attach-iommufd-pt'],
  [VFIO_DEVICE_DETACH_IOMMUFD_PT, 'device-detach-iommufd-pt'],
]);

const nativeNames = new Map(NATIVE_CALLS.map(({ command, name }) => [command, name]));
const operationNames = new Map(TEST_OPERATIONS.map(({ op, name }) => [op, name]));
const OPERATION = fieldOf(IOMMU_TEST_CMD, 'op');

/** The parts, each followed by what it uses. */
const used = (...parts: readonly (PartId | undefined)[]): Parts =>
  parts.flatMap((part) => (part === undefined ? [] : [part, ...partsUsedBy(part)]));

const testParts = ({ memory }: IoctlCall): Parts => {
  const bytes = memory[0]?.bytes ?? new Uint8Array();
  if (bytes.length < OPERATION.offset + 4) return [];
  const name = operationNames.get(u32At(bytes, OPERATION.offset));
  return used(name && TEST_PARTS[name]);
};

const nativeParts = (call: IoctlCall): Parts => {
  const name = nativeNames.get(call.command);
  const parts = used('ioctl-dispatch', name && NATIVE_PARTS[name]);
  return name === 'IOMMU_TEST_CMD' ? [...parts, ...testParts(call)] : parts;
};

const ioctlParts = (world: World, call: IoctlCall): Parts => {
  const { command } = call;
  const id = fileAt(world, call.process, call.fd);
  switch (id === undefined ? undefined : openFile(world, id)?.kind) {
    case 'iommufd':
      return isNativeNumber(world, command)
        ? nativeParts(call)
        : used('compat-dispatch', COMPAT_PARTS.get(command));
    case 'container':
      return used('type1-dispatch', TYPE1_PARTS.get(command));
    case 'group':
      return used('group-dispatch', GROUP_PARTS.get(command));
    case 'device':
    case 'cdev':
      // BIND_IOMMUFD comes before the checks of the other calls.
      return command === VFIO_DEVICE_BIND_IOMMUFD
        ? used('device-bind-iommufd')
        : used('device-dispatch', DEVICE_PARTS.get(command));
    default:
      return ['descriptors'];
  }
};

/** The parts whose rules may apply to the call, in the order in which they are checked. */
export const partsMetBy = (world: World, call: Call): Parts => {
  switch (call.kind) {
    case 'ioctl':
      return ioctlParts(world, call);
    case 'open':
      return ['open'];
    case 'close':
      return ['descriptors'];
    case 'dma':
      return ['dma'];
    case 'status':
      return ['proc-status'];
    default:
      return ['program-memory'];
  }
};
