// The calls of a group's descriptor, as far as the compatibility path goes: vfio_group_fops_unl_ioctl() in
// drivers/vfio/group.c.

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
import { failed, type Outcome, succeeded } from '../outcome.ts';
import { grants, refuses, rulesOf } from '../rule.ts';
import {
  contextOf,
  fileAt,
  type GroupFile,
  openFile,
  type World,
  withContext,
  withFile,
} from '../world.ts';
import { getDeviceFd } from './get-device-fd.ts';
import { releasedUnheld } from './release.ts';

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
    unsets: grants(
      'The group has no container any more; devices that are open keep the iommufd, and stay attached.',
    ),
  },
);

/** Whether a device of the group is bound, so that its DMA belongs to somebody. */
const isOwned = (world: World, group: number): boolean =>
  world.setting.platform.devices.some(
    (device) => device.group === group && device.iommu !== 'none' && world.devices.has(device.name),
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
      return getDeviceFd(world, file, call);
    default:
      return [failed(groupRules.unknownNumber, world)];
  }
};
