// SPDX-License-Identifier: MIT
// The native iommufd calls: include/uapi/linux/iommufd.h.

import { type Layout, struct } from './layout.ts';

/** The ioctl type of native and VFIO calls: ';'. */
export const IOMMUFD_TYPE = 0x3b00;
/** The first number of native calls; lower numbers are VFIO's. */
export const COMMAND_BASE = 0x80;

export const IOMMU_DESTROY = struct('iommu_destroy', 8, { size: ['size', 0], id: ['id', 4] });

export const IOMMU_IOAS_ALLOC = struct('iommu_ioas_alloc', 12, {
  size: ['size', 0],
  flags: ['flags', 4],
  out_ioas_id: ['id', 8],
});

/** One element of the arrays that IOVA_RANGES writes and ALLOW_IOVAS reads; `last` is inclusive. */
export const IOVA_RANGE = struct('iommu_iova_range', 16, {
  start: ['iova', 0],
  last: ['iova', 8],
});

export const IOMMU_IOAS_IOVA_RANGES = struct('iommu_ioas_iova_ranges', 32, {
  size: ['size', 0],
  ioas_id: ['id', 4],
  num_iovas: ['u32', 8],
  __reserved: ['reserved', 12],
  allowed_iovas: ['address', 16],
  out_iova_alignment: ['u64', 24],
});

export const IOMMU_IOAS_ALLOW_IOVAS = struct('iommu_ioas_allow_iovas', 24, {
  size: ['size', 0],
  ioas_id: ['id', 4],
  num_iovas: ['u32', 8],
  __reserved: ['reserved', 12],
  allowed_iovas: ['address', 16],
});

export const MAP_FIXED_IOVA = 1;
export const MAP_WRITEABLE = 2;
export const MAP_READABLE = 4;

export const IOMMU_IOAS_MAP = struct('iommu_ioas_map', 40, {
  size: ['size', 0],
  flags: ['flags', 4],
  ioas_id: ['id', 8],
  __reserved: ['reserved', 12],
  user_va: ['address', 16],
  length: ['length', 24],
  iova: ['iova', 32],
});

export const IOMMU_IOAS_MAP_FILE = struct('iommu_ioas_map_file', 40, {
  size: ['size', 0],
  flags: ['flags', 4],
  ioas_id: ['id', 8],
  fd: ['fd', 12],
  start: ['u64', 16],
  length: ['length', 24],
  iova: ['iova', 32],
});

export const IOMMU_IOAS_COPY = struct('iommu_ioas_copy', 40, {
  size: ['size', 0],
  flags: ['flags', 4],
  dst_ioas_id: ['id', 8],
  src_ioas_id: ['id', 12],
  length: ['length', 16],
  dst_iova: ['iova', 24],
  src_iova: ['iova', 32],
});

export const IOMMU_IOAS_UNMAP = struct('iommu_ioas_unmap', 24, {
  size: ['size', 0],
  ioas_id: ['id', 4],
  iova: ['iova', 8],
  length: ['length', 16],
});

export const OPTION_RLIMIT_MODE = 0;
export const OPTION_HUGE_PAGES = 1;
export const OPTION_OP_SET = 0;
export const OPTION_OP_GET = 1;

export const IOMMU_OPTION = struct('iommu_option', 24, {
  size: ['size', 0],
  option_id: ['operation', 4],
  op: ['u16', 8],
  __reserved: ['reserved16', 10],
  object_id: ['id', 12],
  val64: ['u64', 16],
});

export const VFIO_IOAS_GET = 0;
export const VFIO_IOAS_SET = 1;
export const VFIO_IOAS_CLEAR = 2;

export const IOMMU_VFIO_IOAS = struct('iommu_vfio_ioas', 12, {
  size: ['size', 0],
  ioas_id: ['id', 4],
  op: ['u16', 8],
  __reserved: ['reserved16', 10],
});

export const HWPT_ALLOC_NEST_PARENT = 1;
export const HWPT_ALLOC_DIRTY_TRACKING = 2;
/** 7.3 only. */
export const HWPT_ALLOC_PASID = 8;
export const HWPT_DATA_NONE = 0;

export const IOMMU_HWPT_ALLOC = struct('iommu_hwpt_alloc', 48, {
  size: ['size', 0],
  flags: ['flags', 4],
  dev_id: ['id', 8],
  pt_id: ['id', 12],
  out_hwpt_id: ['id', 16],
  __reserved: ['reserved', 20],
  data_type: ['u32', 24],
  data_len: ['u32', 28],
  data_uptr: ['address', 32],
  fault_id: ['id', 40],
  __reserved2: ['reserved', 44],
});

