// The calls of a group's descriptor: vfio_group_fops_unl_ioctl() in drivers/vfio/group.c. Its container is an iommufd or
// a legacy one.

import { decode, encode } from '../abi/layout.ts';
import {
  VFIO_CONTAINER_FD,
  VFIO_GROUP_FLAGS_CONTAINER_SET,
  VFIO_GROUP_FLAGS_VIABLE,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_STATUS,
  VFIO_GROUP_UNSET_CONTAINER,
} from '../abi/vfio.ts';
import type { IoctlCall } from '../call.ts';
import { loadVfioStruct } from '../compat/load-struct.ts';
import type { FileId } from '../files.ts';
import { leastFreeId, withObject } from '../iommufd/context.ts';
import { EMPTY_IO_PAGETABLE } from '../iopt/io-pagetable.ts';
import { load, write } from '../memory/user-access.ts';
import { failed, failuresBy, type Outcome, succeeded, withMemoryDoubt } from '../outcome.ts';
import { grants, isRefused, refuses, rulesOf } from '../rule.ts';
import { COARSE, isCoarse } from '../type1/group-hardware.ts';
import { joinedBy, leftBy } from '../type1/membership.ts';
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
} from '../world.ts';
import { getDeviceFd } from './get-device-fd.ts';
import { holdsGroup, releasedUnheld } from './release.ts';

export const groupRules = rulesOf('groups', 'vfio_group_fops_unl_ioctl() in drivers/vfio/group.c', {
  unknownNumber: refuses('ENOTTY', 'A group has no such call.'),
});

export const groupStatusRules = rulesOf(
  'VFIO_GROUP_GET_STATUS',
  'vfio_group_ioctl_get_status() in drivers/vfio/group.c',
  {
    fault: refuses('EFAULT', 'The 8 bytes of the struct cannot be read.'),
    tooShort: refuses('EINVAL', 'argsz is less than 8.'),
    answerFault: refuses('EFAULT', 'The struct cannot be written back.'),
    tells: grants(
      'flags hold CONTAINER_SET and VIABLE where the group has a container; without one they hold VIABLE, unless a device of the group is still bound.',
    ),
  },
);

export const setContainerRules = rulesOf(
  'VFIO_GROUP_SET_CONTAINER',
  'vfio_group_ioctl_set_container() in drivers/vfio/group.c',
  {
    fault: refuses('EFAULT', 'The descriptor number cannot be read.'),
    badDescriptor: refuses('EBADF', 'The descriptor is not open.'),
    hasContainer: refuses('EINVAL', 'The group has a container already.'),
    owned: refuses(
      'EPERM',
      'The descriptor is a legacy container, and a device of the group still belongs to an iommufd.',
      'iommu_group_claim_dma_owner() in drivers/iommu/iommu.c',
    ),
    joins: grants(
      'The descriptor is a legacy container, and has one more group; if a type is set, the group is attached.',
      'vfio_container_attach_group() in drivers/vfio/container.c',
    ),
    notAContainer: refuses('EBADFD', 'The descriptor is neither a container nor an iommufd.'),
    setsFirst: grants(
      'The iommufd is the container, and has a new IOAS for VFIO calls because it had none.',
      'iommufd_vfio_compat_ioas_create() in drivers/iommu/iommufd/vfio_compat.c',
    ),
    sets: grants('The iommufd is the container; VFIO calls use the IOAS that it had for them.'),
  },
);

export const unsetContainerRules = rulesOf(
  'VFIO_GROUP_UNSET_CONTAINER',
  'vfio_group_ioctl_unset_container() in drivers/vfio/group.c',
  {
    noContainer: refuses('EINVAL', 'The group has no container.'),
    deviceOpen: refuses(
      'EBUSY',
      'The container is a legacy one, and a device of the group is open.',
    ),
    leaves: grants(
      'The legacy container has the group no more; if that was its last, it has no type and no maps any more.',
      'vfio_group_detach_container() in drivers/vfio/container.c',
    ),
    unsets: grants(
      'The container was an iommufd, and the group has none any more; devices that are open keep the iommufd, and stay attached.',
    ),
  },
);

/** Whether a device of the group is bound to an iommufd, so that its DMA belongs to that. */
const isOwned = (world: World, group: number): boolean =>
  world.setting.platform.devices.some(
    (device) =>
      device.group === group &&
      device.iommu !== 'none' &&
      world.devices.get(device.name)?.kind === 'bound',
  );

