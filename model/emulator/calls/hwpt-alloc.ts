// SPDX-License-Identifier: MIT
// IOMMU_HWPT_ALLOC, for paging domains only. drivers/iommu/iommufd/hw_pagetable.c
// (iommufd_hwpt_alloc).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { HWPT_DATA_NONE, IOMMU_HWPT_ALLOC } from '../../../spec/abi/native.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { abortHwpt, allocateHwpt, Hwpt } from '../hwpt.ts';
import { Ioas } from '../ioas.ts';
import { IommufdDevice } from '../iommufd-device.ts';

const AT = offsetsOf(IOMMU_HWPT_ALLOC);

export const hwptAlloc = (context: IommufdContext, command: Command): number => {
  const { objects } = context;
  if (command.u32(AT.__reserved) !== 0) return -ERRNO.EOPNOTSUPP;
  const hasData = command.u32(AT.data_len) !== 0;
  const hasType = command.u32(AT.data_type) !== HWPT_DATA_NONE;
  const checksType = !context.kernel.defects.has('hwpt-data-type-without-data');
  if (hasData !== hasType && (hasData || checksType)) return -ERRNO.EINVAL;
  const device = objects.find(command.u32(AT.dev_id), IommufdDevice);
  if (device === undefined) return -ERRNO.ENOENT;
  const parent = objects.get(command.u32(AT.pt_id));
  if (parent === undefined) return -ERRNO.EINVAL;
  if (parent instanceof Hwpt) return -ERRNO.EOPNOTSUPP;
  if (!(parent instanceof Ioas)) return -ERRNO.EINVAL;
  if (hasData) return -ERRNO.EOPNOTSUPP;
  const hwpt = allocateHwpt(context, parent, device, command.u32(AT.flags));
  if (typeof hwpt === 'number') return hwpt;
  command.setU32(AT.out_hwpt_id, hwpt.id);
  const error = command.respond();
  if (error === 0) objects.publish(hwpt);
  else abortHwpt(context, hwpt);
  return error;
};