/** 7.3 only: in_data_type selects one of the device's kinds of data. */
export const HW_INFO_FLAG_INPUT_TYPE = 1;
export const HW_INFO_TYPE_DEFAULT = 0;
export const HW_CAP_DIRTY_TRACKING = 1;
/** 7.3 only. */
export const HW_CAP_PCI_ATS_NOT_SUPPORTED = 8;

/** The word at 28 is out_max_pasid_log2 and three bytes that must be 0. The word at 24 is also in_data_type. */
export const IOMMU_GET_HW_INFO = struct('iommu_hw_info', 40, {
  size: ['size', 0],
  flags: ['flags', 4],
  dev_id: ['id', 8],
  data_len: ['u32', 12],
  data_uptr: ['address', 16],
  out_data_type: ['u32', 24],
  __reserved: ['reserved', 28],
  out_capabilities: ['u64', 32],
});

export const HWPT_DIRTY_TRACKING_ENABLE = 1;

export const IOMMU_HWPT_SET_DIRTY_TRACKING = struct('iommu_hwpt_set_dirty_tracking', 16, {
  size: ['size', 0],
  flags: ['flags', 4],
  hwpt_id: ['id', 8],
  __reserved: ['reserved', 12],
});

export const HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1;

export const IOMMU_HWPT_GET_DIRTY_BITMAP = struct('iommu_hwpt_get_dirty_bitmap', 48, {
  size: ['size', 0],
  hwpt_id: ['id', 4],
  flags: ['flags', 8],
  __reserved: ['reserved', 12],
  iova: ['iova', 16],
  length: ['length', 24],
  page_size: ['u64', 32],
  data: ['address', 40],
});

export const IOMMU_HWPT_INVALIDATE = struct('iommu_hwpt_invalidate', 32, {
  size: ['size', 0],
  hwpt_id: ['id', 4],
  data_uptr: ['address', 8],
  data_type: ['u32', 16],
  entry_len: ['u32', 20],
  entry_num: ['u32', 24],
  __reserved: ['reserved', 28],
});

export const IOMMU_FAULT_QUEUE_ALLOC = struct('iommu_fault_alloc', 16, {
  size: ['size', 0],
  flags: ['flags', 4],
  out_fault_id: ['id', 8],
  out_fault_fd: ['fd', 12],
});

export const IOMMU_VIOMMU_ALLOC = struct('iommu_viommu_alloc', 40, {
  size: ['size', 0],
  flags: ['flags', 4],
  type: ['u32', 8],
  dev_id: ['id', 12],
  hwpt_id: ['id', 16],
  out_viommu_id: ['id', 20],
  data_len: ['u32', 24],
  __reserved: ['reserved', 28],
  data_uptr: ['address', 32],
});

export const IOMMU_VDEVICE_ALLOC = struct('iommu_vdevice_alloc', 24, {
  size: ['size', 0],
  viommu_id: ['id', 4],
  dev_id: ['id', 8],
  out_vdevice_id: ['id', 12],
  virt_id: ['u64', 16],
});

export const IOMMU_IOAS_CHANGE_PROCESS = struct('iommu_ioas_change_process', 8, {
  size: ['size', 0],
  __reserved: ['reserved', 4],
});

export const IOMMU_VEVENTQ_ALLOC = struct('iommu_veventq_alloc', 32, {
  size: ['size', 0],
  flags: ['flags', 4],
  viommu_id: ['id', 8],
  type: ['u32', 12],
  veventq_depth: ['u32', 16],
  out_veventq_id: ['id', 20],
  out_veventq_fd: ['fd', 24],
  __reserved: ['reserved', 28],
});

export const IOMMU_HW_QUEUE_ALLOC = struct('iommu_hw_queue_alloc', 40, {
  size: ['size', 0],
  flags: ['flags', 4],
  viommu_id: ['id', 8],
  type: ['u32', 12],
  index: ['u32', 16],
  out_hw_queue_id: ['id', 20],
  nesting_parent_iova: ['iova', 24],
  length: ['length', 32],
});

export const IOMMU_IOAS_NOIOMMU_GET_PA = struct('iommu_ioas_noiommu_get_pa', 40, {
  size: ['size', 0],
  flags: ['flags', 4],
  ioas_id: ['id', 8],
  __reserved: ['reserved', 12],
  iova: ['iova', 16],
  length: ['length', 24],
  out_phys: ['u64', 32],
});

