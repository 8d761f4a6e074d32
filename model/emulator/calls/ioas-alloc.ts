// SPDX-License-Identifier: MIT
// IOMMU_IOAS_ALLOC. drivers/iommu/iommufd/ioas.c (iommufd_ioas_alloc_ioctl).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOMMU_IOAS_ALLOC } from '../../../spec/abi/native.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';

const AT = offsetsOf(IOMMU_IOAS_ALLOC);

export const ioasAlloc = (context: IommufdContext, command: Command): number => {
  if (command.u32(AT.flags) !== 0) return -ERRNO.EOPNOTSUPP;
  const ioas = context.objects.reserve(new Ioas(context.kernel));
  command.setU32(AT.out_ioas_id, ioas.id);
  const error = command.respond();
  if (error === 0) context.objects.publish(ioas);
  else context.objects.free(ioas);
  return error;
};
