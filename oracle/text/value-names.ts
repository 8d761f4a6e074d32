// SPDX-License-Identifier: MIT
// Names of flags and of values, by call and field, as in the uAPI headers and iommufd_test.h.

import { TEST_OPERATIONS } from '../../spec/abi/test.ts';

type FlagTable = readonly (readonly [bit: number, name: string])[];
type FieldTables<Table> = Readonly<Record<string, Readonly<Record<string, Table>>>>;

const MAP_FLAGS: FlagTable = [
  [1, 'FIXED_IOVA'],
  [2, 'WRITEABLE'],
  [4, 'READABLE'],
];

const ACCESS_FLAGS: FlagTable = [
  [1, 'WRITE'],
  [4, 'SLOW_PATH'],
  [0x1_0000, 'SYZ'],
];

const DEVICE_FLAGS: FlagTable = [
  [1, 'NO_DIRTY'],
  [2, 'HUGE_IOVA'],
  [4, 'PASID'],
];

/** Bits by call and field. An empty list: the field has no flags. */
const FLAGS: FieldTables<FlagTable> = {
  IOMMU_IOAS_ALLOC: { flags: [] },
  IOMMU_IOAS_MAP: { flags: MAP_FLAGS },
  IOMMU_IOAS_MAP_FILE: { flags: MAP_FLAGS },
  IOMMU_IOAS_COPY: { flags: [...MAP_FLAGS, [0x1_0000, 'SYZ']] },
  IOMMU_HWPT_ALLOC: {
    flags: [
      [1, 'NEST_PARENT'],
      [2, 'DIRTY_TRACKING'],
      [4, 'FAULT_ID_VALID'],
      [8, 'PASID'],
    ],
  },
  IOMMU_GET_HW_INFO: { flags: [[1, 'INPUT_TYPE']] },
  IOMMU_HWPT_SET_DIRTY_TRACKING: { flags: [[1, 'ENABLE']] },
  IOMMU_HWPT_GET_DIRTY_BITMAP: { flags: [[1, 'NO_CLEAR']] },
  'IOMMU_TEST_CMD MOCK_DOMAIN_FLAGS': { dev_flags: DEVICE_FLAGS },
  'IOMMU_TEST_CMD CREATE_ACCESS': { flags: [[1, 'NEEDS_PIN_PAGES']] },
  'IOMMU_TEST_CMD ACCESS_PAGES': {
    flags: [
      [1, 'WRITE'],
      [0x1_0000, 'SYZ'],
    ],
  },
  'IOMMU_TEST_CMD ACCESS_RW': { flags: ACCESS_FLAGS },
  'IOMMU_TEST_CMD DIRTY': { flags: ACCESS_FLAGS },
  VFIO_GROUP_GET_STATUS: {
    flags: [
      [1, 'VIABLE'],
      [2, 'CONTAINER_SET'],
    ],
  },
  VFIO_DEVICE_BIND_IOMMUFD: { flags: [[1, 'TOKEN']] },
  VFIO_DEVICE_ATTACH_IOMMUFD_PT: { flags: [[1, 'PASID']] },
  VFIO_DEVICE_DETACH_IOMMUFD_PT: { flags: [[1, 'PASID']] },
  VFIO_IOMMU_GET_INFO: {
    flags: [
      [1, 'PGSIZES'],
      [2, 'CAPS'],
    ],
  },
  VFIO_IOMMU_MAP_DMA: {
    flags: [
      [1, 'READ'],
      [2, 'WRITE'],
      [4, 'VADDR'],
    ],
  },
  VFIO_IOMMU_UNMAP_DMA: {
    flags: [
      [1, 'GET_DIRTY_BITMAP'],
      [2, 'ALL'],
      [4, 'VADDR'],
    ],
  },
  VFIO_IOMMU_DIRTY_PAGES: {
    flags: [
      [1, 'START'],
      [2, 'STOP'],
      [4, 'GET_BITMAP'],
    ],
  },
};

type ValueTable = ReadonlyMap<number, string>;

const VALUES: FieldTables<ValueTable> = {
  IOMMU_OPTION: {
    option_id: new Map([
      [0, 'RLIMIT_MODE'],
      [1, 'HUGE_PAGES'],
    ]),
    op: new Map([
      [0, 'SET'],
      [1, 'GET'],
    ]),
  },
  IOMMU_VFIO_IOAS: {
    op: new Map([
      [0, 'GET'],
      [1, 'SET'],
      [2, 'CLEAR'],
    ]),
  },
  IOMMU_HWPT_ALLOC: {
    data_type: new Map([
      [0, 'NONE'],
      [1, 'VTD_S1'],
      [2, 'ARM_SMMUV3'],
    ]),
  },
};

const TEST_OPERATION_NAMES: ValueTable = new Map(TEST_OPERATIONS.map(({ op, name }) => [op, name]));

/** What the numbers of CHECK_EXTENSION and SET_IOMMU mean. */
const EXTENSIONS: ValueTable = new Map([
  [1, 'TYPE1'],
  [2, 'SPAPR_TCE'],
  [3, 'TYPE1v2'],
  [4, 'DMA_CC'],
  [5, 'EEH'],
  [6, 'TYPE1_NESTING'],
  [7, 'SPAPR_TCE_v2'],
  [8, 'NOIOMMU'],
  [9, 'UNMAP_ALL'],
  [10, 'UPDATE_VADDR'],
]);

/** "FIXED_IOVA | WRITEABLE"; bits without a name are given as a number. */
export const flagsText = (call: string, field: string, value: number): string => {
  const table = FLAGS[call]?.[field];
  if (value === 0) return '0';
  if (table === undefined) return `0x${value.toString(16)}`;
  const names = table.filter(([bit]) => (value & bit) !== 0).map(([, name]) => name);
  const known = table.reduce((bits, [bit]) => bits | bit, 0);
  const rest = (value & ~known) >>> 0;
  return [...names, ...(rest === 0 ? [] : [`0x${rest.toString(16)}, which is no flag`])].join(
    ' | ',
  );
};

/** The value's name where it has one. */
export const valueName = (call: string, field: string, value: number): string | undefined =>
  VALUES[call]?.[field]?.get(value) ??
  (field === 'op' && call.startsWith('IOMMU_TEST_CMD')
    ? TEST_OPERATION_NAMES.get(value)
    : undefined);

export const extensionName = (value: bigint): string | undefined => EXTENSIONS.get(Number(value));
