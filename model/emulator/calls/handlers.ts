// SPDX-License-Identifier: MIT
// Which function answers which native call. drivers/iommu/iommufd/main.c (iommufd_ioctl_ops).

import { ERRNO } from '../../../spec/abi/errno.ts';
import type { NativeCallName } from '../../../spec/abi/native.ts';
import type { Command } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { testCommand } from '../selftest/test-command.ts';
import { destroy } from './destroy.ts';
import { getDirtyBitmap, setDirtyTracking } from './dirty-tracking.ts';
import { getHwInfo } from './get-hw-info.ts';
import { hwptAlloc } from './hwpt-alloc.ts';
import { ioasAlloc } from './ioas-alloc.ts';
import { ioasAllowIovas } from './ioas-allow-iovas.ts';
import { ioasChangeProcess } from './ioas-change-process.ts';
import { ioasCopy } from './ioas-copy.ts';
import { ioasIovaRanges } from './ioas-iova-ranges.ts';
import { ioasMap } from './ioas-map.ts';
import { ioasMapFile } from './ioas-map-file.ts';
import { ioasNoIommuGetPa } from './ioas-noiommu-get-pa.ts';
import { ioasUnmap } from './ioas-unmap.ts';
import { option } from './option.ts';
import { vfioIoas } from './vfio-ioas.ts';

/** Answers a call whose struct passed the ioctl dispatch: 0, or -errno. */
export type Handler = (context: IommufdContext, command: Command) => number;

const notEmulated: Handler = () => -ERRNO.EOPNOTSUPP;

export const HANDLERS: Readonly<Record<NativeCallName, Handler>> = {
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
  IOMMU_HWPT_SET_DIRTY_TRACKING: setDirtyTracking,
  IOMMU_HWPT_GET_DIRTY_BITMAP: getDirtyBitmap,
  IOMMU_HWPT_INVALIDATE: notEmulated,
  IOMMU_FAULT_QUEUE_ALLOC: notEmulated,
  IOMMU_IOAS_MAP_FILE: ioasMapFile,
  IOMMU_VIOMMU_ALLOC: notEmulated,
  IOMMU_VDEVICE_ALLOC: notEmulated,
  IOMMU_IOAS_CHANGE_PROCESS: ioasChangeProcess,
  IOMMU_VEVENTQ_ALLOC: notEmulated,
  IOMMU_HW_QUEUE_ALLOC: notEmulated,
  IOMMU_IOAS_NOIOMMU_GET_PA: ioasNoIommuGetPa,
  IOMMU_TEST_CMD: testCommand,
};
