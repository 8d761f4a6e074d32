// Calls on devices and on files that are not specified. One of them reaches into an iommufd, which is forgotten then.

import { fileDescriptor } from '../abi/units.ts';
import { VFIO_DEVICE_BIND_IOMMUFD } from '../abi/vfio.ts';
import type { IoctlCall } from '../call.ts';
import type { Unspecified } from '../outcome.ts';
import { fileAt, openFile, type World, withContext } from '../world.ts';

/** Where struct vfio_device_bind_iommufd holds the iommufd's descriptor, in bytes. */
const IOMMUFD_AT = 8;

const withoutBoundContext = (world: World, call: IoctlCall, what: string): World => {
  const bytes = call.memory[0]?.bytes;
  if (bytes === undefined || bytes.length < IOMMUFD_AT + 4) return world;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = fileAt(world, call.process, fileDescriptor(view.getInt32(IOMMUFD_AT, true)));
  const file = id === undefined ? undefined : openFile(world, id);
  return file?.kind === 'iommufd'
    ? withContext(world, { ...file.context, forgotten: what })
    : world;
};

export const unspecifiedIoctl = (world: World, call: IoctlCall, on: string): Unspecified => ({
  kind: 'unspecified',
  what: `an ioctl on ${on}`,
  world: ({ errno }) =>
    errno === 0 && call.command === VFIO_DEVICE_BIND_IOMMUFD
      ? withoutBoundContext(world, call, `a device was bound by its own file, ${on}`)
      : world,
});
