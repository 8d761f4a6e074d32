// SPDX-License-Identifier: MIT
// IOMMU_IOAS_CHANGE_PROCESS by the process that owns all memory already: checks, and changes
// nothing. drivers/iommu/iommufd/ioas.c (iommufd_ioas_change_process).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOMMU_IOAS_CHANGE_PROCESS } from '../../../spec/abi/native.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';

const AT = offsetsOf(IOMMU_IOAS_CHANGE_PROCESS);

export const ioasChangeProcess = (context: IommufdContext, command: Command): number => {
  if (command.u32(AT.__reserved) !== 0) return -ERRNO.EOPNOTSUPP;
  for (const object of context.objects) {
    if (!(object instanceof Ioas)) continue;
    for (const area of object.table.areas) {
      if (area.pages.source.kind !== 'file') return -ERRNO.EINVAL;
    }
  }
  return 0;
};
