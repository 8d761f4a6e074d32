// SPDX-License-Identifier: MIT
// The calls of a group: vfio_group_fops_unl_ioctl() in drivers/vfio/group.c. Its container is a legacy container or an
// iommufd.

import { decode, encode } from '../abi/layout.ts';
import {
  VFIO_GROUP_FLAGS_CONTAINER_SET,
  VFIO_GROUP_FLAGS_VIABLE,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_STATUS,
  VFIO_GROUP_UNSET_CONTAINER,
} from '../abi/vfio.ts';
import { write } from '../knowledge/user-copy.ts';
import { loadVfioStruct } from '../knowledge/vfio-struct.ts';
import { failed, type Outcome, succeeded } from '../outcome/outcome.ts';
import type { FileId } from '../state/files.ts';
import { type GroupFile, openFile, type World, withFile } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { isGroupInUse, isNoIommuGroup } from '../terms/platform.ts';
import { grants, refuses, rulesOf } from '../terms/rule.ts';
import { leftBy } from '../type1/membership.ts';
import { getDeviceFd } from './get-device-fd.ts';
import { hasOpenDevice, releasedIfUnused } from './release.ts';
import { isOwned, setContainer } from './set-container.ts';

export const groupDispatchRules = rulesOf(
  {
    id: 'group-dispatch',
    title: 'VFIO ioctls on a group',
    source: 'vfio_group_fops_unl_ioctl() in drivers/vfio/group.c',
  },
  {
    unknownIoctl: refuses('ENOTTY', 'The call is not one of groups.'),
  },
);

export const groupGetStatusRules = rulesOf(
  {
    id: 'group-get-status',
    title: 'VFIO_GROUP_GET_STATUS',
    source: 'vfio_group_ioctl_get_status() in drivers/vfio/group.c',
  },
  {
    structFault: refuses('EFAULT', 'The 8 bytes of the struct cannot be read.'),
    tooShort: refuses('EINVAL', 'argsz is less than 8.'),
    replyFault: refuses('EFAULT', 'The struct cannot be written back.'),
    reports: grants(
      'flags returns CONTAINER_SET and VIABLE with a container; without one VIABLE, unless a device is bound or a kernel driver uses one.',
    ),
  },
);

export const groupUnsetContainerRules = rulesOf(
  {
    id: 'group-unset-container',
    title: 'VFIO_GROUP_UNSET_CONTAINER',
    source: 'vfio_group_ioctl_unset_container() in drivers/vfio/group.c',
  },
  {
    noContainer: refuses('EINVAL', 'The group has no container.'),
    deviceOpen: refuses('EBUSY', 'Legacy container: a device of the group is open.'),
    leaves: grants(
      'Legacy container: the group leaves it. With the last group, the type and every map are removed.',
      'vfio_group_detach_container() in drivers/vfio/container.c',
    ),
    unsets: grants('iommufd: the group leaves it. Open devices stay bound and attached.'),
    unsetsNoIommu: grants(
      'iommufd: the no-IOMMU group leaves it. Devices stay open, and the iommufd still takes no other groups.',
    ),
  },
);

const getStatus = (world: World, file: GroupFile, call: IoctlCall): readonly Outcome[] => {
  const loaded = loadVfioStruct(world, call, VFIO_GROUP_STATUS.size, groupGetStatusRules);
  if ('outcomes' in loaded) return loaded.outcomes;
  const { argsz } = decode(VFIO_GROUP_STATUS, loaded.bytes);
  const hasContainer = file.container !== undefined;
  const isClaimed = isOwned(world, file.group) || isGroupInUse(world.setting.platform, file.group);
  const viable = hasContainer || !isClaimed ? VFIO_GROUP_FLAGS_VIABLE : 0;
  const flags = viable | (hasContainer ? VFIO_GROUP_FLAGS_CONTAINER_SET : 0);
  const answer = write(
    world.memory,
    call.process,
    call.argument,
    encode(VFIO_GROUP_STATUS, { argsz, flags }),
  );
  return answer.whole
    ? [succeeded(groupGetStatusRules.reports, world, [answer.write])]
    : [failed(groupGetStatusRules.replyFault, world, [answer.write])];
};

const unsetContainer = (world: World, id: FileId, file: GroupFile): readonly Outcome[] => {
  if (file.container === undefined) return [failed(groupUnsetContainerRules.noContainer, world)];
  const alone = withFile(world, id, { ...file, container: undefined });
  if (openFile(world, file.container)?.kind === 'container') {
    if (hasOpenDevice(world, id)) return [failed(groupUnsetContainerRules.deviceOpen, world)];
    const left = leftBy(alone, file.container, file.group);
    return [succeeded(groupUnsetContainerRules.leaves, releasedIfUnused(left, file.container))];
  }
  const rule = isNoIommuGroup(world.setting.platform, file.group)
    ? groupUnsetContainerRules.unsetsNoIommu
    : groupUnsetContainerRules.unsets;
  return [succeeded(rule, releasedIfUnused(alone, file.container))];
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
      return [failed(groupDispatchRules.unknownIoctl, world)];
  }
};
