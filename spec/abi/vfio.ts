// SPDX-License-Identifier: MIT
// The VFIO calls of containers and groups: include/uapi/linux/vfio.h.

import { struct } from './layout.ts';

/** The legacy container. */
export const VFIO_CONTAINER_PATH = '/dev/vfio/vfio';
export const VFIO_API_VERSION = 0;

export const VFIO_GET_API_VERSION = 0x3b64;
export const VFIO_CHECK_EXTENSION = 0x3b65;
export const VFIO_SET_IOMMU = 0x3b66;
export const VFIO_GROUP_GET_STATUS = 0x3b67;
export const VFIO_GROUP_SET_CONTAINER = 0x3b68;
export const VFIO_GROUP_UNSET_CONTAINER = 0x3b69;
export const VFIO_GROUP_GET_DEVICE_FD = 0x3b6a;
export const VFIO_IOMMU_GET_INFO = 0x3b70;
export const VFIO_IOMMU_MAP_DMA = 0x3b71;
export const VFIO_IOMMU_UNMAP_DMA = 0x3b72;
export const VFIO_IOMMU_ENABLE = 0x3b73;
export const VFIO_IOMMU_DISABLE = 0x3b74;
export const VFIO_IOMMU_DIRTY_PAGES = 0x3b75;
/** Calls of a cdev. */
export const VFIO_DEVICE_BIND_IOMMUFD = 0x3b76;
export const VFIO_DEVICE_ATTACH_IOMMUFD_PT = 0x3b77;
export const VFIO_DEVICE_DETACH_IOMMUFD_PT = 0x3b78;

/** The arguments of CHECK_EXTENSION and SET_IOMMU. */
export const VFIO_TYPE1_IOMMU = 1n;
export const VFIO_SPAPR_TCE_IOMMU = 2n;
export const VFIO_TYPE1v2_IOMMU = 3n;
export const VFIO_DMA_CC_IOMMU = 4n;
export const VFIO_EEH = 5n;
export const VFIO_TYPE1_NESTING_IOMMU = 6n;
export const VFIO_SPAPR_TCE_v2_IOMMU = 7n;
export const VFIO_NOIOMMU_IOMMU = 8n;
export const VFIO_UNMAP_ALL = 9n;
export const VFIO_UPDATE_VADDR = 10n;

export const VFIO_GROUP_FLAGS_VIABLE = 1;
export const VFIO_GROUP_FLAGS_CONTAINER_SET = 2;

export const VFIO_GROUP_STATUS = struct('vfio_group_status', 8, {
  argsz: ['argsz', 0],
  flags: ['flags', 4],
});

/** The argument of SET_CONTAINER: a plain int. */
export const VFIO_CONTAINER_FD = struct('int', 4, { fd: ['fd', 0] });

export const VFIO_IOMMU_INFO_PGSIZES = 1;
export const VFIO_IOMMU_INFO_CAPS = 2;

/** 20 bytes of members and 4 of padding; the shortest that is accepted ends before cap_offset. */
export const VFIO_IOMMU_TYPE1_INFO = struct('vfio_iommu_type1_info', 24, {
  argsz: ['argsz', 0],
  flags: ['flags', 4],
  iova_pgsizes: ['u64', 8],
  cap_offset: ['u32', 16],
});
export const VFIO_IOMMU_TYPE1_INFO_MINIMUM = 16;

export const CAP_IOVA_RANGE_ID = 1;
export const CAP_MIGRATION_ID = 2;
export const CAP_DMA_AVAIL_ID = 3;

export const VFIO_INFO_CAP_HEADER = struct('vfio_info_cap_header', 8, {
  id: ['u16', 0],
  version: ['u16', 2],
  next: ['u32', 4],
});

/** Capability: how many more maps are possible. */
export const VFIO_CAP_DMA_AVAIL = struct('vfio_iommu_type1_info_dma_avail', 12, {
  id: ['u16', 0],
  version: ['u16', 2],
  next: ['u32', 4],
  avail: ['u32', 8],
});

/** Capability: what DIRTY_PAGES supports; of the legacy container only. Bytes 12 to 15 are padding. */
export const VFIO_CAP_MIGRATION = struct('vfio_iommu_type1_info_cap_migration', 32, {
  id: ['u16', 0],
  version: ['u16', 2],
  next: ['u32', 4],
  flags: ['flags', 8],
  pgsize_bitmap: ['u64', 16],
  max_dirty_bitmap_size: ['u64', 24],
});

