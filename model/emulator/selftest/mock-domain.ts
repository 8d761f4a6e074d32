// SPDX-License-Identifier: MIT
// IOMMU_TEST_OP_MOCK_DOMAIN, MOCK_DOMAIN_FLAGS and MOCK_DOMAIN_REPLACE. drivers/iommu/iommufd/selftest.c.

import { ERRNO } from '../../../spec/abi/errno.ts';
import { MOCK_DOMAIN_FLAGS, MOCK_DOMAIN_REPLACE } from '../../../spec/abi/test.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { bindDevice, type IommufdDevice } from '../iommufd-device.ts';
import { MockDevice, MockDeviceObject } from './mock-device.ts';

const AT = offsetsOf(MOCK_DOMAIN_FLAGS);
const REPLACE = offsetsOf(MOCK_DOMAIN_REPLACE);

const attachAndRespond = (
  command: Command,
  object: MockDeviceObject,
  device: IommufdDevice,
): number => {
  const attached = device.attach(command.u32(AT.id));
  if (typeof attached === 'number') return attached;
  command.setU32(AT.out_stdev_id, object.id);
  command.setU32(AT.out_hwpt_id, attached.hwpt);
  command.setU32(AT.out_idev_id, device.id);
  const error = command.respond();
  if (error !== 0) device.detach();
  return error;
};

/**
 * Makes a mock device with these flags and attaches it. -EINVAL for flags that the release does not
 * know.
 */
export const mockDomain = (context: IommufdContext, command: Command, flags: number): number => {
  const { kernel, objects } = context;
  if ((flags & ~kernel.release.mockDeviceFlags) !== 0) return -ERRNO.EINVAL;
  const object = objects.reserve(new MockDeviceObject());
  const device = bindDevice(context, new MockDevice(kernel.mock, flags));
  if (typeof device === 'number') {
    objects.free(object);
    return device;
  }
  const error = attachAndRespond(command, object, device);
  if (error !== 0) {
    device.unbind();
    objects.free(object);
    return error;
  }
  object.device = device;
  objects.publish(object);
  return 0;
};

export const mockDomainFlags = (context: IommufdContext, command: Command): number =>
  mockDomain(context, command, command.u32(AT.dev_flags));

export const mockDomainReplace = (context: IommufdContext, command: Command): number => {
  const object = context.objects.find(command.u32(REPLACE.id), MockDeviceObject);
  if (object?.device === undefined) return -ERRNO.ENOENT;
  const replaced = object.device.replace(command.u32(REPLACE.pt_id));
  if (typeof replaced === 'number') return replaced;
  command.setU32(REPLACE.pt_id, replaced.hwpt);
  return command.respond();
};
