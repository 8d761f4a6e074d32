// SPDX-License-Identifier: MIT
// The actions on groups and devices that action sets share.

import * as vfio from '../../../spec/abi/vfio.ts';
import type { Action, Handle } from '../actions.ts';
import { bytes, close, type Fields, handle, open, plain, vfioCall } from '../calls.ts';

const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** Opening a group, joining the containers, leaving, and closing. */
export const groupActions = (group: number, ...containers: readonly Handle[]): readonly Action[] =>
  actionsOfGroup(group, `/dev/vfio/${group}`, containers);

/** The same for a no-IOMMU group. */
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

/**
 * Attaches by cdev. The number belongs to the open iommufd. If the device is bound to another one, the number would mean any
 * object there, and worlds that differ only in numbers would not be one state.
 */
export const attachAction = (name: string, file: Handle, to: Handle, fields: Fields = {}): Action =>
  vfioCall(
    name,
    file,
    'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
    { ...fields, pt_id: handle(to) },
    { unless: ['closed iommufd 1'] },
  );

/** A device, opened through its group twice at most, and closed. */
export const deviceActions = (group: number, name: string): readonly Action[] => [
  bytes(`device ${name}`, `group ${group}`, vfio.VFIO_GROUP_GET_DEVICE_FD, `${hexOf(name)}00`, [
    `device ${name} 2`,
  ]),
  close(`device ${name} 1`),
];
