// SPDX-License-Identifier: MIT
// IOMMU_TEST_CMD's operations: drivers/iommu/iommufd/iommufd_test.h, in kernels with CONFIG_IOMMUFD_TEST.

import { type Layout, struct } from './layout.ts';

const header = {
  size: ['size', 0],
  op: ['operation', 4],
  id: ['id', 8],
  __reserved: ['u32', 12],
} as const;

export const ADD_RESERVED = struct('iommu_test_cmd', 72, {
  ...header,
  start: ['u64', 16],
  length: ['length', 24],
});

export const MOCK_DOMAIN = struct('iommu_test_cmd', 72, {
  ...header,
  out_stdev_id: ['id', 16],
  out_hwpt_id: ['id', 20],
  out_idev_id: ['id', 24],
});

export const MOCK_FLAGS_DEVICE_NO_DIRTY = 1;
/** 6.12 only: the domain has 1 MiB pages besides those of 2 KiB. */
export const MOCK_FLAGS_DEVICE_HUGE_IOVA = 2;
/** The type of the data that GET_HW_INFO reports for a mock device, and its layout. */
export const HW_INFO_TYPE_SELFTEST = 0xfeed_beef;
export const SELFTEST_HW_INFO = struct('iommu_test_hw_info', 8, {
  flags: ['flags', 0],
  test_reg: ['u32', 4],
});
export const SELFTEST_HW_INFO_REGISTER = 0xdead_beef;
/** The width in bits of the PASIDs of a device with MOCK_FLAGS_DEVICE_PASID. */
export const MOCK_PASID_WIDTH = 20;

/** 7.3 only: the device has PASIDs. */
export const MOCK_FLAGS_DEVICE_PASID = 4;

export const MOCK_DOMAIN_FLAGS = struct('iommu_test_cmd', 72, {
  ...header,
  out_stdev_id: ['id', 16],
  out_hwpt_id: ['id', 20],
  out_idev_id: ['id', 24],
  dev_flags: ['flags', 28],
});

export const MOCK_DOMAIN_REPLACE = struct('iommu_test_cmd', 72, {
  ...header,
  pt_id: ['id', 16],
});

export const MD_CHECK_MAP = struct('iommu_test_cmd', 72, {
  ...header,
  iova: ['iova', 16],
  length: ['length', 24],
  uptr: ['address', 32],
});

export const MD_CHECK_REFS = struct('iommu_test_cmd', 72, {
  ...header,
  length: ['length', 16],
  uptr: ['address', 24],
  refs: ['u32', 32],
});

export const ACCESS_NEEDS_PIN_PAGES = 1;

export const CREATE_ACCESS = struct('iommu_test_cmd', 72, {
  ...header,
  out_access_fd: ['fd', 16],
  flags: ['flags', 20],
});

export const DESTROY_ACCESS_PAGES = struct('iommu_test_cmd', 72, {
  ...header,
  access_pages_id: ['u32', 16],
});

export const MOCK_FLAGS_ACCESS_WRITE = 1;
export const MOCK_FLAGS_ACCESS_SYZ = 0x1_0000;

export const ACCESS_PAGES = struct('iommu_test_cmd', 72, {
  ...header,
  flags: ['flags', 16],
  out_access_pages_id: ['u32', 20],
  iova: ['iova', 24],
  length: ['length', 32],
  uptr: ['address', 40],
});

export const MOCK_ACCESS_RW_WRITE = 1;
export const MOCK_ACCESS_RW_SLOW_PATH = 4;

export const ACCESS_RW = struct('iommu_test_cmd', 72, {
  ...header,
  iova: ['iova', 16],
  length: ['length', 24],
  uptr: ['address', 32],
  flags: ['flags', 40],
});

export const SET_TEMP_MEMORY_LIMIT = struct('iommu_test_cmd', 72, {
  ...header,
  limit: ['u32', 16],
});

export const ACCESS_REPLACE_IOAS = struct('iommu_test_cmd', 72, {
  ...header,
  ioas_id: ['id', 16],
});

export const DIRTY = struct('iommu_test_cmd', 72, {
  ...header,
  flags: ['flags', 16],
  iova: ['iova', 24],
  length: ['length', 32],
  page_size: ['u64', 40],
  uptr: ['address', 48],
  out_nr_dirty: ['u64', 56],
});

export const MD_CHECK_IOTLB = struct('iommu_test_cmd', 72, {
  ...header,
  iotlb_id: ['u32', 16],
  iotlb: ['u32', 20],
});

export const TRIGGER_IOPF = struct('iommu_test_cmd', 72, {
  ...header,
  dev_id: ['id', 16],
  pasid: ['u32', 20],
  grpid: ['u32', 24],
  perm: ['u32', 28],
  addr: ['u64', 32],
});

export const DEV_CHECK_CACHE = struct('iommu_test_cmd', 72, {
  ...header,
  cache_id: ['u32', 16],
  cache: ['u32', 20],
});

