// VFIO_GROUP_GET_DEVICE_FD: vfio_group_ioctl_get_device_fd() in drivers/vfio/group.c. The first descriptor of a
// device binds it to the group's iommufd and attaches it to the compatibility IOAS.

import type { ObjectId } from '../abi/units.ts';
import { PAGE_SIZE } from '../abi/units.ts';
import type { IoctlCall } from '../call.ts';
import { compatIoas } from '../compat/compat-ioas.ts';
import type { FileId } from '../files.ts';
import { leastFreeId } from '../iommufd/context.ts';
import { readablePrefix } from '../memory/user-access.ts';
import { opensDescriptor } from '../open-descriptor.ts';
import { failed, failedBy, type Outcome, type Reply } from '../outcome.ts';
import type { PlatformDevice } from '../platform.ts';
import { grants, isRefused, type Refused, refuses, rulesOf } from '../rule.ts';
import { type GroupFile, type World, withState } from '../world.ts';
import { attachedDevice, boundDevice } from './bind-device.ts';

export const getDeviceFdRules = rulesOf(
  'VFIO_GROUP_GET_DEVICE_FD',
  'vfio_group_ioctl_get_device_fd() in drivers/vfio/group.c',
  {
    nameFault: refuses(
      'EFAULT',
      "The device's name cannot be read up to its end.",
      'strndup_user() in mm/util.c',
    ),
    nameTooLong: refuses(
      'EINVAL',
      'The name does not end within a page.',
      'strndup_user() in mm/util.c',
    ),
    noDevice: refuses('ENODEV', 'The group has no device of that name.'),
    noContainer: refuses(
      'EINVAL',
      'The group has no container.',
      'vfio_df_group_open() in drivers/vfio/group.c',
    ),
    opensFirst: grants(
      'The device has been bound to the iommufd and attached to its IOAS for VFIO calls; the result is a descriptor.',
      'vfio_df_group_open() in drivers/vfio/group.c',
    ),
    opensAgain: grants(
      'The device is open already and stays as it is attached; the result is one more descriptor.',
      'vfio_df_open() in drivers/vfio/vfio_main.c',
    ),
  },
);

type Name =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'refused'; readonly reply: Reply }
  /** A recording shows only the first bytes. */
  | { readonly kind: 'prefix'; readonly prefix: string };

const readName = (world: World, call: IoctlCall): Name => {
  const { bytes, fault } = readablePrefix(world.memory, call, call.argument, PAGE_SIZE);
  const end = bytes.indexOf(0);
  const text = String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
  if (end >= 0) return { kind: 'name', name: text };
  if (world.memory.knowledge === 'recorded') return { kind: 'prefix', prefix: text };
  const rule = fault ? getDeviceFdRules.nameFault : getDeviceFdRules.nameTooLong;
  return { kind: 'refused', reply: failed(rule, world) };
};

/** The world with the device bound to the iommufd, attached where VFIO calls go. */
const withBound = (
  world: World,
  iommufd: FileId,
  device: PlatformDevice,
): { readonly world: World; readonly object: ObjectId } | Refused => {
  const bound = boundDevice(world, iommufd, device);
  if (isRefused(bound)) return bound;
  const { state, object } = bound;
  const found = compatIoas(state.context);
  if (isRefused(found)) return found;
  const attached = attachedDevice(world, state, object, found.ioas, leastFreeId(state.context));
  return isRefused(attached) ? attached : { world: withState(world, attached.state), object };
};

const opened = (world: World, file: GroupFile, call: IoctlCall, device: PlatformDevice): Reply => {
  const { name } = device;
  if (file.container === undefined) return failed(getDeviceFdRules.noContainer, world);
  const already = world.devices.get(name);
  const bound =
    already === undefined
      ? withBound(world, file.container, device)
      : { world, object: already.object };
  if (isRefused(bound)) return failedBy(bound, world);
  const open = {
    iommufd: already?.iommufd ?? file.container,
    object: bound.object,
    opens: (already?.opens ?? 0) + 1,
  };
  const held = { ...bound.world, devices: new Map(world.devices).set(name, open) };
  const rule = already === undefined ? getDeviceFdRules.opensFirst : getDeviceFdRules.opensAgain;
  return opensDescriptor(held, call.process, rule, () => ({ kind: 'device', name }));
};

export const getDeviceFd = (world: World, file: GroupFile, call: IoctlCall): readonly Outcome[] => {
  const read = readName(world, call);
  if (read.kind === 'refused') return [read.reply];
  const devices = world.setting.platform.devices.filter((device) => device.group === file.group);
  if (read.kind === 'name') {
    const device = devices.find(({ name }) => name === read.name);
    return device === undefined
      ? [failed(getDeviceFdRules.noDevice, world)]
      : [opened(world, file, call, device)];
  }
  const unknown = 'the recording shows only the first bytes of the name';
  const candidates = devices.filter(({ name }) => name.startsWith(read.prefix));
  return [
    ...candidates.map((device) => ({ ...opened(world, file, call, device), unknown })),
    { ...failed(getDeviceFdRules.noDevice, world), unknown },
  ];
};
