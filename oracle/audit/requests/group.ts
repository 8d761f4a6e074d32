// SPDX-License-Identifier: MIT
// Requests to a group.

import {
  READ_ONLY_STRUCT_OFFSET,
  STRUCT_LENGTH,
  STRUCT_OFFSET,
} from '../../../model/programs/arena.ts';
import type { Operation, Value } from '../../../model/programs/program.ts';
import {
  VFIO_DEVICE_BIND_IOMMUFD,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_GROUP_UNSET_CONTAINER,
} from '../../../spec/abi/vfio.ts';
import type { PlatformDevice } from '../../../spec/terms/platform.ts';
import { ioctl, plain, STRUCT } from './make.ts';

const UNWRITABLE: Value = { arena: READ_ONLY_STRUCT_OFFSET };
const END: Value = { arena: STRUCT_OFFSET + STRUCT_LENGTH - 4n };

const status = (group: Value, at: Value, argsz: bigint): Operation =>
  ioctl('status', group, VFIO_GROUP_GET_STATUS, {
    kind: 'struct',
    at,
    layout: 'VFIO_GROUP_GET_STATUS',
    fields: { argsz, flags: 0xffff_ffffn },
  });

export const plainStatus = (label: string, group: Value): Operation => ({
  ...status(group, STRUCT, 8n),
  label,
});

export const setContainer = (label: string, group: Value, fd: Value, at = STRUCT): Operation =>
  ioctl(label, group, VFIO_GROUP_SET_CONTAINER, {
    kind: 'struct',
    at,
    layout: 'VFIO_GROUP_SET_CONTAINER',
    fields: { fd },
  });

/** Binds a device with the 16 bytes that every release has. */
export const bindDevice = (label: string, file: Value, fd: Value, at = STRUCT): Operation =>
  ioctl(label, file, VFIO_DEVICE_BIND_IOMMUFD, {
    kind: 'struct',
    at,
    layout: 'VFIO_DEVICE_BIND_IOMMUFD',
    fields: { argsz: 16n, iommufd: fd },
  });

const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

export const getDevice = (label: string, group: Value, name: string, at = STRUCT): Operation =>
  ioctl(label, group, VFIO_GROUP_GET_DEVICE_FD, { kind: 'bytes', at, hex: `${hexOf(name)}00` });

export const unsetContainer = (label: string, group: Value): Operation =>
  plain(label, group, VFIO_GROUP_UNSET_CONTAINER, 0n);

/** Numbers that a group does not know. */
const OTHER: readonly number[] = [0x3b64, 0x3b65, 0x3b66, 0x3b6b, 0x3b71, 0x3b72, 0x3b81];

/** Every request to a group. `descriptors` are those that the program has open. */
export function* groupRequests(
  group: Value,
  descriptors: readonly Value[],
  devices: readonly PlatformDevice[],
): Generator<Operation> {
  for (const argsz of [8n, 0n, 7n, 9n]) yield status(group, STRUCT, argsz);
  for (const at of [0n, UNWRITABLE, END]) yield status(group, at, 8n);
  for (const fd of [...descriptors, 77n, 0xffff_ffffn]) yield setContainer('set', group, fd);
  yield setContainer('set', group, descriptors[0] ?? 3n, 0n);
  yield unsetContainer('unset', group);
  for (const { name } of devices) yield getDevice('device', group, name);
  for (const name of ['', '0000:00:1f.7']) yield getDevice('device', group, name);
  yield plain('device', group, VFIO_GROUP_GET_DEVICE_FD, 0n);
  for (const command of OTHER) yield plain('other', group, command, STRUCT);
}
