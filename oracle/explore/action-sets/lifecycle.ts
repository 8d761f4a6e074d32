// SPDX-License-Identifier: MIT
// Groups, devices and cdevs on an iommufd: opened, bound, attached, detached and closed in every order.

import { MAP_FIXED_IOVA, MAP_READABLE, MAP_WRITEABLE } from '../../../spec/abi/native.ts';
import type { Action, ActionSet, Handle } from '../actions.ts';
import { close, handle, MOST, native, open, PAGE, vfioCall } from '../calls.ts';
import { DATA, FIRST } from './memory-ranges.ts';
import { attachAction, deviceActions, groupActions } from './vfio.ts';

const ON = 'iommufd 1';

/** A device's cdev, opened twice at most. */
const fileActions = (name: string, number: number): readonly Action[] => {
  const on = `cdev ${name} 1`;
  const attach = (to: Handle, pasid = 0n, flags = 0n): Action =>
    attachAction(`attach ${name} to ${to}${flags === 0n ? '' : ' as a PASID'}`, on, to, {
      flags,
      pasid,
    });
  return [
    open(`file of ${name}`, `/dev/vfio/devices/vfio${number}`, `cdev ${name} 2`),
    vfioCall(`bind ${name}`, on, 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: handle(ON) }),
    vfioCall(`bind the other file of ${name}`, `cdev ${name} 2`, 'VFIO_DEVICE_BIND_IOMMUFD', {
      iommufd: handle(ON),
    }),
    vfioCall(`bind ${name} to itself`, on, 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: handle(on) }),
    attach('ioas 1'),
    attach('ioas 2'),
    attach('hwpt 1'),
    attach('device 1'),
    attach('ioas 1', 0n, 1n),
    vfioCall(`attach ${name} to nothing`, on, 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', {}),
    vfioCall(`detach ${name}`, on, 'VFIO_DEVICE_DETACH_IOMMUFD_PT', {}),
    close(on),
    close(`cdev ${name} 2`),
  ];
};

export const LIFECYCLE: ActionSet = {
  name: 'lifecycle',
  says: 'Groups, devices and cdevs on an iommufd: opened, bound, attached, detached and closed in every order.',
  platform: 'vtd',
  depth: 9,
  actions: [
    open('open', '/dev/iommu', 'iommufd 1'),
    native('IOAS', 'IOMMU_IOAS_ALLOC', {}, { unless: ['ioas 2'] }),
    native('map 1 page', 'IOMMU_IOAS_MAP', {
      flags: BigInt(MAP_FIXED_IOVA | MAP_READABLE | MAP_WRITEABLE),
      ioas_id: handle('ioas 1'),
      user_va: DATA,
      length: PAGE,
      iova: FIRST,
    }),
    native('unmap everything', 'IOMMU_IOAS_UNMAP', { ioas_id: handle('ioas 1'), length: MOST }),
    ...groupActions(4, ON),
    ...deviceActions(4, '0000:00:04.0'),
    ...groupActions(5, ON),
    ...deviceActions(5, '0000:00:05.0'),
    ...fileActions('0000:00:04.0', 0),
    native(
      'hwpt',
      'IOMMU_HWPT_ALLOC',
      { dev_id: handle('device 1'), pt_id: handle('ioas 1') },
      { unless: ['hwpt 2'] },
    ),
    native('destroy hwpt 1', 'IOMMU_DESTROY', { id: handle('hwpt 1') }),
    native('destroy device 1', 'IOMMU_DESTROY', { id: handle('device 1') }),
    native('destroy ioas 1', 'IOMMU_DESTROY', { id: handle('ioas 1') }),
    native('destroy ioas 2', 'IOMMU_DESTROY', { id: handle('ioas 2') }),
    close('iommufd 1'),
  ],
};
