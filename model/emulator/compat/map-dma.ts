// SPDX-License-Identifier: MIT
// VFIO_IOMMU_MAP_DMA. drivers/iommu/iommufd/vfio_compat.c (iommufd_vfio_map_dma).

import { ERRNO } from '../../../spec/abi/errno.ts';
import {
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_WRITE,
  VFIO_IOMMU_TYPE1_DMA_MAP,
} from '../../../spec/abi/vfio.ts';
import { offsetsOf, Struct } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import { mapUser } from '../map-memory.ts';

const AT = offsetsOf(VFIO_IOMMU_TYPE1_DMA_MAP);
const KNOWN_FLAGS = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;

export const mapDma = (context: IommufdContext, argument: bigint): number => {
  const bytes = context.kernel.user.read(argument, VFIO_IOMMU_TYPE1_DMA_MAP.size);
  if (bytes === undefined) return -ERRNO.EFAULT;
  const map = new Struct(bytes);
  const flags = map.u32(AT.flags);
  if (map.u32(AT.argsz) < VFIO_IOMMU_TYPE1_DMA_MAP.size) return -ERRNO.EINVAL;
  if ((flags & ~KNOWN_FLAGS) !== 0) return -ERRNO.EINVAL;
  const ioas = context.compatIoas;
  if (ioas === undefined) return -ERRNO.ENODEV;
  const mapped = mapUser(context, ioas, map.u64(AT.vaddr), {
    length: map.u64(AT.size),
    choice: { kind: 'fixed', iova: map.u64(AT.iova) },
    permission: {
      readable: (flags & VFIO_DMA_MAP_FLAG_READ) !== 0,
      writable: (flags & VFIO_DMA_MAP_FLAG_WRITE) !== 0,
    },
  });
  return typeof mapped === 'number' ? mapped : 0;
};
