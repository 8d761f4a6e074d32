// SPDX-License-Identifier: MIT
// VFIO_IOMMU_GET_INFO: page sizes, and after the struct two capabilities if there is room.
// drivers/iommu/iommufd/vfio_compat.c (iommufd_vfio_iommu_get_info).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOVA_RANGE } from '../../../spec/abi/native.ts';
import { PAGE_SIZE_BYTES, U32_MAX, U64_MAX } from '../../../spec/abi/units.ts';
import {
  CAP_DMA_AVAIL_ID,
  CAP_IOVA_RANGE_ID,
  VFIO_CAP_DMA_AVAIL,
  VFIO_CAP_IOVA_RANGE,
  VFIO_INFO_CAP_HEADER,
  VFIO_IOMMU_INFO_CAPS,
  VFIO_IOMMU_INFO_PGSIZES,
  VFIO_IOMMU_TYPE1_INFO,
  VFIO_IOMMU_TYPE1_INFO_MINIMUM,
} from '../../../spec/abi/vfio.ts';
import { offsetsOf, Struct } from '../command.ts';
import type { IommufdContext } from '../context.ts';
import type { IoPageTable } from '../iopt/io-pagetable.ts';
import type { UserMemory } from '../memory/user-memory.ts';

const AT = offsetsOf(VFIO_IOMMU_TYPE1_INFO);
const HEADER = offsetsOf(VFIO_INFO_CAP_HEADER);
const AVAIL = offsetsOf(VFIO_CAP_DMA_AVAIL);
const RANGES = offsetsOf(VFIO_CAP_IOVA_RANGE);
const RANGE = offsetsOf(IOVA_RANGE);
const PADDING = 20;

/**
 * Writes one capability to user memory, at most `room` bytes of it. Returns its whole length, or
 * -EFAULT.
 */
type FillCapability = (
  user: UserMemory,
  table: IoPageTable,
  address: bigint,
  room: number,
) => number;

const header = (size: number, id: number): Struct => {
  const struct = new Struct(new Uint8Array(size));
  struct.setU16(HEADER.id, id);
  struct.setU16(HEADER.version, 1);
  return struct;
};

const fillAvailable: FillCapability = (user, _table, address, room) => {
  const { size } = VFIO_CAP_DMA_AVAIL;
  if (room < size) return size;
  const capability = header(size, CAP_DMA_AVAIL_ID);
  capability.setU32(AVAIL.avail, U32_MAX);
  return user.write(address, capability.bytes) ? size : -ERRNO.EFAULT;
};

const fillRanges: FillCapability = (user, table, address, room) => {
  let count = 0;
  let size = VFIO_CAP_IOVA_RANGE.size;
  for (const { start, last } of table.reserved.holes()) {
    if (room >= size + IOVA_RANGE.size) {
      const range = new Struct(new Uint8Array(IOVA_RANGE.size));
      range.setU64(RANGE.start, start);
      range.setU64(RANGE.last, last);
      if (!user.write(address + BigInt(size), range.bytes)) return -ERRNO.EFAULT;
    }
    size += IOVA_RANGE.size;
    count += 1;
  }
  if (room < size) return size;
  const capability = header(VFIO_CAP_IOVA_RANGE.size, CAP_IOVA_RANGE_ID);
  capability.setU32(RANGES.nr_iovas, count);
  return user.write(address, capability.bytes) ? size : -ERRNO.EFAULT;
};

/**
 * Writes the capabilities after the struct. Returns their end, in bytes from its start, or -EFAULT.
 */
const fillCapabilities = (
  user: UserMemory,
  table: IoPageTable,
  argument: bigint,
  argsz: number,
): number => {
  let end = VFIO_IOMMU_TYPE1_INFO.size;
  let previous: number | undefined;
  for (const fill of [fillAvailable, fillRanges]) {
    const room = Math.max(0, argsz - end);
    const size = fill(user, table, argument + BigInt(end), room);
    if (size < 0) return size;
    const links = !table.kernel.defects.has('capability-chain-cut');
    if (previous !== undefined && argsz >= end && links) {
      const next = new Struct(new Uint8Array(4));
      next.setU32(0, end);
      const at = argument + BigInt(previous + HEADER.next);
      if (!user.write(at, next.bytes)) return -ERRNO.EFAULT;
    }
    previous = end;
    end += Math.ceil(size / 8) * 8;
  }
  return end;
};

const pageSizes = (table: IoPageTable): bigint => {
  let sizes = U64_MAX;
  for (const domain of table.domains) sizes &= domain.hardware.pageSizes;
  const belowPage = PAGE_SIZE_BYTES - 1n;
  if ((sizes & belowPage) !== 0n) sizes = (sizes & ~belowPage) | PAGE_SIZE_BYTES;
  if (table.alignment > sizes) return table.alignment;
  return sizes;
};

export const getInfo = (context: IommufdContext, argument: bigint): number => {
  const { user, defects } = context.kernel;
  const bytes = new Uint8Array(VFIO_IOMMU_TYPE1_INFO.size);
  const known = bytes.subarray(0, VFIO_IOMMU_TYPE1_INFO_MINIMUM);
  if (user.readInto(known, argument) !== known.length) return -ERRNO.EFAULT;
  const info = new Struct(bytes);
  const argsz = info.u32(AT.argsz);
  if (argsz < VFIO_IOMMU_TYPE1_INFO_MINIMUM) return -ERRNO.EINVAL;
  const ioas = context.compatIoas;
  if (ioas === undefined) return -ERRNO.ENODEV;
  info.setU64(AT.iova_pgsizes, pageSizes(ioas.table));
  const end = fillCapabilities(user, ioas.table, argument, argsz);
  if (end < 0) return end;
  info.setU32(AT.cap_offset, argsz >= end ? VFIO_IOMMU_TYPE1_INFO.size : 0);
  info.setU32(AT.argsz, end);
  info.setU32(AT.flags, VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS);
  if (defects.has('info-padding-leak')) info.setU32(PADDING, 0xffff_8881);
  return user.write(argument, bytes.subarray(0, argsz)) ? 0 : -ERRNO.EFAULT;
};
