// SPDX-License-Identifier: MIT
// VFIO_GROUP_GET_DEVICE_FD: vfio_group_ioctl_get_device_fd() in drivers/vfio/group.c. The first descriptor of a
// device binds it to the group's iommufd and attaches it to the compatibility IOAS; under a legacy container the group is
// attached already.

import { fileDescriptor, type ObjectId, PAGE_SIZE } from '../abi/units.ts';
import { compatIoas } from '../compat/compat-ioas.ts';
import { readablePrefix } from '../knowledge/user-copy.ts';
import { opensDescriptor } from '../outcome/open-descriptor.ts';
import {
  failed,
  failedBy,
  type Outcome,
  type Reply,
  type Unspecified,
} from '../outcome/outcome.ts';
import { lowestFreeId } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import {
  contextOf,
  type GroupFile,
  type OpenDevice,
  openFile,
  type World,
  withDescriptor,
  withNewFile,
  withState,
} from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import type { PlatformDevice } from '../terms/platform.ts';
import {
  grants,
  isRefused,
  type Refused,
  type Rule,
  refused,
  refuses,
  rulesOf,
} from '../terms/rule.ts';
import { attachedDevice, boundDevice } from './bind-device.ts';

export const groupGetDeviceFdRules = rulesOf(
  {
    id: 'group-get-device-fd',
    title: 'VFIO_GROUP_GET_DEVICE_FD',
    source: 'vfio_df_group_open() in drivers/vfio/group.c',
  },
  {
    nameFault: refuses(
      'EFAULT',
      'The name cannot be read up to its end.',
      'strndup_user() in mm/util.c',
    ),
    nameTooLong: refuses(
      'EINVAL',
      'The name does not end within a page.',
      'strndup_user() in mm/util.c',
    ),
    noDevice: refuses(
      'ENODEV',
      'The group has no device of that name.',
      'vfio_group_ioctl_get_device_fd() in drivers/vfio/group.c',
    ),
    unknownOption: refuses(
      'EINVAL',
      'A space and an option follow the name of a PCI device that is not a virtual function and has none.',
      'vfio_pci_core_match() in drivers/vfio/pci/vfio_pci_core.c',
    ),
    noContainer: refuses('EINVAL', 'The group has no container.'),
    noType: refuses(
      'EINVAL',
      'Legacy container: no type is set.',
      'vfio_group_use_container() in drivers/vfio/container.c',
    ),
    type1NoIommuNotPrivileged: refuses(
      'EPERM',
      'Legacy container: the device is in a no-IOMMU group, and the process lacks CAP_SYS_RAWIO.',
      'vfio_group_use_container() in drivers/vfio/container.c',
    ),
    noIommuNotPrivileged: refuses(
      'EPERM',
      'iommufd: the device is in a no-IOMMU group, and the process lacks CAP_SYS_RAWIO.',
    ),
    noIommuWithIoas: refuses(
      'EPERM',
      'iommufd: it has a compatibility IOAS, the group is a no-IOMMU group, and the device is not open.',
    ),
    opensUnbound: grants(
      'iommufd, no-IOMMU group: opens the device unbound, without a reference to the iommufd or the group. Returns a descriptor.',
      'vfio_df_iommufd_bind() in drivers/vfio/iommufd.c',
    ),
    opensFirst: grants(
      'iommufd: binds the device and attaches it to the compatibility IOAS. Returns a descriptor.',
    ),
    opensUnderType1: grants(
      'Legacy container: opens the device, which keeps its group open. Returns a descriptor.',
      'vfio_group_use_container() in drivers/vfio/container.c',
    ),
    opensAgain: grants(
      'The device is open already, and stays attached as it is. Returns one more descriptor.',
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
  const rule = fault ? groupGetDeviceFdRules.nameFault : groupGetDeviceFdRules.nameTooLong;
  return { kind: 'refused', reply: failed(rule, world) };
};

/** The device with the name. After the name of a PCI device, spaces are ignored and options may follow. */
const deviceWithName = (
  devices: readonly PlatformDevice[],
  text: string,
): { readonly device: PlatformDevice; readonly options: boolean } | undefined => {
  for (const device of devices) {
    if (text === device.name) return { device, options: false };
    if (device.iommu === 'none' || !text.startsWith(`${device.name} `)) continue;
    return { device, options: !/^ *$/.test(text.slice(device.name.length)) };
  }
  return undefined;
};

/** Binds the device to the iommufd, and attaches it to the compatibility IOAS. */
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
  const attached = attachedDevice(world, state, object, found.ioas, lowestFreeId(state.context));
  return isRefused(attached) ? attached : { world: withState(world, attached.state), object };
};

const withOpen = (world: World, name: string, open: OpenDevice): World => ({
  ...world,
  devices: new Map(world.devices).set(name, open),
});

const openedUnbound = (
  world: World,
  iommufd: FileId,
  name: string,
): { readonly world: World; readonly rule: Rule } | Refused => {
  if (!world.setting.credentials.privileged)
    return refused(groupGetDeviceFdRules.noIommuNotPrivileged);
  if (contextOf(world, iommufd).compatIoas !== undefined) {
    return refused(groupGetDeviceFdRules.noIommuWithIoas);
  }
  return {
    world: withOpen(world, name, { kind: 'unbound', opens: 1 }),
    rule: groupGetDeviceFdRules.opensUnbound,
  };
};

/** The first open of a device binds it, or keeps its group open. */
const openedFirst = (
  world: World,
  id: FileId,
  container: FileId,
  device: PlatformDevice,
): { readonly world: World; readonly rule: Rule } | Refused => {
  const { name } = device;
  const file = openFile(world, container);
  if (file?.kind === 'container') {
    const { type1, noIommu } = file.container;
    if (type1 === undefined && !noIommu) return refused(groupGetDeviceFdRules.noType);
    if (noIommu && !world.setting.credentials.privileged) {
      return refused(groupGetDeviceFdRules.type1NoIommuNotPrivileged);
    }
    return {
      world: withOpen(world, name, { kind: 'held', group: id, opens: 1 }),
      rule: groupGetDeviceFdRules.opensUnderType1,
    };
  }
  if (device.iommu === 'noiommu') return openedUnbound(world, container, name);
  const bound = withBound(world, container, device);
  if (isRefused(bound)) return bound;
  const { object } = bound;
  const open = { kind: 'bound', iommufd: container, object, opens: 1 } as const;
  return { world: withOpen(bound.world, name, open), rule: groupGetDeviceFdRules.opensFirst };
};

/** The device is open through an iommufd already. */
const openedOtherwise = (
  world: World,
  { process }: IoctlCall,
  name: string,
  already: OpenDevice,
): Unspecified => ({
  kind: 'unspecified',
  what: 'a device that is open through an iommufd, opened under a legacy container',
  world: ({ errno, result }) => {
    if (errno !== 0) return world;
    const again = withOpen(world, name, { ...already, opens: already.opens + 1 });
    const made = withNewFile(again, () => ({ kind: 'device', name }));
    return withDescriptor(made.world, process, fileDescriptor(result), made.id);
  },
});

/** Why the state of the group's container or iommufd is not known. */
const containerDoubt = (world: World, container: FileId): string | undefined => {
  const file = openFile(world, container);
  if (file?.kind === 'iommufd') return file.context.untracked;
  return file?.kind === 'container' ? file.container.untracked : undefined;
};

/** Opens a device whose state is not known. */
const openedInDoubt = (world: World, { process }: IoctlCall, untracked: string): Unspecified => {
  const why = `${untracked} may have changed the container`;
  return {
    kind: 'unspecified',
    what: why,
    doubtful: true,
    world: ({ errno, result }) => {
      if (errno !== 0) return world;
      const path = 'anon_inode:[vfio-device]';
      const made = withNewFile(world, () => ({ kind: 'unspecified', path, why }));
      return withDescriptor(made.world, process, fileDescriptor(result), made.id);
    },
  };
};

const opened = (
  world: World,
  id: FileId,
  { container }: GroupFile,
  call: IoctlCall,
  device: PlatformDevice,
): Outcome => {
  const { name } = device;
  if (container === undefined) return failed(groupGetDeviceFdRules.noContainer, world);
  const already = world.devices.get(name);
  const doubt = containerDoubt(world, container);
  if (doubt !== undefined && already === undefined) return openedInDoubt(world, call, doubt);
  const isOpenElsewhere = already !== undefined && already.kind !== 'held';
  if (isOpenElsewhere && openFile(world, container)?.kind === 'container') {
    return openedOtherwise(world, call, name, already);
  }
  const done =
    already === undefined
      ? openedFirst(world, id, container, device)
      : {
          world: withOpen(world, name, { ...already, opens: already.opens + 1 }),
          rule: groupGetDeviceFdRules.opensAgain,
        };
  if (isRefused(done)) return failedBy(done, world);
  return opensDescriptor(done.world, call.process, done.rule, () => ({ kind: 'device', name }));
};

export const getDeviceFd = (
  world: World,
  id: FileId,
  file: GroupFile,
  call: IoctlCall,
): readonly Outcome[] => {
  const read = readName(world, call);
  if (read.kind === 'refused') return [read.reply];
  const devices = world.setting.platform.devices.filter((device) => device.group === file.group);
  if (read.kind === 'name') {
    const named = deviceWithName(devices, read.name);
    if (named === undefined) return [failed(groupGetDeviceFdRules.noDevice, world)];
    if (named.options) return [failed(groupGetDeviceFdRules.unknownOption, world)];
    return [opened(world, id, file, call, named.device)];
  }
  const unknown = 'the recording shows only the first bytes of the name';
  const candidates = devices.filter(({ name }) => name.startsWith(read.prefix));
  return [
    ...candidates.map((device) => {
      const outcome = opened(world, id, file, call, device);
      return outcome.kind === 'reply' ? { ...outcome, unknown } : outcome;
    }),
    { ...failed(groupGetDeviceFdRules.noDevice, world), unknown },
  ];
};