const getStatus = (world: World, file: GroupFile, call: IoctlCall): readonly Outcome[] => {
  const loaded = loadVfioStruct(world, call, VFIO_GROUP_STATUS.size, groupStatusRules);
  if ('outcomes' in loaded) return loaded.outcomes;
  const { argsz } = decode(VFIO_GROUP_STATUS, loaded.bytes);
  const hasContainer = file.container !== undefined;
  const viable = hasContainer || !isOwned(world, file.group) ? VFIO_GROUP_FLAGS_VIABLE : 0;
  const flags = viable | (hasContainer ? VFIO_GROUP_FLAGS_CONTAINER_SET : 0);
  const answer = write(
    world.memory,
    call.process,
    call.argument,
    encode(VFIO_GROUP_STATUS, { argsz, flags }),
  );
  return answer.whole
    ? [succeeded(groupStatusRules.tells, world, [answer.write])]
    : [failed(groupStatusRules.answerFault, world, [answer.write])];
};

const withGroupJoined = (world: World, id: FileId, file: GroupFile, container: FileId): World =>
  withFile(world, id, { ...file, container });

/** A call that may be answered in any way, after which nothing is known of the container if it succeeds. */
const joinsUntold = (
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
    const untold = withContainer(world, { ...known, forgotten: what });
    return withGroupJoined(untold, id, file, container);
  },
});

const joinContainer = (
  world: World,
  id: FileId,
  file: GroupFile,
  container: FileId,
  call: IoctlCall,
): readonly Outcome[] => {
  if (isOwned(world, file.group)) return [failed(setContainerRules.owned, world)];
  const { forgotten, type1 } = containerOf(world, container);
  if (forgotten !== undefined) return [joinsUntold(world, id, file, container, forgotten, true)];
  if (type1 !== undefined && isCoarse(world.setting.platform, file.group)) {
    return [joinsUntold(world, id, file, container, COARSE, false)];
  }
  const joined = joinedBy(world, container, file.group, call.process);
  if (isRefused(joined)) return failuresBy(joined, world);
  const after = withGroupJoined(joined.world, id, file, container);
  return withMemoryDoubt(succeeded(setContainerRules.joins, after), world, joined.pinned);
};

const setContainer = (
  world: World,
  id: FileId,
  file: GroupFile,
  call: IoctlCall,
): readonly Outcome[] => {
  const loaded = load(world.memory, call, call.argument, VFIO_CONTAINER_FD.size);
  if (loaded.kind !== 'bytes') return [failed(setContainerRules.fault, world)];
  const { fd } = decode(VFIO_CONTAINER_FD, loaded.bytes);
  const other = fileAt(world, call.process, fd);
  const container = other === undefined ? undefined : openFile(world, other);
  if (other === undefined || container === undefined) {
    return [failed(setContainerRules.badDescriptor, world)];
  }
  if (file.container !== undefined) return [failed(setContainerRules.hasContainer, world)];
  if (container.kind === 'unspecified') {
    const what = `SET_CONTAINER to ${container.path}`;
    return [
      {
        kind: 'unspecified',
        what,
        world: ({ errno }) =>
          errno === 0 ? withFile(world, id, { kind: 'unspecified', path: what }) : world,
      },
    ];
  }
  if (container.kind === 'container') return joinContainer(world, id, file, other, call);
  if (container.kind !== 'iommufd') return [failed(setContainerRules.notAContainer, world)];
  const joined = withFile(world, id, { ...file, container: other });
  const context = contextOf(joined, other);
  if (context.compatIoas !== undefined) return [succeeded(setContainerRules.sets, joined)];
  const ioas = leastFreeId(context);
  const made = withObject(context, ioas, { kind: 'ioas', table: EMPTY_IO_PAGETABLE });
  return [
    succeeded(setContainerRules.setsFirst, withContext(joined, { ...made, compatIoas: ioas })),
  ];
};

const unsetContainer = (world: World, id: FileId, file: GroupFile): readonly Outcome[] => {
  if (file.container === undefined) return [failed(unsetContainerRules.noContainer, world)];
  const alone = withFile(world, id, { ...file, container: undefined });
  if (openFile(world, file.container)?.kind === 'container') {
    if (holdsGroup(world, id)) return [failed(unsetContainerRules.deviceOpen, world)];
    const left = leftBy(alone, file.container, file.group);
    return [succeeded(unsetContainerRules.leaves, releasedUnheld(left, file.container))];
  }
  return [succeeded(unsetContainerRules.unsets, releasedUnheld(alone, file.container))];
};

/** An ioctl on a group. */
export const groupIoctl = (
  world: World,
  id: FileId,
  file: GroupFile,
  call: IoctlCall,
): readonly Outcome[] => {
  switch (call.command) {
    case VFIO_GROUP_GET_STATUS:
      return getStatus(world, file, call);
    case VFIO_GROUP_SET_CONTAINER:
      return setContainer(world, id, file, call);
    case VFIO_GROUP_UNSET_CONTAINER:
      return unsetContainer(world, id, file);
    case VFIO_GROUP_GET_DEVICE_FD:
      return getDeviceFd(world, id, file, call);
    default:
      return [failed(groupRules.unknownNumber, world)];
  }
};
