// SPDX-License-Identifier: MIT
// The ioctl dispatch: what happens to an ioctl on an iommufd before its handler is called. iommufd_fops_ioctl() in
// drivers/iommu/iommufd/main.c and copy_struct_from_user() in include/linux/uaccess.h.

import { u32At, zeroBytes } from './abi/bytes.ts';
import { fieldOf } from './abi/layout.ts';
import {
  COMMAND_BASE,
  IOMMU_FAULT_QUEUE_ALLOC,
  IOMMU_VEVENTQ_ALLOC,
  NATIVE_CALLS,
  type NativeCall,
  type NativeCallName,
} from './abi/native.ts';
import { CREATE_ACCESS } from './abi/test.ts';
import { objectId } from './abi/units.ts';
import { compatCall } from './compat/compat-call.ts';
import { destroy } from './iommufd/destroy.ts';
import { getHwInfo } from './iommufd/get-hw-info.ts';
import { hwptAlloc } from './iommufd/hwpt-alloc.ts';
import { hwptGetDirtyBitmap } from './iommufd/hwpt-get-dirty-bitmap.ts';
import { hwptSetDirtyTracking } from './iommufd/hwpt-set-dirty-tracking.ts';
import { ioasAlloc } from './iommufd/ioas-alloc.ts';
import { ioasAllowIovas } from './iommufd/ioas-allow-iovas.ts';
import { ioasChangeProcess } from './iommufd/ioas-change-process.ts';
import { ioasCopy } from './iommufd/ioas-copy.ts';
import { ioasIovaRanges } from './iommufd/ioas-iova-ranges.ts';
import { ioasMap } from './iommufd/ioas-map.ts';
import { ioasMapFile } from './iommufd/ioas-map-file.ts';
import { ioasNoIommuGetPa } from './iommufd/ioas-noiommu-get-pa.ts';
import { ioasUnmap } from './iommufd/ioas-unmap.ts';
import { option } from './iommufd/option.ts';
import type { Handler, Request } from './iommufd/request.ts';
import { makingObject, onUntracked, untrackingAll } from './iommufd/untracked.ts';
import { vfioIoas } from './iommufd/vfio-ioas.ts';
import { structTail } from './knowledge/struct-tail.ts';
import { load } from './knowledge/user-copy.ts';
import { failed, type Outcome } from './outcome/outcome.ts';
import { createsAccess, testCommand } from './selftest/test-command.ts';
import type { FileId } from './state/files.ts';
import { contextOf, type World, withContext } from './state/world.ts';
import type { IoctlCall } from './terms/call.ts';
import { refuses, rulesOf } from './terms/rule.ts';

export const ioctlDispatchRules = rulesOf(
  {
    id: 'ioctl-dispatch',
    title: 'ioctl dispatch',
    source: 'iommufd_fops_ioctl() in drivers/iommu/iommufd/main.c',
  },
  {
    sizeFault: refuses('EFAULT', 'size, the first 4 bytes of the struct, cannot be read.'),
    unknownIoctl: refuses(
      'ENOTTY',
      'The number is in the native range, and no native call of the release has this command.',
    ),
    tooShort: refuses('EINVAL', 'size is less than the minimum of the call.'),
    tailFault: refuses(
      'EFAULT',
      'size exceeds the struct that the release knows, and bytes beyond it cannot be read; those before them are 0.',
      'copy_struct_from_user() in include/linux/uaccess.h',
    ),
    tailNotZero: refuses(
      'E2BIG',
      'size exceeds the struct that the release knows, and a byte beyond it is not 0.',
      'copy_struct_from_user() in include/linux/uaccess.h',
    ),
    structFault: refuses('EFAULT', 'The struct, as far as the release knows it, cannot be read.'),
  },
);

const numberOf = (command: number): number => command & 0xff;

const byNumber: ReadonlyMap<number, NativeCall> = new Map(
  NATIVE_CALLS.map((call) => [numberOf(call.command), call]),
);

const makes =
  (call: NativeCallName, field: string, uses: readonly string[], descriptor?: string): Handler =>
  (request: Request) => {
    const layout = (NATIVE_CALLS.find(({ name }) => name === call) as NativeCall).layout;
    const used = uses.map((name) => objectId(u32At(request.bytes, fieldOf(layout, name).offset)));
    const opened = descriptor === undefined ? undefined : fieldOf(layout, descriptor).offset;
    return [makingObject(request, call, fieldOf(layout, field).offset, used, opened)];
  };

const invalidate: Handler = (request) => [
  {
    kind: 'unspecified',
    what: 'IOMMU_HWPT_INVALIDATE',
    world: () => {
      const context = contextOf(request.world, request.file);
      return withContext(request.world, { ...context, untrackedCaches: true });
    },
  },
];

