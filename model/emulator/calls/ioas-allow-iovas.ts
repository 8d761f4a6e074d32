// SPDX-License-Identifier: MIT
// IOMMU_IOAS_ALLOW_IOVAS. drivers/iommu/iommufd/ioas.c (iommufd_ioas_allow_iovas).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOMMU_IOAS_ALLOW_IOVAS, IOVA_RANGE } from '../../../spec/abi/native.ts';
import { type Command, offsetsOf, Struct } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';
import { AllowedRanges } from '../iopt/reserved.ts';
import type { UserMemory } from '../memory/user-memory.ts';
import { wrap } from '../u64.ts';

const AT = offsetsOf(IOMMU_IOAS_ALLOW_IOVAS);
const RANGE = offsetsOf(IOVA_RANGE);

const load = (user: UserMemory, address: bigint, count: number): AllowedRanges | number => {
  const ranges = new AllowedRanges();
  for (let index = 0; index < count; index += 1) {
    const bytes = user.read(wrap(address + BigInt(index * IOVA_RANGE.size)), IOVA_RANGE.size);
    if (bytes === undefined) return -ERRNO.EFAULT;
    const range = new Struct(bytes);
    const start = range.u64(RANGE.start);
    const last = range.u64(RANGE.last);
    if (start >= last || !ranges.add(start, last)) return -ERRNO.EINVAL;
  }
  return ranges;
};

export const ioasAllowIovas = (context: IommufdContext, command: Command): number => {
  if (command.u32(AT.__reserved) !== 0) return -ERRNO.EOPNOTSUPP;
  const ioas = context.objects.find(command.u32(AT.ioas_id), Ioas);
  if (ioas === undefined) return -ERRNO.ENOENT;
  const address = command.u64(AT.allowed_iovas);
  const ranges = load(context.kernel.user, address, command.u32(AT.num_iovas));
  return typeof ranges === 'number' ? ranges : ioas.table.allow(ranges);
};
