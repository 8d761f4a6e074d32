// SPDX-License-Identifier: MIT
// The VFIO calls of a container, on an iommufd: iommufd_vfio_ioctl() in drivers/iommu/iommufd/vfio_compat.c.

import {
  VFIO_API_VERSION,
  VFIO_CHECK_EXTENSION,
  VFIO_GET_API_VERSION,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
} from '../abi/vfio.ts';
import { failed, type Outcome, succeeded } from '../outcome/outcome.ts';
import type { FileId } from '../state/files.ts';
import { contextOf, type World } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { checkExtension } from './check-extension.ts';
import { getInfo } from './get-info.ts';
import { mapDma } from './map-dma.ts';
import { setIommu } from './set-iommu.ts';
import { unmapDma } from './unmap-dma.ts';

export const compatDispatchRules = rulesOf(
  {
    id: 'compat-dispatch',
    title: 'VFIO ioctls on an iommufd',
    source: 'iommufd_vfio_ioctl() in drivers/iommu/iommufd/vfio_compat.c',
  },
  {
    apiVersion: grants('GET_API_VERSION returns 0, whatever its argument.'),
    unknownIoctl: refuses(
      'ENOTTY',
      'The call is not one of the compatibility layer, such as DIRTY_PAGES, ENABLE, DISABLE and those of groups and devices.',
    ),
  },
);

/** A VFIO call on an iommufd. All bits of the number are compared. */
export const compatCall = (world: World, file: FileId, call: IoctlCall): readonly Outcome[] => {
  const { untracked } = contextOf(world, file);
  if (call.command === VFIO_GET_API_VERSION) {
    return [succeeded(compatDispatchRules.apiVersion, world, [], VFIO_API_VERSION)];
  }
  const handler = HANDLERS.get(call.command);
  if (handler === undefined) return [failed(compatDispatchRules.unknownIoctl, world)];
  if (untracked !== undefined) {
    const what = `${untracked} may have changed it`;
    return [{ kind: 'unspecified', what, doubtful: true, world: () => world }];
  }
  return handler(world, file, call);
};

const HANDLERS: ReadonlyMap<number, typeof compatCall> = new Map([
  [VFIO_CHECK_EXTENSION, checkExtension],
  [VFIO_SET_IOMMU, setIommu],
  [VFIO_IOMMU_GET_INFO, getInfo],
  [VFIO_IOMMU_MAP_DMA, mapDma],
  [VFIO_IOMMU_UNMAP_DMA, unmapDma],
]);
