// SPDX-License-Identifier: MIT
// VFIO_SET_IOMMU on an iommufd: iommufd_vfio_set_iommu() in drivers/iommu/iommufd/vfio_compat.c.

import { VFIO_NOIOMMU_IOMMU, VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU } from '../abi/vfio.ts';
import { withoutLargePages } from '../iopt/large-pages.ts';
import { failed, failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { tableOf, withTable } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import { contextOf, type World, withContext } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';
import { compatIoas } from './compat-ioas.ts';

export const compatSetIommuRules = rulesOf(
  {
    id: 'compat-set-iommu',
    title: 'compat VFIO_SET_IOMMU',
    source: 'iommufd_vfio_set_iommu() in drivers/iommu/iommufd/vfio_compat.c',
  },
  {
    noIommuNotPrivileged: refuses(
      'EPERM',
      'NOIOMMU, once the iommufd has been the container of a no-IOMMU group: the process lacks CAP_SYS_RAWIO.',
    ),
    noIommu: grants(
      'NOIOMMU, once the iommufd has been the container of a no-IOMMU group: changes nothing, and can be repeated.',
    ),
    unknownType: refuses(
      'EINVAL',
      'The type is neither TYPE1 nor TYPE1v2, or the iommufd has been the container of a no-IOMMU group.',
    ),
    v1: grants(
      'TYPE1: disables large pages of the compatibility IOAS, so that a part of a map can be unmapped.',
    ),
    v2: grants('TYPE1v2: changes nothing, not even what TYPE1 set before.'),
  },
);

export const setIommu = (world: World, file: FileId, call: IoctlCall): readonly Outcome[] => {
  const context = contextOf(world, file);
  const { argument } = call;
  const { noIommuConfigured } = world.setting.platform;
  if (noIommuConfigured && argument === VFIO_NOIOMMU_IOMMU && context.noIommu) {
    return world.setting.credentials.privileged
      ? [succeeded(compatSetIommuRules.noIommu, world)]
      : [failed(compatSetIommuRules.noIommuNotPrivileged, world)];
  }
  if ((argument !== VFIO_TYPE1_IOMMU && argument !== VFIO_TYPE1v2_IOMMU) || context.noIommu) {
    return [failed(compatSetIommuRules.unknownType, world)];
  }
  const found = compatIoas(context);
  if (isRefused(found)) return [failedBy(found, world)];
  if (argument === VFIO_TYPE1v2_IOMMU) return [succeeded(compatSetIommuRules.v2, world)];
  const table = withoutLargePages(context, tableOf(context, found.ioas));
  if (isRefused(table)) return [failedBy(table, world)];
  return [
    succeeded(compatSetIommuRules.v1, withContext(world, withTable(context, found.ioas, table))),
  ];
};
