// SPDX-License-Identifier: MIT
// IOMMU_VFIO_IOAS: the compatibility IOAS. drivers/iommu/iommufd/vfio_compat.c (iommufd_vfio_ioas).

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  IOMMU_VFIO_IOAS,
  VFIO_IOAS_CLEAR,
  VFIO_IOAS_GET,
  VFIO_IOAS_SET,
} from '../../../spec/abi/native.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';

const AT = offsetsOf(IOMMU_VFIO_IOAS);

export const vfioIoas = (context: IommufdContext, command: Command): number => {
  if (command.u16(AT.__reserved) !== 0) return -ERRNO.EOPNOTSUPP;
  switch (command.u16(AT.op)) {
    case VFIO_IOAS_GET:
      if (context.compatIoas === undefined) return -ERRNO.ENODEV;
      command.setU32(AT.ioas_id, context.compatIoas.id);
      return command.respond();
    case VFIO_IOAS_SET: {
      const ioas = context.objects.find(command.u32(AT.ioas_id), Ioas);
      if (ioas === undefined) return -ERRNO.ENOENT;
      context.compatIoas = ioas;
      return 0;
    }
    case VFIO_IOAS_CLEAR:
      context.compatIoas = undefined;
      return 0;
    default:
      return -ERRNO.EOPNOTSUPP;
  }
};
