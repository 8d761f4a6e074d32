// SPDX-License-Identifier: MIT
// Unspecified calls on devices and files. Two of them change an iommufd or a legacy container, which becomes untracked:
// BIND_IOMMUFD and SET_CONTAINER.

import { fileDescriptor } from '../abi/units.ts';
import { VFIO_DEVICE_BIND_IOMMUFD, VFIO_GROUP_SET_CONTAINER } from '../abi/vfio.ts';
import type { Unspecified } from '../outcome/outcome.ts';
import {
  fileAt,
  openFile,
  type UnspecifiedFile,
  type World,
  withContainer,
  withContext,
} from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';

/** The offset of the descriptor in struct vfio_device_bind_iommufd. */
const IOMMUFD_AT = 8;

/** The world in which the iommufd or container whose descriptor is in the call's struct is untracked. */
const withoutNamed = (world: World, call: IoctlCall, at: number, what: string): World => {
  const bytes = call.memory[0]?.bytes;
  if (bytes === undefined || bytes.length < at + 4) return world;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = fileAt(world, call.process, fileDescriptor(view.getInt32(at, true)));
  const file = id === undefined ? undefined : openFile(world, id);
  if (file?.kind === 'iommufd') return withContext(world, { ...file.context, untracked: what });
  return file?.kind === 'container'
    ? withContainer(world, { ...file.container, untracked: what })
    : world;
};

export const unspecifiedIoctl = (
  world: World,
  call: IoctlCall,
  { path: on, why }: UnspecifiedFile,
): Unspecified => ({
  kind: 'unspecified',
  what: why ?? `an ioctl on ${on}`,
  ...(why === undefined ? {} : { doubtful: true }),
  world: ({ errno }) => {
    if (errno !== 0) return world;
    switch (call.command) {
      case VFIO_DEVICE_BIND_IOMMUFD:
        return withoutNamed(world, call, IOMMUFD_AT, `a device was bound by its own file, ${on}`);
      case VFIO_GROUP_SET_CONTAINER:
        return withoutNamed(world, call, 0, `a group joined that is not specified, ${on}`);
      default:
        return world;
    }
  },
});