const HANDLERS: Readonly<Record<NativeCallName, Handler>> = {
  IOMMU_DESTROY: destroy,
  IOMMU_IOAS_ALLOC: ioasAlloc,
  IOMMU_IOAS_ALLOW_IOVAS: ioasAllowIovas,
  IOMMU_IOAS_COPY: ioasCopy,
  IOMMU_IOAS_IOVA_RANGES: ioasIovaRanges,
  IOMMU_IOAS_MAP: ioasMap,
  IOMMU_IOAS_UNMAP: ioasUnmap,
  IOMMU_OPTION: option,
  IOMMU_VFIO_IOAS: vfioIoas,
  IOMMU_HWPT_ALLOC: hwptAlloc,
  IOMMU_GET_HW_INFO: getHwInfo,
  IOMMU_HWPT_SET_DIRTY_TRACKING: hwptSetDirtyTracking,
  IOMMU_HWPT_GET_DIRTY_BITMAP: hwptGetDirtyBitmap,
  IOMMU_HWPT_INVALIDATE: invalidate,
  IOMMU_FAULT_QUEUE_ALLOC: makes('IOMMU_FAULT_QUEUE_ALLOC', 'out_fault_id', [], 'out_fault_fd'),
  IOMMU_IOAS_MAP_FILE: ioasMapFile,
  IOMMU_VIOMMU_ALLOC: makes('IOMMU_VIOMMU_ALLOC', 'out_viommu_id', ['hwpt_id']),
  IOMMU_VDEVICE_ALLOC: makes('IOMMU_VDEVICE_ALLOC', 'out_vdevice_id', ['viommu_id']),
  IOMMU_IOAS_CHANGE_PROCESS: ioasChangeProcess,
  IOMMU_VEVENTQ_ALLOC: makes(
    'IOMMU_VEVENTQ_ALLOC',
    'out_veventq_id',
    ['viommu_id'],
    'out_veventq_fd',
  ),
  IOMMU_HW_QUEUE_ALLOC: (request) => [untrackingAll(request, 'IOMMU_HW_QUEUE_ALLOC')],
  IOMMU_IOAS_NOIOMMU_GET_PA: ioasNoIommuGetPa,
  IOMMU_TEST_CMD: testCommand,
};

const TEST_NUMBER = 0xa0;

/** The greatest native number of a kernel. Numbers above go to the VFIO calls. */
const lastNumber = (world: World): number => {
  if (world.setting.platform.testCommands) return TEST_NUMBER;
  let last = COMMAND_BASE;
  for (const [number, { name }] of byNumber) {
    const present = number < TEST_NUMBER && !world.release.absentCalls.has(name);
    if (present && number > last) last = number;
  }
  return last;
};

/** The offset in its struct at which a call writes the descriptor that it opens, if it opens one. */
const descriptorIn = (name: NativeCallName, bytes: Uint8Array): number | undefined => {
  if (name === 'IOMMU_FAULT_QUEUE_ALLOC') {
    return fieldOf(IOMMU_FAULT_QUEUE_ALLOC, 'out_fault_fd').offset;
  }
  if (name === 'IOMMU_VEVENTQ_ALLOC') return fieldOf(IOMMU_VEVENTQ_ALLOC, 'out_veventq_fd').offset;
  return name === 'IOMMU_TEST_CMD' && createsAccess(bytes)
    ? fieldOf(CREATE_ACCESS, 'out_access_fd').offset
    : undefined;
};

const UNKNOWN_STRUCT = 'the recording does not show the whole struct';

/** A native call, up to its handler. */
const nativeCall = (world: World, file: FileId, call: IoctlCall): readonly Outcome[] => {
  const first = load(world.memory, call, call.argument, 4);
  if (first.kind !== 'bytes') return [failed(ioctlDispatchRules.sizeFault, world)];
  const userSize = u32At(first.bytes, 0);
  const native = byNumber.get(numberOf(call.command));
  if (
    native === undefined ||
    native.command !== call.command ||
    world.release.absentCalls.has(native.name) ||
    (native.name === 'IOMMU_TEST_CMD' && !world.setting.platform.testCommands)
  ) {
    return [failed(ioctlDispatchRules.unknownIoctl, world)];
  }
  if (userSize < native.minimum) return [failed(ioctlDispatchRules.tooShort, world)];
  const { size } = native.layout;
  if (userSize > size) {
    const tail = structTail(world.memory, call, size, userSize);
    if (tail !== 'zero') {
      return [
        failed(
          tail === 'fault' ? ioctlDispatchRules.tailFault : ioctlDispatchRules.tailNotZero,
          world,
        ),
      ];
    }
  }
  const length = Math.min(size, userSize);
  const loaded = load(world.memory, call, call.argument, length);
  if (loaded.kind === 'fault') return [failed(ioctlDispatchRules.structFault, world)];
  const { untracked } = contextOf(world, file);
  if (untracked !== undefined || loaded.kind === 'unknown') {
    const why = untracked === undefined ? UNKNOWN_STRUCT : `${untracked} may have changed it`;
    const opened = loaded.kind === 'bytes' ? descriptorIn(native.name, loaded.bytes) : undefined;
    return [onUntracked(world, call.process, why, opened)];
  }
  let { bytes } = loaded;
  if (bytes.length < size) {
    bytes = zeroBytes(size);
    bytes.set(loaded.bytes);
  }
  return HANDLERS[native.name]({ world, file, call, bytes, userSize });
};

/** Whether an ioctl on an iommufd is one of the native calls. All others go to the compatibility layer. */
export const isNativeNumber = (world: World, command: number): boolean => {
  const number = numberOf(command);
  return number >= COMMAND_BASE && number <= lastNumber(world);
};

/** An ioctl on an iommufd. */
export const iommufdIoctl = (world: World, file: FileId, call: IoctlCall): readonly Outcome[] =>
  isNativeNumber(world, call.command)
    ? nativeCall(world, file, call)
    : compatCall(world, file, call);
