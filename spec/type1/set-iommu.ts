// SPDX-License-Identifier: MIT
// VFIO_SET_IOMMU on a legacy container: vfio_ioctl_set_iommu() in drivers/vfio/container.c. It attaches every group of
// the container. The type can be set again only after all groups have left.

import {
  VFIO_NOIOMMU_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1_NESTING_IOMMU,
  VFIO_TYPE1v2_IOMMU,
} from '../abi/vfio.ts';
import { failed, failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { type Container, hasNoIommuGroups, type Type1 } from '../state/container.ts';
import type { FileId } from '../state/files.ts';
import { containerOf, type World, withContainer } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { grants, isRefused, onlyWithout, refuses, rulesOf } from '../terms/rule.ts';
import { attachGroup } from './attach-group.ts';
import { isExtension } from './check-extension.ts';
import { COARSE, isCoarse } from './group-hardware.ts';
import { untracking } from './untracked.ts';

export const type1SetIommuRules = rulesOf(
  {
    id: 'type1-set-iommu',
    title: 'type1 VFIO_SET_IOMMU',
    source: 'vfio_ioctl_set_iommu() in drivers/vfio/container.c',
  },
  {
    noGroup: refuses('EINVAL', 'The container has no group.'),
    typeSet: refuses('EINVAL', 'A type is set already, even if it is the same.'),
    noIommuOnly: refuses(
      'ENODEV',
      'The container has no-IOMMU groups, and the type is not NOIOMMU or enable_unsafe_noiommu_mode is off.',
    ),
    noIommuNotPrivileged: refuses(
      'EPERM',
      'The container has no-IOMMU groups, and the process lacks CAP_SYS_RAWIO.',
      'vfio_noiommu_open() in drivers/vfio/container.c',
    ),
    noIommu: grants(
      'NOIOMMU: devices of the groups can be opened, and nothing can be mapped for them.',
    ),
    unknownType: refuses(
      'ENODEV',
      'CHECK_EXTENSION returns 0 for the type. Without no-IOMMU groups that includes NOIOMMU.',
    ),
    notAType: refuses(
      'EINVAL',
      'CHECK_EXTENSION returns 1 for the number, and it is not a type: UNMAP_ALL.',
      'vfio_iommu_type1_open() in drivers/vfio/vfio_iommu_type1.c',
    ),
    v1: grants('TYPE1: attaches the groups. An unmap that starts inside a map will do nothing.'),
    v2: grants('TYPE1v2: attaches the groups. An unmap that would cut a map will be refused.'),
    nesting: onlyWithout(
      'type1NoNesting',
      grants('TYPE1_NESTING: as TYPE1v2, if no group of the container has an IOMMU.'),
    ),
  },
);

const newType1 = (world: World, version: 1 | 2, nesting: boolean): Type1 => ({
  version,
  nesting,
  domains: [],
  emulatedGroups: [],
  ranges: [],
  dmas: undefined,
  lookupMisses: [],
  available: world.setting.platform.dmaEntryLimit,
  invalidVaddrs: 0,
  tracksDirty: false,
});

const setNoIommu = (world: World, container: Container, type: bigint): readonly Outcome[] => {
  const rules = type1SetIommuRules;
  const { platform, credentials } = world.setting;
  const disallowed = failed(rules.noIommuOnly, world);
  if (type !== VFIO_NOIOMMU_IOMMU || platform.noIommuEnabled === false) return [disallowed];
  const allowed = credentials.privileged
    ? succeeded(rules.noIommu, withContainer(world, { ...container, noIommu: true }))
    : failed(rules.noIommuNotPrivileged, world);
  if (platform.noIommuEnabled === true) return [allowed];
  const unknown = 'it is not known whether the kernel still allows devices without an IOMMU';
  return [allowed, { ...disallowed, unknown }];
};

export const setIommu = (world: World, file: FileId, call: IoctlCall): readonly Outcome[] => {
  const rules = type1SetIommuRules;
  const container = containerOf(world, file);
  const { argument } = call;
  const { platform } = world.setting;
  if (container.groups.length === 0) return [failed(rules.noGroup, world)];
  if (container.type1 !== undefined || container.noIommu) return [failed(rules.typeSet, world)];
  if (hasNoIommuGroups(platform, container)) return setNoIommu(world, container, argument);
  if (!isExtension(world, argument)) return [failed(rules.unknownType, world)];
  const nesting = argument === VFIO_TYPE1_NESTING_IOMMU;
  if (argument !== VFIO_TYPE1_IOMMU && argument !== VFIO_TYPE1v2_IOMMU && !nesting) {
    return [failed(rules.notAType, world)];
  }
  let type1 = newType1(world, argument === VFIO_TYPE1_IOMMU ? 1 : 2, nesting);
  if (container.groups.some((group) => isCoarse(platform, group))) {
    return [untracking(withContainer(world, { ...container, type1 }), world, file, COARSE)];
  }
  for (const group of container.groups) {
    const attached = attachGroup(world, type1, group, call.process);
    if (isRefused(attached)) return [failedBy(attached, world)];
    type1 = attached.type1;
  }
  const rule = nesting ? rules.nesting : type1.version === 1 ? rules.v1 : rules.v2;
  return [succeeded(rule, withContainer(world, { ...container, type1 }))];
};
