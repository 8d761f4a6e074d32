// SPDX-License-Identifier: MIT
// VFIO_IOMMU_GET_INFO of a legacy container: page sizes, and three capabilities if there is room
// for all of them. drivers/vfio/vfio_iommu_type1.c (vfio_iommu_type1_get_info),
// drivers/vfio/vfio_main.c (vfio_info_cap_add).

import { ERRNO } from '../../../spec/abi/errno.ts';
import { IOVA_RANGE } from '../../../spec/abi/native.ts';
import {
  CAP_DMA_AVAIL_ID,
  CAP_IOVA_RANGE_ID,
  CAP_MIGRATION_ID,
  DIRTY_BITMAP_SIZE_MAX,
  VFIO_CAP_DMA_AVAIL,
  VFIO_CAP_IOVA_RANGE,
  VFIO_CAP_MIGRATION,
  VFIO_INFO_CAP_HEADER,
  VFIO_IOMMU_INFO_CAPS,
  VFIO_IOMMU_INFO_PGSIZES,
  VFIO_IOMMU_TYPE1_INFO,
  VFIO_IOMMU_TYPE1_INFO_MINIMUM,
} from '../../../spec/abi/vfio.ts';
import { offsetsOf, Struct } from '../command.ts';
import type { Type1Iommu } from './type1-iommu.ts';

const AT = offsetsOf(VFIO_IOMMU_TYPE1_INFO);
const HEADER = offsetsOf(VFIO_INFO_CAP_HEADER);
const MIGRATION = offsetsOf(VFIO_CAP_MIGRATION);
const AVAIL = offsetsOf(VFIO_CAP_DMA_AVAIL);
const RANGES = offsetsOf(VFIO_CAP_IOVA_RANGE);
const RANGE = offsetsOf(IOVA_RANGE);

/** Zero bytes for a capability, rounded up to whole words. */
const capability = ({ kernel }: Type1Iommu, id: number, size: number): Struct => {
  const aligned = !kernel.defects.has('type1-capabilities-not-aligned');
  const struct = new Struct(new Uint8Array(aligned ? Math.ceil(size / 8) * 8 : size));
  struct.setU16(HEADER.id, id);
  struct.setU16(HEADER.version, 1);
  return struct;
};

const migration = (iommu: Type1Iommu): Struct => {
  const struct = capability(iommu, CAP_MIGRATION_ID, VFIO_CAP_MIGRATION.size);
  struct.setU64(MIGRATION.pgsize_bitmap, iommu.granule);
  struct.setU64(MIGRATION.max_dirty_bitmap_size, DIRTY_BITMAP_SIZE_MAX);
  if (iommu.kernel.defects.has('type1-capability-padding-leak')) {
    struct.setU32(MIGRATION.pgsize_bitmap - 4, 0xffff_8881);
  }
  return struct;
};

const available = (iommu: Type1Iommu): Struct => {
  const struct = capability(iommu, CAP_DMA_AVAIL_ID, VFIO_CAP_DMA_AVAIL.size);
  struct.setU32(AVAIL.avail, iommu.available);
  return struct;
};

const ranges = (iommu: Type1Iommu): Struct => {
  const { iovas } = iommu;
  const { size } = VFIO_CAP_IOVA_RANGE;
  const struct = capability(iommu, CAP_IOVA_RANGE_ID, size + iovas.length * IOVA_RANGE.size);
  struct.setU32(RANGES.nr_iovas, iovas.length);
  for (const [index, { start, last }] of iovas.entries()) {
    const at = size + index * IOVA_RANGE.size;
    struct.setU64(at + RANGE.start, start);
    struct.setU64(at + RANGE.last, last);
  }
  return struct;
};

/** The capabilities in order, with the offsets that they have after the struct. */
const chain = (iommu: Type1Iommu): Uint8Array => {
  const list = [migration(iommu), available(iommu)];
  if (iommu.iovas.length > 0) list.push(ranges(iommu));
  const shift = iommu.kernel.defects.has('type1-capabilities-not-shifted')
    ? 0
    : VFIO_IOMMU_TYPE1_INFO.size;
  const bytes: number[] = [];
  for (const [index, struct] of list.entries()) {
    const end = bytes.length + struct.bytes.length;
    if (index < list.length - 1) struct.setU32(HEADER.next, end + shift);
    bytes.push(...struct.bytes);
  }
  return new Uint8Array(bytes);
};

export const getInfo = (iommu: Type1Iommu, argument: bigint): number => {
  const { user } = iommu.kernel;
  const bytes = new Uint8Array(VFIO_IOMMU_TYPE1_INFO.size);
  const known = bytes.subarray(0, VFIO_IOMMU_TYPE1_INFO_MINIMUM);
  if (user.readInto(known, argument) !== known.length) return -ERRNO.EFAULT;
  const info = new Struct(bytes);
  const argsz = info.u32(AT.argsz);
  if (argsz < VFIO_IOMMU_TYPE1_INFO_MINIMUM) return -ERRNO.EINVAL;
  info.setU32(AT.flags, VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS);
  info.setU64(AT.iova_pgsizes, iommu.pageSizes);
  const capabilities = chain(iommu);
  const needed = VFIO_IOMMU_TYPE1_INFO.size + capabilities.length;
  if (argsz < needed) {
    info.setU32(AT.argsz, needed);
  } else {
    const after = argument + BigInt(VFIO_IOMMU_TYPE1_INFO.size);
    if (!user.write(after, capabilities)) return -ERRNO.EFAULT;
    info.setU32(AT.cap_offset, VFIO_IOMMU_TYPE1_INFO.size);
  }
  return user.write(argument, bytes.subarray(0, argsz)) ? 0 : -ERRNO.EFAULT;
};
