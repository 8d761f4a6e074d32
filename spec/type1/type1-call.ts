// SPDX-License-Identifier: MIT
// The VFIO calls of the legacy container: vfio_fops_unl_ioctl() in drivers/vfio/container.c, and once a type is set
// vfio_iommu_type1_ioctl() in drivers/vfio/vfio_iommu_type1.c.

import {
  VFIO_API_VERSION,
  VFIO_CHECK_EXTENSION,
  VFIO_GET_API_VERSION,
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
} from '../abi/vfio.ts';
import { failed, type Outcome, succeeded } from '../outcome/outcome.ts';
import type { FileId } from '../state/files.ts';
import { containerOf, type World } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { checkExtension } from './check-extension.ts';
import { dirtyPages } from './dirty-pages.ts';
import { getInfo } from './get-info.ts';
import { mapDma } from './map-dma.ts';
import type { Type1Handler } from './request.ts';
import { setIommu } from './set-iommu.ts';
import { unmapDma } from './unmap-dma.ts';

export const type1DispatchRules = rulesOf(
  {
    id: 'type1-dispatch',
    title: 'VFIO ioctls on a legacy container',
    source: 'vfio_fops_unl_ioctl() in drivers/vfio/container.c',
  },
  {
    apiVersion: grants('GET_API_VERSION returns 0, whatever its argument.'),
    noType: refuses(
      'EINVAL',
      'No type is set. Every command but GET_API_VERSION, CHECK_EXTENSION and SET_IOMMU is refused, even an unknown one.',
    ),
    noIommu: refuses(
      'ENOTTY',
      'The type is NOIOMMU, which has no calls: nothing can be mapped or unmapped.',
      'vfio_noiommu_ioctl() in drivers/vfio/container.c',
    ),
    unknownIoctl: refuses(
      'ENOTTY',
      'The call is not one of type1, such as ENABLE, DISABLE and those of groups and devices.',
      'vfio_iommu_type1_ioctl() in drivers/vfio/vfio_iommu_type1.c',
    ),
  },
);

type ContainerHandler = (world: World, file: FileId, call: IoctlCall) => readonly Outcome[];

const CONTAINER_CALLS: ReadonlyMap<number, ContainerHandler> = new Map([
  [VFIO_CHECK_EXTENSION, checkExtension],
  [VFIO_SET_IOMMU, setIommu],
]);

const TYPE1_CALLS: ReadonlyMap<number, Type1Handler> = new Map([
  [VFIO_IOMMU_GET_INFO, getInfo],
  [VFIO_IOMMU_MAP_DMA, mapDma],
  [VFIO_IOMMU_UNMAP_DMA, unmapDma],
  [VFIO_IOMMU_DIRTY_PAGES, dirtyPages],
]);

/** A VFIO call on a legacy container. */
export const type1Call = (world: World, file: FileId, call: IoctlCall): readonly Outcome[] => {
  const { command } = call;
  const { untracked, type1, noIommu } = containerOf(world, file);
  if (command === VFIO_GET_API_VERSION) {
    return [succeeded(type1DispatchRules.apiVersion, world, [], VFIO_API_VERSION)];
  }
  if (untracked !== undefined) {
    return [{ kind: 'unspecified', what: untracked, doubtful: true, world: () => world }];
  }
  const ofContainer = CONTAINER_CALLS.get(command);
  if (ofContainer !== undefined) return ofContainer(world, file, call);
  if (noIommu) return [failed(type1DispatchRules.noIommu, world)];
  if (type1 === undefined) return [failed(type1DispatchRules.noType, world)];
  const ofType1 = TYPE1_CALLS.get(command);
  return ofType1 === undefined
    ? [failed(type1DispatchRules.unknownIoctl, world)]
    : ofType1({ world, file, type1, call });
};
