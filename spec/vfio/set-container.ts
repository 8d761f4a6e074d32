// SPDX-License-Identifier: MIT
// VFIO_GROUP_SET_CONTAINER: vfio_group_ioctl_set_container() in drivers/vfio/group.c. Which groups a legacy container
// or an iommufd accepts besides those that it has.

import { decode } from '../abi/layout.ts';
import { VFIO_CONTAINER_FD } from '../abi/vfio.ts';
import { withMemoryDoubt } from '../knowledge/memory-doubt.ts';
import { load } from '../knowledge/user-copy.ts';
import { failed, failuresBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { hasNoIommuGroups } from '../state/container.ts';
import { lowestFreeId, withObject } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import { EMPTY_IO_PAGETABLE } from '../state/io-pagetable.ts';
import {
  containerOf,
  contextOf,
  fileAt,
  type GroupFile,
  openFile,
  type World,
  withContainer,
  withContext,
  withFile,
} from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { isGroupInUse, isNoIommuGroup } from '../terms/platform.ts';
import { grants, isRefused, refuses, rulesOf } from '../terms/rule.ts';
import { COARSE, isCoarse } from '../type1/group-hardware.ts';
import { joinedBy } from '../type1/membership.ts';

export const groupSetContainerRules = rulesOf(
  {
    id: 'group-set-container',
    title: 'VFIO_GROUP_SET_CONTAINER',
    source: 'vfio_group_ioctl_set_container() in drivers/vfio/group.c',
  },
  {
    descriptorFault: refuses('EFAULT', 'The number of the descriptor cannot be read.'),
    badDescriptor: refuses('EBADF', 'The descriptor is not open.'),
    hasContainer: refuses('EINVAL', 'The group has a container already.'),
    noIommuNotPrivileged: refuses(
      'EPERM',
      'Legacy container: the group is a no-IOMMU group, and the process lacks CAP_SYS_RAWIO.',
      'vfio_container_attach_group() in drivers/vfio/container.c',
    ),
    mixesNoIommu: refuses(
      'EPERM',
      'Legacy container: the group is a no-IOMMU group and those in it are not, or the reverse. An mdev group is not one.',
      'vfio_container_attach_group() in drivers/vfio/container.c',
    ),
    groupOwned: refuses(
      'EPERM',
      'Legacy container: a device of the group is still bound to an iommufd.',
      'iommu_group_claim_dma_owner() in drivers/iommu/iommu.c',
    ),
    groupInUse: refuses(
      'EPERM',
      'Legacy container: a kernel driver uses a device of the group.',
      'iommu_group_claim_dma_owner() in drivers/iommu/iommu.c',
    ),
    joins: grants(
      'Legacy container: the group joins it, and is attached if a type is set.',
      'vfio_container_attach_group() in drivers/vfio/container.c',
    ),
    joinsNoIommu: grants(
      'Legacy container: the no-IOMMU group joins it, even after SET_IOMMU.',
      'vfio_container_attach_group() in drivers/vfio/container.c',
    ),
    notAContainer: refuses(
      'EBADFD',
      'The descriptor is neither a legacy container nor an iommufd.',
    ),
    noIommuWithIoas: refuses(
      'EINVAL',
      'iommufd: it has a compatibility IOAS, and the group is a no-IOMMU group.',
      'iommufd_vfio_compat_set_no_iommu() in drivers/iommu/iommufd/vfio_compat.c',
    ),
    setsNoIommu: grants(
      'iommufd: becomes the container of the no-IOMMU group, without a compatibility IOAS, and takes no other groups from now on.',
      'iommufd_vfio_compat_set_no_iommu() in drivers/iommu/iommufd/vfio_compat.c',
    ),
    servesNoIommu: refuses(
      'EINVAL',
      'iommufd: it has been the container of a no-IOMMU group, and this group is not one. VFIO_IOAS does not change that.',
      'iommufd_vfio_compat_ioas_create() in drivers/iommu/iommufd/vfio_compat.c',
    ),
    setsFirst: grants(
      'iommufd: becomes the container, and gets a compatibility IOAS as it had none.',
      'iommufd_vfio_compat_ioas_create() in drivers/iommu/iommufd/vfio_compat.c',
    ),
    sets: grants('iommufd: becomes the container, and keeps its compatibility IOAS.'),
  },
);

/** Whether a device of the group is bound to an iommufd, which then owns its DMA. */
export const isOwned = (world: World, group: number): boolean =>
  world.setting.platform.devices.some(
    (device) =>
      device.group === group &&
      typeof device.iommu === 'number' &&
      world.devices.get(device.name)?.kind === 'bound',
  );

const withGroupJoined = (world: World, id: FileId, file: GroupFile, container: FileId): World =>
  withFile(world, id, { ...file, container });

/** A call that may have any reply. If it succeeds, the container is untracked. */
const joinsUntracked = (
  world: World,
  id: FileId,
  file: GroupFile,
  container: FileId,
  what: string,
  doubtful: boolean,
): Outcome => ({
  kind: 'unspecified',
  what,
  ...(doubtful ? { doubtful: true } : {}),
  world: ({ errno }) => {
    if (errno !== 0) return world;
    const { groups } = containerOf(world, container);
    const known = { ...containerOf(world, container), groups: [file.group, ...groups] };
    const untracked = withContainer(world, { ...known, untracked: what });
    return withGroupJoined(untracked, id, file, container);
  },
});

const joinContainer = (
  world: World,
  id: FileId,
  file: GroupFile,
  container: FileId,
  call: IoctlCall,
): readonly Outcome[] => {
  const { platform, credentials } = world.setting;
  const noIommu = isNoIommuGroup(platform, file.group);
  if (noIommu && !credentials.privileged) {
    return [failed(groupSetContainerRules.noIommuNotPrivileged, world)];
  }
  const { groups } = containerOf(world, container);
  if (groups.length > 0 && noIommu !== hasNoIommuGroups(platform, containerOf(world, container))) {
    return [failed(groupSetContainerRules.mixesNoIommu, world)];
  }
  if (isGroupInUse(platform, file.group)) return [failed(groupSetContainerRules.groupInUse, world)];
  if (isOwned(world, file.group)) return [failed(groupSetContainerRules.groupOwned, world)];
  const { untracked, type1 } = containerOf(world, container);
  if (untracked !== undefined) return [joinsUntracked(world, id, file, container, untracked, true)];
  if (type1 !== undefined && isCoarse(world.setting.platform, file.group)) {
    return [joinsUntracked(world, id, file, container, COARSE, false)];
  }
  const joined = joinedBy(world, container, file.group, call.process);
  if (isRefused(joined)) return failuresBy(joined, world);
  const after = withGroupJoined(joined.world, id, file, container);
  const rule = noIommu ? groupSetContainerRules.joinsNoIommu : groupSetContainerRules.joins;
  return withMemoryDoubt(succeeded(rule, after), world, joined.pinned);
};

/** The iommufd becomes the container of the group. */
const setIommufd = (
  world: World,
  id: FileId,
  file: GroupFile,
  iommufd: FileId,
): readonly Outcome[] => {
  const joined = withFile(world, id, { ...file, container: iommufd });
  const context = contextOf(joined, iommufd);
  const hasIoas = context.compatIoas !== undefined;
  if (isNoIommuGroup(world.setting.platform, file.group)) {
    const serving = withContext(joined, { ...context, noIommu: true });
    if (context.untracked !== undefined) {
      const what = `${context.untracked} may have changed the iommufd`;
      const after = (errno: number): World => (errno === 0 ? serving : world);
      return [{ kind: 'unspecified', what, doubtful: true, world: ({ errno }) => after(errno) }];
    }
    if (hasIoas) return [failed(groupSetContainerRules.noIommuWithIoas, world)];
    return [succeeded(groupSetContainerRules.setsNoIommu, serving)];
  }
  if (context.untracked !== undefined) {
    const what = `${context.untracked} may have changed the iommufd`;
    return [
      {
        kind: 'unspecified',
        what,
        doubtful: true,
        world: ({ errno }) => (errno === 0 ? joined : world),
      },
    ];
  }
  if (context.noIommu) return [failed(groupSetContainerRules.servesNoIommu, world)];
  if (hasIoas) return [succeeded(groupSetContainerRules.sets, joined)];
  const ioas = lowestFreeId(context);
  const made = withObject(context, ioas, { kind: 'ioas', table: EMPTY_IO_PAGETABLE });
  return [
    succeeded(groupSetContainerRules.setsFirst, withContext(joined, { ...made, compatIoas: ioas })),
  ];
};

export const setContainer = (
  world: World,
  id: FileId,
  file: GroupFile,
  call: IoctlCall,
): readonly Outcome[] => {
  const loaded = load(world.memory, call, call.argument, VFIO_CONTAINER_FD.size);
  if (loaded.kind !== 'bytes') return [failed(groupSetContainerRules.descriptorFault, world)];
  const { fd } = decode(VFIO_CONTAINER_FD, loaded.bytes);
  const other = fileAt(world, call.process, fd);
  const container = other === undefined ? undefined : openFile(world, other);
  if (other === undefined || container === undefined) {
    return [failed(groupSetContainerRules.badDescriptor, world)];
  }
  if (file.container !== undefined) return [failed(groupSetContainerRules.hasContainer, world)];
  if (container.kind === 'unspecified') {
    const what = `SET_CONTAINER to ${container.path}`;
    return [
      {
        kind: 'unspecified',
        what: container.why ?? what,
        ...(container.why === undefined ? {} : { doubtful: true }),
        world: ({ errno }) =>
          errno === 0 ? withFile(world, id, { kind: 'unspecified', path: what }) : world,
      },
    ];
  }
  if (container.kind === 'container') return joinContainer(world, id, file, other, call);
  if (container.kind !== 'iommufd') return [failed(groupSetContainerRules.notAContainer, world)];
  return setIommufd(world, id, file, other);
};
