// SPDX-License-Identifier: MIT
// IOMMU_IOAS_MAP. drivers/iommu/iommufd/ioas.c (iommufd_ioas_map).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOMMU_IOAS_MAP } from '../../../spec/abi/native.ts';
import { type Command, offsetsOf } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';
import { mapUser } from '../map-memory.ts';
import { checkMapFlags, iovaChoiceOf, permissionOf } from './map-flags.ts';

const AT = offsetsOf(IOMMU_IOAS_MAP);

export const ioasMap = (context: IommufdContext, command: Command): number => {
  const flags = command.u32(AT.flags);
  const iova = command.u64(AT.iova);
  const length = command.u64(AT.length);
  const bad = checkMapFlags(context.kernel, flags, command.u32(AT.__reserved), [iova, length]);
  if (bad !== 0) return bad;
  const ioas = context.objects.find(command.u32(AT.ioas_id), Ioas);
  if (ioas === undefined) return -ERRNO.ENOENT;
  const address = command.u64(AT.user_va);
  const mapped = mapUser(context, ioas, address, {
    length,
    choice: iovaChoiceOf(flags, iova),
    permission: permissionOf(flags),
  });
  if (typeof mapped === 'number') return mapped;
  command.setU64(AT.iova, mapped);
  return command.respond();
};
