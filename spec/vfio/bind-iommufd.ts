// SPDX-License-Identifier: MIT
// VFIO_DEVICE_BIND_IOMMUFD: vfio_df_ioctl_bind_iommufd() in drivers/vfio/device_cdev.c. A device that was opened by its
// cdev becomes an object of an iommufd, unattached.

import { decode, fieldOf } from '../abi/layout.ts';
import { objectId } from '../abi/units.ts';
import {
  VFIO_DEVICE_BIND,
  VFIO_DEVICE_BIND_FLAG_TOKEN,
  VFIO_DEVICE_BIND_MINIMUM,
  VFIO_TOKEN_LENGTH,
} from '../abi/vfio.ts';
import { idChoice } from '../iommufd/request.ts';
import { structTail } from '../knowledge/struct-tail.ts';
import { load, write } from '../knowledge/user-copy.ts';
import { loadVfioStruct } from '../knowledge/vfio-struct.ts';
import { failed, failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { lowestFreeId } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import {
  type CdevFile,
  contextOf,
  type DeviceFile,
  deviceNamed,
  fileAt,
  openFile,
  type World,
  withFile,
  withState,
} from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { grants, isRefused, onlyWith, refuses, rulesOf } from '../terms/rule.ts';
import { type Bound, boundDevice } from './bind-device.ts';
import { isGroupOpen } from './open.ts';

export const deviceBindIommufdRules = rulesOf(
  {
    id: 'device-bind-iommufd',
    title: 'VFIO_DEVICE_BIND_IOMMUFD',
    source: 'vfio_df_ioctl_bind_iommufd() in drivers/vfio/device_cdev.c',
  },
  {
    structFault: refuses('EFAULT', 'The struct cannot be read.'),
    tooShort: refuses('EINVAL', 'argsz is less than 16.'),
    tailFault: onlyWith(
      'bindTokens',
      refuses(
        'EFAULT',
        'argsz exceeds the struct that the release knows, and bytes beyond it cannot be read; those before them are 0.',
        'copy_struct_from_user() in include/linux/uaccess.h',
      ),
    ),
    tailNotZero: onlyWith(
      'bindTokens',
      refuses(
        'E2BIG',
        'argsz exceeds the struct that the release knows, and a byte beyond it is not 0.',
        'copy_struct_from_user() in include/linux/uaccess.h',
      ),
    ),
    unknownFlags: refuses('EINVAL', 'A flag that the release does not know is set.'),
    negativeDescriptor: refuses('EINVAL', 'The descriptor iommufd is negative.'),
    ofGroup: refuses('EINVAL', 'The device was opened through its group.'),
    groupOpen: refuses(
      'EBUSY',
      'The group of the device is open.',
      'vfio_device_block_group() in drivers/vfio/group.c',
    ),
    bound: refuses('EINVAL', 'The descriptor has bound its device already.'),
    tokenFault: onlyWith(
      'bindTokens',
      refuses(
        'EFAULT',
        'TOKEN: the 16 bytes of the token cannot be read.',
        'vfio_df_check_token() in drivers/vfio/device_cdev.c',
      ),
    ),
    tokenUnused: onlyWith(
      'bindTokens',
      refuses(
        'EINVAL',
        'TOKEN: the device is not a virtual function and has none. An mdev refuses without reading the token.',
        'vfio_pci_core_match_token_uuid() in drivers/vfio/pci/vfio_pci_core.c',
      ),
    ),
    badDescriptor: refuses(
      'EBADF',
      'The descriptor iommufd is not open.',
      'iommufd_ctx_from_fd() in drivers/iommu/iommufd/main.c',
    ),
    notAnIommufd: refuses(
      'EBADFD',
      'The descriptor iommufd is not an iommufd.',
      'iommufd_ctx_from_fd() in drivers/iommu/iommufd/main.c',
    ),
    openElsewhere: refuses(
      'EINVAL',
      'The device is bound by another descriptor of its cdev, or open through its group.',
      'vfio_df_open() in drivers/vfio/vfio_main.c',
    ),
    replyFault: refuses('EFAULT', 'out_devid cannot be written; the device is not bound.'),
    binds: grants(
      'Binds the device to the iommufd, unattached; out_devid returns its id. Its group cannot be opened while it is bound.',
    ),
  },
);

type Loaded = { readonly bytes: Uint8Array } | { readonly outcomes: readonly Outcome[] };

/** A release that knows tokens accepts structs of any length, as native calls do. */
const loadExtensible = (world: World, call: IoctlCall): Loaded => {
  const first = load(world.memory, call, call.argument, 4);
  if (first.kind !== 'bytes')
    return { outcomes: [failed(deviceBindIommufdRules.structFault, world)] };
  const userSize = new DataView(first.bytes.buffer, first.bytes.byteOffset, 4).getUint32(0, true);
  if (userSize < VFIO_DEVICE_BIND_MINIMUM) {
    return { outcomes: [failed(deviceBindIommufdRules.tooShort, world)] };
  }
  const tail = structTail(world.memory, call, VFIO_DEVICE_BIND.size, userSize);
  if (tail === 'fault') return { outcomes: [failed(deviceBindIommufdRules.tailFault, world)] };
  if (tail === 'not zero') return { outcomes: [failed(deviceBindIommufdRules.tailNotZero, world)] };
  const length = Math.min(userSize, VFIO_DEVICE_BIND.size);
  const loaded = load(world.memory, call, call.argument, length);
  if (loaded.kind !== 'bytes')
    return { outcomes: [failed(deviceBindIommufdRules.structFault, world)] };
  const bytes = new Uint8Array(VFIO_DEVICE_BIND.size);
  bytes.set(loaded.bytes);
  return { bytes };
};

const loadFixed = (world: World, call: IoctlCall): Loaded => {
  const loaded = loadVfioStruct(world, call, VFIO_DEVICE_BIND_MINIMUM, deviceBindIommufdRules);
  if ('outcomes' in loaded) return loaded;
  const bytes = new Uint8Array(VFIO_DEVICE_BIND.size);
  bytes.set(loaded.bytes);
  return { bytes };
};

/** The reply to a token. No specified device has one. */
const refusedToken = (
  world: World,
  call: IoctlCall,
  device: string,
  address: bigint,
): readonly Outcome[] => {
  const refusal = failed(deviceBindIommufdRules.tokenUnused, world);
  if (deviceNamed(world, device).iommu === 'none') return [refusal];
  const loaded = load(world.memory, call, address, VFIO_TOKEN_LENGTH);
  const fault = failed(deviceBindIommufdRules.tokenFault, world);
  if (loaded.kind === 'fault') return [fault];
  if (loaded.kind === 'bytes') return [refusal];
  const unknown = 'the recording does not show whether the token can be read';
  return [refusal, { ...fault, unknown }];
};

/** The world in which the descriptor has bound the device. */
const withBinding = (
  world: World,
  id: FileId,
  file: CdevFile,
  iommufd: FileId,
  { state, object }: Bound,
): World => {
  const devices = new Map(world.devices).set(file.name, {
    kind: 'bound',
    iommufd,
    object,
    opens: 1,
  });
  return withFile({ ...withState(world, state), devices }, id, { ...file, bound: true });
};

const bindTo = (
  world: World,
  id: FileId,
  file: CdevFile,
  call: IoctlCall,
  iommufd: FileId,
  bytes: Uint8Array,
): readonly Outcome[] => {
  const device = deviceNamed(world, file.name);
  const context = contextOf(world, iommufd);
  const bound = boundDevice(world, iommufd, device);
  if (isRefused(bound)) return [failedBy(bound, world)];
  const { offset } = fieldOf(VFIO_DEVICE_BIND, 'out_devid');
  const otherwise = (chosen: number): World => {
    const other = boundDevice(world, iommufd, device, objectId(chosen));
    return isRefused(other) ? world : withBinding(world, id, file, iommufd, other);
  };
  if (context.untracked !== undefined) {
    const what = `${context.untracked} may have changed the iommufd`;
    const after = (observed: { readonly errno: number; readonly after: Uint8Array }): World => {
      if (observed.errno !== 0 || observed.after.length < offset + 4) return world;
      const view = new DataView(
        observed.after.buffer,
        observed.after.byteOffset,
        observed.after.byteLength,
      );
      return otherwise(view.getUint32(offset, true));
    };
    return [{ kind: 'unspecified', what, doubtful: true, world: after }];
  }
  const answered = new Uint8Array(4);
  new DataView(answered.buffer).setUint32(0, bound.object, true);
  const { memory } = world;
  const answer = write(memory, call.process, call.argument + BigInt(offset), answered);
  if (!answer.whole) return [failed(deviceBindIommufdRules.replyFault, world, [answer.write])];
  const request = { world, file: iommufd, call, bytes, userSize: bytes.length };
  const reply = succeeded(
    deviceBindIommufdRules.binds,
    withBinding(world, id, file, iommufd, bound),
    [answer.write],
  );
  return [
    {
      ...reply,
      choices: {
        list: [idChoice(request, VFIO_DEVICE_BIND, 'out_devid', lowestFreeId(context))],
        world: ([chosen]) => otherwise(Number(chosen)),
      },
    },
  ];
};

export const bindIommufd = (
  world: World,
  id: FileId,
  file: DeviceFile | CdevFile,
  call: IoctlCall,
): readonly Outcome[] => {
  const knowsTokens = world.release.bindKnowsTokens;
  const loaded = knowsTokens ? loadExtensible(world, call) : loadFixed(world, call);
  if ('outcomes' in loaded) return loaded.outcomes;
  const fields = decode(VFIO_DEVICE_BIND, loaded.bytes);
  const known = knowsTokens ? VFIO_DEVICE_BIND_FLAG_TOKEN : 0;
  if ((fields.flags & ~known) !== 0) return [failed(deviceBindIommufdRules.unknownFlags, world)];
  if (fields.iommufd < 0) return [failed(deviceBindIommufdRules.negativeDescriptor, world)];
  if (file.kind === 'device') return [failed(deviceBindIommufdRules.ofGroup, world)];
  if (isGroupOpen(world, deviceNamed(world, file.name).group)) {
    return [failed(deviceBindIommufdRules.groupOpen, world)];
  }
  if (file.bound) return [failed(deviceBindIommufdRules.bound, world)];
  if ((fields.flags & VFIO_DEVICE_BIND_FLAG_TOKEN) !== 0) {
    return refusedToken(world, call, file.name, fields.token_uuid_ptr);
  }
  const iommufd = fileAt(world, call.process, fields.iommufd);
  const target = iommufd === undefined ? undefined : openFile(world, iommufd);
  if (iommufd === undefined || target === undefined) {
    return [failed(deviceBindIommufdRules.badDescriptor, world)];
  }
  if (target.kind === 'unspecified') {
    const what = `BIND_IOMMUFD to ${target.path}`;
    return [
      {
        kind: 'unspecified',
        what,
        world: ({ errno }) =>
          errno === 0 ? withFile(world, id, { kind: 'unspecified', path: what }) : world,
      },
    ];
  }
  if (target.kind !== 'iommufd') return [failed(deviceBindIommufdRules.notAnIommufd, world)];
  if (world.devices.has(file.name)) return [failed(deviceBindIommufdRules.openElsewhere, world)];
  return bindTo(world, id, file, call, iommufd, loaded.bytes);
};
