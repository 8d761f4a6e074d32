// SPDX-License-Identifier: MIT
// Groups and devices, as they are opened and closed in every action set that has them.

import * as vfio from '../../../spec/abi/vfio.ts';
import type { Action, Handle } from '../actions.ts';
import { bytes, close, type Fields, handle, open, plain, vfioCall } from '../calls.ts';

const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** Opening a group, joining what is a container to it, leaving, and closing. */
export const groupActions = (group: number, ...containers: readonly Handle[]): readonly Action[] =>
  actionsOfGroup(group, `/dev/vfio/${group}`, containers);

/** The same of a group without an IOMMU. */
export const noIommuGroupActions = (
  group: number,
  ...containers: readonly Handle[]
): readonly Action[] => actionsOfGroup(group, `/dev/vfio/noiommu-${group}`, containers);

const actionsOfGroup = (
  group: number,
  path: string,
  containers: readonly Handle[],
): readonly Action[] => {
  const on = `group ${group}`;
  return [
    open(on, path, on),
    ...containers.map((container) =>
      vfioCall(`${on} joins ${container}`, on, 'VFIO_GROUP_SET_CONTAINER', {
        fd: handle(container),
      }),
    ),
    vfioCall(`${on} joins itself`, on, 'VFIO_GROUP_SET_CONTAINER', { fd: handle(on) }),
    plain(`${on} leaves`, on, vfio.VFIO_GROUP_UNSET_CONTAINER, 0n),
    vfioCall(`status of ${on}`, on, 'VFIO_GROUP_GET_STATUS', {}),
    close(on),
  ];
};

/** A device that is got from its group, twice at most, and closed. */
/**
 * Attaching by a device's own file. The number is one of the iommufd that is open: where the device is bound to another
 * one, it would mean whatever has that number there, and worlds that differ in numbers only would not be one state.
 */
export const attachAction = (name: string, file: Handle, to: Handle, fields: Fields = {}): Action =>
  vfioCall(
    name,
    file,
    'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
    { ...fields, pt_id: handle(to) },
    { unless: ['closed iommufd 1'] },
  );

export const deviceActions = (group: number, name: string): readonly Action[] => [
  bytes(`device ${name}`, `group ${group}`, vfio.VFIO_GROUP_GET_DEVICE_FD, `${hexOf(name)}00`, [
    `device ${name} 2`,
  ]),
  close(`device ${name} 1`),
];
