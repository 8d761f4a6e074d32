// SPDX-License-Identifier: MIT
// VFIO_IOMMU_UNMAP_DMA. drivers/iommu/iommufd/vfio_compat.c (iommufd_vfio_unmap_dma).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { VFIO_DMA_UNMAP_FLAG_ALL, VFIO_IOMMU_TYPE1_DMA_UNMAP } from '../../../spec/abi/vfio.ts';
import { offsetsOf, Struct } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { cutAfter } from '../iopt/cut.ts';
import type { IoPageTable } from '../iopt/io-pagetable.ts';
import { type Unmapped, unmapAll, unmapIova } from '../iopt/unmap.ts';
import { wrap } from '../u64.ts';

const AT = offsetsOf(VFIO_IOMMU_TYPE1_DMA_UNMAP);

/** A number instead of the unmapped bytes is -errno; the program's struct is not written then. */
const unmap = (
  table: IoPageTable,
  flags: number,
  iova: bigint,
  size: bigint,
): Unmapped | number => {
  if ((flags & VFIO_DMA_UNMAP_FLAG_ALL) !== 0) {
    return iova === 0n && size === 0n ? unmapAll(table) : -ERRNO.EINVAL;
  }
  if (table.smallPagesOnly) {
    const last = wrap(iova + size - 1n);
    const error = cutAfter(table, iova === 0n ? [last] : [last, iova - 1n]);
    if (error !== 0) return error;
  }
  return unmapIova(table, iova, size);
};

export const unmapDma = (context: IommufdContext, argument: bigint): number => {
  const { user, defects } = context.kernel;
  const bytes = user.read(argument, VFIO_IOMMU_TYPE1_DMA_UNMAP.size);
  if (bytes === undefined) return -ERRNO.EFAULT;
  const struct = new Struct(bytes);
  const flags = struct.u32(AT.flags);
  if (struct.u32(AT.argsz) < VFIO_IOMMU_TYPE1_DMA_UNMAP.size) return -ERRNO.EINVAL;
  if ((flags & ~VFIO_DMA_UNMAP_FLAG_ALL) !== 0) return -ERRNO.EINVAL;
  const ioas = context.compatIoas;
  if (ioas === undefined) return -ERRNO.ENODEV;
  const unmapped = unmap(ioas.table, flags, struct.u64(AT.iova), struct.u64(AT.size));
  if (typeof unmapped === 'number') return unmapped;
  if (unmapped.error !== 0 && defects.has('failed-unmap-writes-nothing')) return unmapped.error;
  if (!defects.has('size-not-written-back')) struct.setU64(AT.size, unmapped.bytes);
  return user.write(argument, struct.bytes) ? unmapped.error : -ERRNO.EFAULT;
};
