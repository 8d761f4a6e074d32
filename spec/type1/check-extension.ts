// SPDX-License-Identifier: MIT
// VFIO_CHECK_EXTENSION on a legacy container: vfio_container_ioctl_check_extension() in drivers/vfio/container.c and
// vfio_iommu_type1_check_extension() in drivers/vfio/vfio_iommu_type1.c.

import {
  VFIO_DMA_CC_IOMMU,
  VFIO_NOIOMMU_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1_NESTING_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  VFIO_UNMAP_ALL,
  VFIO_UPDATE_VADDR,
} from '../abi/vfio.ts';
import { type Outcome, succeeded } from '../outcome/outcome.ts';
import { hasNoIommuGroups } from '../state/container.ts';
import type { FileId } from '../state/files.ts';
import { containerOf, type World } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { grants, onlyWithout, type Rule, rulesOf } from '../terms/rule.ts';

export const type1CheckExtensionRules = rulesOf(
  {
    id: 'type1-check-extension',
    title: 'type1 VFIO_CHECK_EXTENSION',
    source: 'vfio_iommu_type1_check_extension() in drivers/vfio/vfio_iommu_type1.c',
  },
  {
    noIommuGroups: grants(
      'In a container of no-IOMMU groups NOIOMMU returns 1 while enable_unsafe_noiommu_mode is on, and every other number 0.',
      'vfio_noiommu_ioctl() in drivers/vfio/container.c',
    ),
    type1: grants('TYPE1, TYPE1v2 and UNMAP_ALL return 1, before and after SET_IOMMU.'),
    nesting: onlyWithout(
      'type1NoNesting',
      grants('TYPE1_NESTING returns 1, although no IOMMU driver of x86-64 supports nesting.'),
    ),
    updateVaddr: grants(
      'UPDATE_VADDR returns 1 if a type is set and the container has no mdev group, and 0 otherwise.',
    ),
    cacheCoherent: grants(
      'DMA_CC returns 1 if a type is set and every domain enforces cache coherency, or there is none, and 0 otherwise.',
      'vfio_domains_have_enforce_cache_coherency() in drivers/vfio/vfio_iommu_type1.c',
    ),
    noIommu: grants(
      'NOIOMMU returns 1 if the container has no group and enable_unsafe_noiommu_mode is on, and 0 otherwise.',
      'vfio_noiommu_ioctl() in drivers/vfio/container.c',
    ),
    others: grants('Every other number returns 0, including those of SPAPR and EEH.'),
  },
);

const TYPE1: readonly bigint[] = [VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU, VFIO_UNMAP_ALL];

/** Whether type1 has the extension. SET_IOMMU accepts no other number. */
export const isExtension = (world: World, argument: bigint): boolean =>
  TYPE1.includes(argument) ||
  (argument === VFIO_TYPE1_NESTING_IOMMU && world.release.type1.knowsNesting);

/** The reply if the module parameter decides it, which may not be known. */
const asEnabled = (world: World, rule: Rule): readonly Outcome[] => {
  const no = succeeded(rule, world);
  const yes = succeeded(rule, world, [], 1);
  const { noIommuConfigured, noIommuEnabled } = world.setting.platform;
  if (!noIommuConfigured) return [no];
  if (noIommuEnabled !== undefined) return [noIommuEnabled ? yes : no];
  const unknown = 'it is not known whether the kernel allows devices without an IOMMU';
  return [no, { ...yes, unknown }];
};

export const checkExtension = (world: World, file: FileId, call: IoctlCall): readonly Outcome[] => {
  const rules = type1CheckExtensionRules;
  const container = containerOf(world, file);
  const { groups, type1 } = container;
  const { argument } = call;
  if (hasNoIommuGroups(world.setting.platform, container)) {
    return argument === VFIO_NOIOMMU_IOMMU
      ? asEnabled(world, rules.noIommuGroups)
      : [succeeded(rules.noIommuGroups, world)];
  }
  switch (argument) {
    case VFIO_UPDATE_VADDR: {
      const supported = type1 !== undefined && type1.emulatedGroups.length === 0;
      return [succeeded(rules.updateVaddr, world, [], supported ? 1 : 0)];
    }
    case VFIO_DMA_CC_IOMMU: {
      const coherent = type1?.domains.every(({ domain }) => domain.enforcesCacheCoherency);
      return [succeeded(rules.cacheCoherent, world, [], coherent ? 1 : 0)];
    }
    case VFIO_NOIOMMU_IOMMU:
      return groups.length > 0
        ? [succeeded(rules.noIommu, world)]
        : asEnabled(world, rules.noIommu);
    default:
      if (!isExtension(world, argument)) return [succeeded(rules.others, world)];
      return [
        succeeded(
          argument === VFIO_TYPE1_NESTING_IOMMU ? rules.nesting : rules.type1,
          world,
          [],
          1,
        ),
      ];
  }
};