/** Bytes of the largest bitmap: one bit for each of 2^31 - 1 pages, in whole words of 8 bytes. */
export const DIRTY_BITMAP_SIZE_MAX = 0x1000_0000n;
export const DIRTY_BITMAP_PAGES_MAX = 0x7fff_ffffn;

/** Capability: the usable ranges. They follow this header, each an IOVA_RANGE of native.ts. */
export const VFIO_CAP_IOVA_RANGE = struct('vfio_iommu_type1_info_cap_iova_range', 16, {
  id: ['u16', 0],
  version: ['u16', 2],
  next: ['u32', 4],
  nr_iovas: ['u32', 8],
  reserved: ['reserved', 12],
});

export const VFIO_DMA_MAP_FLAG_READ = 1;
export const VFIO_DMA_MAP_FLAG_WRITE = 2;
export const VFIO_DMA_MAP_FLAG_VADDR = 4;

export const VFIO_IOMMU_TYPE1_DMA_MAP = struct('vfio_iommu_type1_dma_map', 32, {
  argsz: ['argsz', 0],
  flags: ['flags', 4],
  vaddr: ['address', 8],
  iova: ['iova', 16],
  size: ['length', 24],
});

export const VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP = 1;
export const VFIO_DMA_UNMAP_FLAG_ALL = 2;
export const VFIO_DMA_UNMAP_FLAG_VADDR = 4;

export const VFIO_IOMMU_TYPE1_DMA_UNMAP = struct('vfio_iommu_type1_dma_unmap', 24, {
  argsz: ['argsz', 0],
  flags: ['flags', 4],
  iova: ['iova', 8],
  size: ['length', 16],
});

/** With GET_DIRTY_BITMAP, struct vfio_bitmap follows the 24 bytes that every unmap has. */
export const VFIO_IOMMU_TYPE1_DMA_UNMAP_BITMAP = struct('vfio_iommu_type1_dma_unmap', 48, {
  argsz: ['argsz', 0],
  flags: ['flags', 4],
  iova: ['iova', 8],
  size: ['length', 16],
  bitmap_pgsize: ['u64', 24],
  bitmap_size: ['length', 32],
  bitmap_data: ['address', 40],
});

export const VFIO_IOMMU_DIRTY_PAGES_FLAG_START = 1;
export const VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP = 2;
export const VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP = 4;

/** The struct of START and STOP, and the head of that of GET_BITMAP. */
export const VFIO_IOMMU_TYPE1_DIRTY_BITMAP = struct('vfio_iommu_type1_dirty_bitmap', 8, {
  argsz: ['argsz', 0],
  flags: ['flags', 4],
});

/** The same, followed by struct vfio_iommu_type1_dirty_bitmap_get, which GET_BITMAP reads. */
export const VFIO_IOMMU_TYPE1_DIRTY_BITMAP_GET = struct('vfio_iommu_type1_dirty_bitmap', 48, {
  argsz: ['argsz', 0],
  flags: ['flags', 4],
  iova: ['iova', 8],
  size: ['length', 16],
  bitmap_pgsize: ['u64', 24],
  bitmap_size: ['length', 32],
  bitmap_data: ['address', 40],
});

export const VFIO_DEVICE_BIND_FLAG_TOKEN = 1;
export const VFIO_DEVICE_ATTACH_PASID = 1;
export const VFIO_DEVICE_DETACH_PASID = 1;

/** With the token, which a release without tokens does not have. */
export const VFIO_DEVICE_BIND = struct('vfio_device_bind_iommufd', 24, {
  argsz: ['argsz', 0],
  flags: ['flags', 4],
  iommufd: ['fd', 8],
  out_devid: ['id', 12],
  token_uuid_ptr: ['address', 16],
});
export const VFIO_DEVICE_BIND_MINIMUM = 16;
/** A token is a UUID. */
export const VFIO_TOKEN_LENGTH = 16;

export const VFIO_DEVICE_ATTACH = struct('vfio_device_attach_iommufd_pt', 16, {
  argsz: ['argsz', 0],
  flags: ['flags', 4],
  pt_id: ['id', 8],
  pasid: ['u32', 12],
});
export const VFIO_DEVICE_ATTACH_MINIMUM = 12;

export const VFIO_DEVICE_DETACH = struct('vfio_device_detach_iommufd_pt', 12, {
  argsz: ['argsz', 0],
  flags: ['flags', 4],
  pasid: ['u32', 8],
});
export const VFIO_DEVICE_DETACH_MINIMUM = 8;
