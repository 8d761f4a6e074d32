// SPDX-License-Identifier: MIT
// The calls of a device that was opened through its group or by its cdev: vfio_device_fops_unl_ioctl() in
// drivers/vfio/vfio_main.c. The calls that its driver handles are not specified.

import {
  VFIO_DEVICE_ATTACH_IOMMUFD_PT,
  VFIO_DEVICE_BIND_IOMMUFD,
  VFIO_DEVICE_DETACH_IOMMUFD_PT,
} from '../abi/vfio.ts';
import { failed, type Outcome } from '../outcome/outcome.ts';
import type { FileId } from '../state/files.ts';
import type { CdevFile, DeviceFile, World } from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { refuses, rulesOf } from '../terms/rule.ts';
import { attachIommufdPt } from './attach-iommufd-pt.ts';
import { bindIommufd } from './bind-iommufd.ts';
import { detachIommufdPt } from './detach-iommufd-pt.ts';
import { unspecifiedIoctl } from './unspecified-ioctl.ts';

export const deviceDispatchRules = rulesOf(
  {
    id: 'device-dispatch',
    title: 'VFIO ioctls on a device',
    source: 'vfio_device_fops_unl_ioctl() in drivers/vfio/vfio_main.c',
  },
  {
    notBound: refuses(
      'EINVAL',
      'The device was opened by its cdev and is not bound: it has no call but BIND_IOMMUFD.',
    ),
    ofGroup: refuses(
      'ENOTTY',
      'The device was opened through its group: it has neither ATTACH_IOMMUFD_PT nor DETACH_IOMMUFD_PT.',
      'vfio_pci_core_ioctl() in drivers/vfio/pci/vfio_pci_core.c, mtty_ioctl() in samples/vfio-mdev/mtty.c',
    ),
  },
);

const isAttaching = (command: number): boolean =>
  command === VFIO_DEVICE_ATTACH_IOMMUFD_PT || command === VFIO_DEVICE_DETACH_IOMMUFD_PT;

const A_DEVICE = { kind: 'unspecified', path: 'a VFIO device' } as const;

/** An ioctl on a device. */
export const deviceIoctl = (
  world: World,
  id: FileId,
  file: DeviceFile | CdevFile,
  call: IoctlCall,
): readonly Outcome[] => {
  const { command } = call;
  if (command === VFIO_DEVICE_BIND_IOMMUFD) return bindIommufd(world, id, file, call);
  if (file.kind === 'device') {
    return isAttaching(command)
      ? [failed(deviceDispatchRules.ofGroup, world)]
      : [unspecifiedIoctl(world, call, A_DEVICE)];
  }
  if (!file.bound) return [failed(deviceDispatchRules.notBound, world)];
  if (command === VFIO_DEVICE_ATTACH_IOMMUFD_PT) return attachIommufdPt(world, id, file, call);
  if (command === VFIO_DEVICE_DETACH_IOMMUFD_PT) return detachIommufdPt(world, id, file, call);
  return [unspecifiedIoctl(world, call, A_DEVICE)];
};
