// SPDX-License-Identifier: MIT
// VFIO_IOMMU_MAP_DMA of a legacy container: makes a dma, or sets the new vaddr of one.
// drivers/vfio/vfio_iommu_type1.c (vfio_iommu_type1_map_dma, vfio_dma_do_map).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { U64_MAX } from '../../../spec/abi/units.ts';
import {
  DIRTY_BITMAP_PAGES_MAX,
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_VADDR,
  VFIO_DMA_MAP_FLAG_WRITE,
  VFIO_IOMMU_TYPE1_DMA_MAP,
} from '../../../spec/abi/vfio.ts';
import { offsetsOf, Struct } from '../command.ts';
import { lastOf } from '../u64.ts';
import { Dma } from './dma.ts';
import { pinAndMap } from './map-pages.ts';
import type { Type1Iommu } from './type1-iommu.ts';

const AT = offsetsOf(VFIO_IOMMU_TYPE1_DMA_MAP);
const PERMISSIONS = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
const KNOWN_FLAGS = PERMISSIONS | VFIO_DMA_MAP_FLAG_VADDR;

type Request = {
  readonly flags: number;
  readonly vaddr: bigint;
  readonly iova: bigint;
  readonly size: bigint;
};

const moveAddress = (iommu: Type1Iommu, { vaddr, iova, size }: Request): number => {
  const dma = iommu.dmas.find(iova, size);
  if (dma === undefined) return -ERRNO.ENOENT;
  if (!dma.vaddrInvalid || dma.iova !== iova || dma.size !== size) return -ERRNO.EINVAL;
  dma.vaddr = vaddr;
  dma.vaddrInvalid = false;
  iommu.invalidAddresses -= 1;
  return 0;
};

const mayMap = ({ iovas }: Type1Iommu, start: bigint, last: bigint): boolean =>
  iovas.length === 0 || iovas.some((range) => start >= range.start && last <= range.last);

/** Fills the domains, if any, and starts dirty tracking of the dma. */
const makeDma = (iommu: Type1Iommu, dma: Dma, size: bigint): number => {
  const { kernel, domains } = iommu;
  if (domains.length === 0) {
    dma.size = size;
  } else {
    const error = pinAndMap(kernel, domains, dma, size);
    if (error !== 0) return error;
  }
  if (!iommu.tracksDirty) return 0;
  if (size >> BigInt(iommu.shift) > DIRTY_BITMAP_PAGES_MAX) return -ERRNO.EINVAL;
  dma.bitmap = iommu.newBitmap();
  return 0;
};

/** Whether the memory or the IOVAs exceed their address space. */
const passesEnd = ({ vaddr, iova, size }: Request): boolean =>
  lastOf(iova, size) === undefined || lastOf(vaddr, size) === undefined;

const check = (iommu: Type1Iommu, request: Request): number => {
  const { flags, vaddr, iova, size } = request;
  if (size === 0n) return -ERRNO.EINVAL;
  if (passesEnd(request)) {
    return iommu.reportsOverflow ? -ERRNO.EOVERFLOW : -ERRNO.EINVAL;
  }
  const moves = (flags & VFIO_DMA_MAP_FLAG_VADDR) !== 0;
  if (((flags & PERMISSIONS) !== 0) === moves) return -ERRNO.EINVAL;
  return ((size | iova | vaddr) & (iommu.granule - 1n)) === 0n ? 0 : -ERRNO.EINVAL;
};

const map = (iommu: Type1Iommu, request: Request): number => {
  const { flags, vaddr, iova, size } = request;
  const error = check(iommu, request);
  if (error !== 0) return error;
  if ((flags & VFIO_DMA_MAP_FLAG_VADDR) !== 0) return moveAddress(iommu, request);
  if (iommu.dmas.find(iova, size) !== undefined) {
    return iommu.kernel.defects.has('type1-wrong-errno-on-overlap') ? -ERRNO.EINVAL : -ERRNO.EEXIST;
  }
  const isLimited = !iommu.kernel.defects.has('type1-mappings-not-limited');
  if (iommu.available === 0 && isLimited) return -ERRNO.ENOSPC;
  if (!mayMap(iommu, iova, lastOf(iova, size) ?? U64_MAX)) return -ERRNO.EINVAL;
  iommu.available -= 1;
  const dma = new Dma(iova, vaddr, {
    readable: (flags & VFIO_DMA_MAP_FLAG_READ) !== 0,
    writable: (flags & VFIO_DMA_MAP_FLAG_WRITE) !== 0,
  });
  iommu.dmas.insert(dma);
  const failed = makeDma(iommu, dma, size);
  if (failed !== 0) iommu.remove(dma);
  return failed;
};

export const mapDma = (iommu: Type1Iommu, argument: bigint): number => {
  const bytes = iommu.kernel.user.read(argument, VFIO_IOMMU_TYPE1_DMA_MAP.size);
  if (bytes === undefined) return -ERRNO.EFAULT;
  const struct = new Struct(bytes);
  const flags = struct.u32(AT.flags);
  if (struct.u32(AT.argsz) < VFIO_IOMMU_TYPE1_DMA_MAP.size) return -ERRNO.EINVAL;
  if ((flags & ~KNOWN_FLAGS) !== 0) return -ERRNO.EINVAL;
  return map(iommu, {
    flags,
    vaddr: struct.u64(AT.vaddr),
    iova: struct.u64(AT.iova),
    size: struct.u64(AT.size),
  });
};