export const TRIGGER_VEVENT = struct('iommu_test_cmd', 72, { ...header, dev_id: ['id', 16] });

export const PASID_ATTACH = struct('iommu_test_cmd', 72, {
  ...header,
  pasid: ['u32', 16],
  pt_id: ['id', 20],
});

export const PASID_DETACH = struct('iommu_test_cmd', 72, { ...header, pasid: ['u32', 16] });

export const DMABUF_GET = struct('iommu_test_cmd', 72, {
  ...header,
  length: ['u32', 16],
  open_flags: ['flags', 20],
});

export const DMABUF_REVOKE = struct('iommu_test_cmd', 72, {
  ...header,
  dmabuf_fd: ['fd', 16],
  revoked: ['u32', 20],
});

export type TestOperationName =
  | 'ADD_RESERVED'
  | 'MOCK_DOMAIN'
  | 'MD_CHECK_MAP'
  | 'MD_CHECK_REFS'
  | 'CREATE_ACCESS'
  | 'DESTROY_ACCESS_PAGES'
  | 'ACCESS_PAGES'
  | 'ACCESS_RW'
  | 'SET_TEMP_MEMORY_LIMIT'
  | 'MOCK_DOMAIN_REPLACE'
  | 'ACCESS_REPLACE_IOAS'
  | 'MOCK_DOMAIN_FLAGS'
  | 'DIRTY'
  | 'MD_CHECK_IOTLB'
  | 'TRIGGER_IOPF'
  | 'DEV_CHECK_CACHE'
  | 'TRIGGER_VEVENT'
  | 'PASID_ATTACH'
  | 'PASID_REPLACE'
  | 'PASID_DETACH'
  | 'PASID_CHECK_HWPT'
  | 'DMABUF_GET'
  | 'DMABUF_REVOKE';

export type TestOperation = {
  readonly op: number;
  readonly name: TestOperationName;
  readonly layout: Layout;
};

/** Every test operation, in the order of their numbers. */
export const TEST_OPERATIONS: readonly TestOperation[] = [
  { op: 1, name: 'ADD_RESERVED', layout: ADD_RESERVED },
  { op: 2, name: 'MOCK_DOMAIN', layout: MOCK_DOMAIN },
  { op: 3, name: 'MD_CHECK_MAP', layout: MD_CHECK_MAP },
  { op: 4, name: 'MD_CHECK_REFS', layout: MD_CHECK_REFS },
  { op: 5, name: 'CREATE_ACCESS', layout: CREATE_ACCESS },
  { op: 6, name: 'DESTROY_ACCESS_PAGES', layout: DESTROY_ACCESS_PAGES },
  { op: 7, name: 'ACCESS_PAGES', layout: ACCESS_PAGES },
  { op: 8, name: 'ACCESS_RW', layout: ACCESS_RW },
  { op: 9, name: 'SET_TEMP_MEMORY_LIMIT', layout: SET_TEMP_MEMORY_LIMIT },
  { op: 10, name: 'MOCK_DOMAIN_REPLACE', layout: MOCK_DOMAIN_REPLACE },
  { op: 11, name: 'ACCESS_REPLACE_IOAS', layout: ACCESS_REPLACE_IOAS },
  { op: 12, name: 'MOCK_DOMAIN_FLAGS', layout: MOCK_DOMAIN_FLAGS },
  { op: 13, name: 'DIRTY', layout: DIRTY },
  { op: 14, name: 'MD_CHECK_IOTLB', layout: MD_CHECK_IOTLB },
  { op: 15, name: 'TRIGGER_IOPF', layout: TRIGGER_IOPF },
  { op: 16, name: 'DEV_CHECK_CACHE', layout: DEV_CHECK_CACHE },
  { op: 17, name: 'TRIGGER_VEVENT', layout: TRIGGER_VEVENT },
  { op: 18, name: 'PASID_ATTACH', layout: PASID_ATTACH },
  { op: 19, name: 'PASID_REPLACE', layout: PASID_ATTACH },
  { op: 20, name: 'PASID_DETACH', layout: PASID_DETACH },
  { op: 21, name: 'PASID_CHECK_HWPT', layout: PASID_ATTACH },
  { op: 22, name: 'DMABUF_GET', layout: DMABUF_GET },
  { op: 23, name: 'DMABUF_REVOKE', layout: DMABUF_REVOKE },
];

/** The aperture of mock domains, `last` inclusive, on both releases. */
export const MOCK_APERTURE_START = 0x100_0000n;
export const MOCK_APERTURE_LAST = 0x7fff_ffffn;
export const MOCK_PAGE_SIZE = 2048n;
export const MOCK_DEVICE_CACHES = 4;
export const MOCK_DEVICE_CACHE_DEFAULT = 0xbaddad;
/** The longest access, in bytes. */
export const ACCESS_LENGTH_MAX = 16n * 1024n * 1024n;
/** The lowest limit for the memory of a batch, in bytes. */
export const TEMP_MEMORY_LIMIT_MIN = 12;