export type NativeCallName =
  | 'IOMMU_DESTROY'
  | 'IOMMU_IOAS_ALLOC'
  | 'IOMMU_IOAS_ALLOW_IOVAS'
  | 'IOMMU_IOAS_COPY'
  | 'IOMMU_IOAS_IOVA_RANGES'
  | 'IOMMU_IOAS_MAP'
  | 'IOMMU_IOAS_UNMAP'
  | 'IOMMU_OPTION'
  | 'IOMMU_VFIO_IOAS'
  | 'IOMMU_HWPT_ALLOC'
  | 'IOMMU_GET_HW_INFO'
  | 'IOMMU_HWPT_SET_DIRTY_TRACKING'
  | 'IOMMU_HWPT_GET_DIRTY_BITMAP'
  | 'IOMMU_HWPT_INVALIDATE'
  | 'IOMMU_FAULT_QUEUE_ALLOC'
  | 'IOMMU_IOAS_MAP_FILE'
  | 'IOMMU_VIOMMU_ALLOC'
  | 'IOMMU_VDEVICE_ALLOC'
  | 'IOMMU_IOAS_CHANGE_PROCESS'
  | 'IOMMU_VEVENTQ_ALLOC'
  | 'IOMMU_HW_QUEUE_ALLOC'
  | 'IOMMU_IOAS_NOIOMMU_GET_PA'
  | 'IOMMU_TEST_CMD';

export type NativeCall = {
  readonly name: NativeCallName;
  /** The whole ioctl number. */
  readonly command: number;
  readonly layout: Layout;
  /** The shortest struct that is accepted, in bytes. */
  readonly minimum: number;
};

const native = (
  nr: number,
  name: NativeCallName,
  layout: Layout,
  minimum: number = layout.size,
): NativeCall => ({ name, command: IOMMUFD_TYPE + nr, layout, minimum });

/** The head of IOMMU_TEST_CMD; the layouts of its operations are in test.ts. The last member ends at 68. */
export const IOMMU_TEST_CMD = struct('iommu_test_cmd', 72, {
  size: ['size', 0],
  op: ['operation', 4],
  id: ['id', 8],
  __reserved: ['u32', 12],
});

/** Every native call, in the order of their numbers. */
export const NATIVE_CALLS: readonly NativeCall[] = [
  native(0x80, 'IOMMU_DESTROY', IOMMU_DESTROY),
  native(0x81, 'IOMMU_IOAS_ALLOC', IOMMU_IOAS_ALLOC),
  native(0x82, 'IOMMU_IOAS_ALLOW_IOVAS', IOMMU_IOAS_ALLOW_IOVAS),
  native(0x83, 'IOMMU_IOAS_COPY', IOMMU_IOAS_COPY),
  native(0x84, 'IOMMU_IOAS_IOVA_RANGES', IOMMU_IOAS_IOVA_RANGES),
  native(0x85, 'IOMMU_IOAS_MAP', IOMMU_IOAS_MAP),
  native(0x86, 'IOMMU_IOAS_UNMAP', IOMMU_IOAS_UNMAP),
  native(0x87, 'IOMMU_OPTION', IOMMU_OPTION),
  native(0x88, 'IOMMU_VFIO_IOAS', IOMMU_VFIO_IOAS),
  native(0x89, 'IOMMU_HWPT_ALLOC', IOMMU_HWPT_ALLOC, 24),
  native(0x8a, 'IOMMU_GET_HW_INFO', IOMMU_GET_HW_INFO, 32),
  native(0x8b, 'IOMMU_HWPT_SET_DIRTY_TRACKING', IOMMU_HWPT_SET_DIRTY_TRACKING),
  native(0x8c, 'IOMMU_HWPT_GET_DIRTY_BITMAP', IOMMU_HWPT_GET_DIRTY_BITMAP),
  native(0x8d, 'IOMMU_HWPT_INVALIDATE', IOMMU_HWPT_INVALIDATE),
  native(0x8e, 'IOMMU_FAULT_QUEUE_ALLOC', IOMMU_FAULT_QUEUE_ALLOC),
  native(0x8f, 'IOMMU_IOAS_MAP_FILE', IOMMU_IOAS_MAP_FILE),
  native(0x90, 'IOMMU_VIOMMU_ALLOC', IOMMU_VIOMMU_ALLOC, 24),
  native(0x91, 'IOMMU_VDEVICE_ALLOC', IOMMU_VDEVICE_ALLOC),
  native(0x92, 'IOMMU_IOAS_CHANGE_PROCESS', IOMMU_IOAS_CHANGE_PROCESS),
  native(0x93, 'IOMMU_VEVENTQ_ALLOC', IOMMU_VEVENTQ_ALLOC, 28),
  native(0x94, 'IOMMU_HW_QUEUE_ALLOC', IOMMU_HW_QUEUE_ALLOC),
  native(0x95, 'IOMMU_IOAS_NOIOMMU_GET_PA', IOMMU_IOAS_NOIOMMU_GET_PA),
  native(0xa0, 'IOMMU_TEST_CMD', IOMMU_TEST_CMD, 68),
];

/** The call with the name: its whole ioctl number, its struct, and the shortest struct that is accepted. */
export const nativeCall = (name: NativeCallName): NativeCall =>
  NATIVE_CALLS.find((call) => call.name === name) as NativeCall;
