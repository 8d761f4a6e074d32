// SPDX-License-Identifier: MIT
// A device without an IOMMU is not opened through a legacy container while an iommufd has it;
// everything else is allowed.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UnsafeCall } from '../../../oracle/safety/permitted.ts';
import { DeviceUses } from '../../../oracle/subjects/kernel/device-uses.ts';

const MEDIATED = '7';
const WITHOUT_IOMMU = 'noiommu-2';
const IOMMUFD = 10;
const CONTAINER = 11;
const GROUP = 12;
const DEVICE = 13;

const openAll = (group: string = MEDIATED): DeviceUses => {
  const uses = new DeviceUses((name) => name === MEDIATED || name === WITHOUT_IOMMU);
  uses.opened('/dev/iommu', IOMMUFD);
  uses.opened('/dev/vfio/vfio', CONTAINER);
  uses.opened(`/dev/vfio/${group}`, GROUP);
  return uses;
};

const getDevice = (uses: DeviceUses, container: number, device = DEVICE): void => {
  uses.joined(GROUP, container);
  uses.check(GROUP);
  uses.gave(GROUP, device);
};

const isRefused = (make: () => void): boolean => {
  try {
    make();
    return false;
  } catch (error) {
    if (error instanceof UnsafeCall) return true;
    throw error;
  }
};

const deviceUses = suite('uses of a device');

deviceUses('an iommufd and then a legacy container is refused while the device is open', () => {
  for (const group of [MEDIATED, WITHOUT_IOMMU]) {
    const uses = openAll(group);
    getDevice(uses, IOMMUFD);
    assert.ok(isRefused(() => getDevice(uses, CONTAINER, 14)));
  }
});

deviceUses('also through another descriptor of the group', () => {
  const uses = openAll();
  getDevice(uses, IOMMUFD);
  uses.opened(`/dev/vfio/${MEDIATED}`, 15);
  uses.joined(15, CONTAINER);
  assert.ok(isRefused(() => uses.check(15)));
});

deviceUses('is allowed once the device is closed, or the program has ended', () => {
  const closed = openAll();
  getDevice(closed, IOMMUFD);
  closed.closed(DEVICE);
  assert.not(isRefused(() => getDevice(closed, CONTAINER)));
  const ended = openAll();
  getDevice(ended, IOMMUFD);
  ended.reset();
  ended.opened('/dev/vfio/vfio', CONTAINER);
  ended.opened(`/dev/vfio/${MEDIATED}`, GROUP);
  assert.not(isRefused(() => getDevice(ended, CONTAINER)));
});

deviceUses('is allowed for one container after the other, and for devices with an IOMMU', () => {
  const twice = openAll();
  getDevice(twice, CONTAINER);
  assert.not(isRefused(() => getDevice(twice, CONTAINER, 14)));
  const iommufd = openAll();
  getDevice(iommufd, IOMMUFD);
  assert.not(isRefused(() => getDevice(iommufd, IOMMUFD, 14)));
  const physical = openAll('3');
  getDevice(physical, IOMMUFD);
  assert.not(isRefused(() => getDevice(physical, CONTAINER, 14)));
});

deviceUses.run();
