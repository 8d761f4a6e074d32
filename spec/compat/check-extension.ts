// SPDX-License-Identifier: MIT
// VFIO_CHECK_EXTENSION on an iommufd: iommufd_vfio_check_extension() in drivers/iommu/iommufd/vfio_compat.c.

import {
  VFIO_DMA_CC_IOMMU,
  VFIO_NOIOMMU_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  VFIO_UNMAP_ALL,
} from '../abi/vfio.ts';
import { failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { hwptAt, tableOf } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import { contextOf, type World } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { grants, isRefused, rulesOf } from '../terms/rule.ts';
import { compatIoas } from './compat-ioas.ts';

export const compatCheckExtensionRules = rulesOf(
  {
    id: 'compat-check-extension',
    title: 'compat VFIO_CHECK_EXTENSION',
    source: 'iommufd_vfio_check_extension() in drivers/iommu/iommufd/vfio_compat.c',
  },
  {
    type1: grants(
      'TYPE1, TYPE1v2 and UNMAP_ALL return 1, or 0 once the iommufd has been the container of a no-IOMMU group.',
    ),
    noIommu: grants(
      'NOIOMMU returns 1 if the kernel is built with no-IOMMU support, and 0 if not.',
    ),
    cacheCoherent: grants(
      'DMA_CC returns 1 if every domain of the compatibility IOAS enforces cache coherency, or there is none, and 0 otherwise.',
      'iommufd_vfio_cc_iommu() in drivers/iommu/iommufd/vfio_compat.c',
    ),
    others: grants(
      'Every other number returns 0, including those of SPAPR, EEH, NESTING and UPDATE_VADDR.',
    ),
  },
);

const TYPE1: readonly bigint[] = [VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU, VFIO_UNMAP_ALL];

export const checkExtension = (world: World, file: FileId, call: IoctlCall): readonly Outcome[] => {
  const context = contextOf(world, file);
  const { argument } = call;
  if (TYPE1.includes(argument)) {
    return [succeeded(compatCheckExtensionRules.type1, world, [], context.noIommu ? 0 : 1)];
  }
  if (argument === VFIO_NOIOMMU_IOMMU) {
    const result = world.setting.platform.noIommuConfigured ? 1 : 0;
    return [succeeded(compatCheckExtensionRules.noIommu, world, [], result)];
  }
  if (argument !== VFIO_DMA_CC_IOMMU) return [succeeded(compatCheckExtensionRules.others, world)];
  const found = compatIoas(context);
  if (isRefused(found)) return [failedBy(found, world)];
  const coherent = tableOf(context, found.ioas).domains.every(
    (id) => hwptAt(context, id)?.domain.enforcesCacheCoherency,
  );
  return [succeeded(compatCheckExtensionRules.cacheCoherent, world, [], coherent ? 1 : 0)];
};
