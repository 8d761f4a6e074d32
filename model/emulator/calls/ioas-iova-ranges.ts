// SPDX-License-Identifier: MIT
// IOMMU_IOAS_IOVA_RANGES. drivers/iommu/iommufd/ioas.c (iommufd_ioas_iova_ranges).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOMMU_IOAS_IOVA_RANGES, IOVA_RANGE } from '../../../spec/abi/native.ts';
import { type Command, offsetsOf, Struct } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { Ioas } from '../ioas.ts';
import { wrap } from '../u64.ts';

const AT = offsetsOf(IOMMU_IOAS_IOVA_RANGES);
const RANGE = offsetsOf(IOVA_RANGE);

export const ioasIovaRanges = (context: IommufdContext, command: Command): number => {
  if (command.u32(AT.__reserved) !== 0) return -ERRNO.EOPNOTSUPP;
  const ioas = context.objects.find(command.u32(AT.ioas_id), Ioas);
  if (ioas === undefined) return -ERRNO.ENOENT;
  const room = command.u32(AT.num_iovas);
  const address = command.u64(AT.allowed_iovas);
  command.setU64(AT.out_iova_alignment, ioas.table.alignment);
  let count = 0;
  for (const { start, last } of ioas.table.reserved.holes()) {
    if (count < room) {
      const range = new Struct(new Uint8Array(IOVA_RANGE.size));
      range.setU64(RANGE.start, start);
      range.setU64(RANGE.last, last);
      const at = wrap(address + BigInt(count * IOVA_RANGE.size));
      if (!context.kernel.user.write(at, range.bytes)) return -ERRNO.EFAULT;
    }
    count += 1;
  }
  command.setU32(AT.num_iovas, count);
  const error = command.respond();
  if (error !== 0) return error;
  return count > room ? -ERRNO.EMSGSIZE : 0;
};
