// SPDX-License-Identifier: MIT
// Groups and devices without an IOMMU: with a legacy container, with an iommufd, by cdev, and next to devices with an IOMMU.

import { MAP_FIXED_IOVA, MAP_READABLE, VFIO_IOAS_SET } from '../../../spec/abi/native.ts';
import * as vfio from '../../../spec/abi/vfio.ts';
import type { Action, ActionSet, Handle } from '../actions.ts';
import { close, handle, native, open, PAGE, plain, test, vfioCall } from '../calls.ts';
import { DATA, FIRST } from './memory-ranges.ts';
import { attachAction, deviceActions, groupActions, noIommuGroupActions } from './vfio.ts';

const IOMMUFD = 'iommufd 1';
const CONTAINER = 'container 1';
/** The device of group 0. */
const NAME = '0000:00:01.0';
const FILE = `cdev ${NAME} 1`;

const onBoth = (make: (on: Handle) => readonly Action[]): readonly Action[] => [
  ...make(IOMMUFD),
  ...make(CONTAINER),
];

export const NOIOMMU: ActionSet = {
  name: 'noiommu',
  says: 'Groups and devices without an IOMMU: with a legacy container, with an iommufd, and by cdev.',
  platform: 'noiommu',
  depth: 7,
  actions: [
    open('open', '/dev/iommu', IOMMUFD),
    open('open a container', '/dev/vfio/vfio', CONTAINER),
    native('IOAS', 'IOMMU_IOAS_ALLOC', {}, { unless: ['ioas 1'] }),
    native('use ioas 1', 'IOMMU_VFIO_IOAS', {
      op: BigInt(VFIO_IOAS_SET),
      ioas_id: handle('ioas 1'),
    }),
    native('map 1 page', 'IOMMU_IOAS_MAP', {
      flags: BigInt(MAP_FIXED_IOVA | MAP_READABLE),
      ioas_id: handle('ioas 1'),
      user_va: DATA,
      length: PAGE,
      iova: FIRST,
    }),
    ...onBoth((on) => [
      plain(`type without IOMMU on ${on}`, on, vfio.VFIO_SET_IOMMU, vfio.VFIO_NOIOMMU_IOMMU),
      plain(`v2 on ${on}`, on, vfio.VFIO_SET_IOMMU, vfio.VFIO_TYPE1v2_IOMMU),
      plain(`extension type1 on ${on}`, on, vfio.VFIO_CHECK_EXTENSION, vfio.VFIO_TYPE1_IOMMU),
      plain(
        `extension without IOMMU on ${on}`,
        on,
        vfio.VFIO_CHECK_EXTENSION,
        vfio.VFIO_NOIOMMU_IOMMU,
      ),
    ]),
    vfioCall('map by VFIO', CONTAINER, 'VFIO_IOMMU_MAP_DMA', {
      flags: BigInt(vfio.VFIO_DMA_MAP_FLAG_READ),
      vaddr: DATA,
      iova: FIRST,
      size: PAGE,
    }),
    ...noIommuGroupActions(0, IOMMUFD, CONTAINER),
    ...deviceActions(0, NAME),
    // Group 3 has an mdev, which has an emulated IOMMU.
    ...groupActions(3, IOMMUFD, CONTAINER),
    open('file of the device', '/dev/vfio/devices/noiommu-vfio0', FILE),
    vfioCall('bind', FILE, 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: handle(IOMMUFD) }),
    attachAction('attach', FILE, 'ioas 1'),
    vfioCall('detach', FILE, 'VFIO_DEVICE_DETACH_IOMMUFD_PT', {}),
    test('mock device', 'MOCK_DOMAIN', { id: handle('ioas 1') }, { unless: ['selftest 1'] }),
    native('destroy ioas 1', 'IOMMU_DESTROY', { id: handle('ioas 1') }),
    close(FILE),
    close(CONTAINER),
    close(IOMMUFD),
  ],
};
