// SPDX-License-Identifier: MIT
// Names of numbers, structs and calls in C: those of the uAPI headers, if they have one.

import { NATIVE_CALLS, type NativeCallName } from '../../spec/abi/native.ts';
import { TEST_OPERATIONS } from '../../spec/abi/test.ts';
import { flagsText } from '../text/value-names.ts';
import { type CText, c, cComment, cHex, cJoin, cName } from './c-text.ts';

const VFIO_CALLS: ReadonlyMap<number, string> = new Map([
  [0x3b64, 'VFIO_GET_API_VERSION'],
  [0x3b65, 'VFIO_CHECK_EXTENSION'],
  [0x3b66, 'VFIO_SET_IOMMU'],
  [0x3b67, 'VFIO_GROUP_GET_STATUS'],
  [0x3b68, 'VFIO_GROUP_SET_CONTAINER'],
  [0x3b69, 'VFIO_GROUP_UNSET_CONTAINER'],
  [0x3b6a, 'VFIO_GROUP_GET_DEVICE_FD'],
  [0x3b70, 'VFIO_IOMMU_GET_INFO'],
  [0x3b71, 'VFIO_IOMMU_MAP_DMA'],
  [0x3b72, 'VFIO_IOMMU_UNMAP_DMA'],
  [0x3b73, 'VFIO_IOMMU_ENABLE'],
  [0x3b74, 'VFIO_IOMMU_DISABLE'],
  [0x3b75, 'VFIO_IOMMU_DIRTY_PAGES'],
  [0x3b76, 'VFIO_DEVICE_BIND_IOMMUFD'],
  [0x3b77, 'VFIO_DEVICE_ATTACH_IOMMUFD_PT'],
  [0x3b78, 'VFIO_DEVICE_DETACH_IOMMUFD_PT'],
]);

const NATIVE: ReadonlyMap<number, NativeCallName> = new Map(
  NATIVE_CALLS.map(({ command, name }) => [command, name]),
);

const TESTS: ReadonlyMap<string, number> = new Map(
  TEST_OPERATIONS.map(({ name, op }) => [name, op]),
);

export const isTest = (layout: string): boolean => TESTS.has(layout);

export const testNumber = (layout: string): number => TESTS.get(layout) ?? 0;

export const nativeName = (command: number): NativeCallName | undefined => NATIVE.get(command);

/** The ioctl number as C writes it. */
export const commandName = (command: number): CText => {
  const name = NATIVE.get(command) ?? VFIO_CALLS.get(command);
  return name === undefined ? cHex(command >>> 0) : cName(name);
};

/** Whether the struct is the one that the call takes. */
export const belongsTo = (layout: string, command: number): boolean =>
  isTest(layout) ? NATIVE.get(command) === 'IOMMU_TEST_CMD' : commandName(command) === layout;

const MAP_FLAGS = [
  [1, 'IOMMU_IOAS_MAP_FIXED_IOVA'],
  [2, 'IOMMU_IOAS_MAP_WRITEABLE'],
  [4, 'IOMMU_IOAS_MAP_READABLE'],
] as const;

const FLAGS: Readonly<Record<string, readonly (readonly [bit: number, name: string])[]>> = {
  IOMMU_IOAS_MAP: MAP_FLAGS,
  IOMMU_IOAS_MAP_FILE: MAP_FLAGS,
  IOMMU_IOAS_COPY: MAP_FLAGS,
  VFIO_IOMMU_MAP_DMA: [
    [1, 'VFIO_DMA_MAP_FLAG_READ'],
    [2, 'VFIO_DMA_MAP_FLAG_WRITE'],
    [4, 'VFIO_DMA_MAP_FLAG_VADDR'],
  ],
  VFIO_IOMMU_UNMAP_DMA: [
    [1, 'VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP'],
    [2, 'VFIO_DMA_UNMAP_FLAG_ALL'],
    [4, 'VFIO_DMA_UNMAP_FLAG_VADDR'],
  ],
};

const VALUES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  IOMMU_OPTION: {
    option_id: ['IOMMU_OPTION_RLIMIT_MODE', 'IOMMU_OPTION_HUGE_PAGES'],
    op: ['IOMMU_OPTION_OP_SET', 'IOMMU_OPTION_OP_GET'],
  },
  IOMMU_VFIO_IOAS: {
    op: ['IOMMU_VFIO_IOAS_GET', 'IOMMU_VFIO_IOAS_SET', 'IOMMU_VFIO_IOAS_CLEAR'],
  },
};

const namedFlags = (layout: string, value: number): CText | undefined => {
  const table = FLAGS[layout];
  if (table === undefined || value === 0) return undefined;
  const names = table.filter(([bit]) => (value & bit) !== 0).map(([, name]) => cName(name));
  const rest = table.reduce((bits, [bit]) => bits & ~bit, value) >>> 0;
  return cJoin([...names, ...(rest === 0 ? [] : [cHex(rest)])], c` | `);
};

/** Flags that only words name: those of test operations, and of structs that headers have in several lengths. */
const flagsComment = (layout: string, field: string, value: number): CText => {
  const call = isTest(layout) ? `IOMMU_TEST_CMD ${layout}` : layout;
  const text = value === 0 ? '' : flagsText(call, field, value);
  return /^[A-Z]/.test(text) ? c` ${cComment(text)}` : c``;
};

/** A field's value in C, by name if it has one. */
export const namedNumber = (layout: string, field: string, value: bigint): CText | undefined => {
  if (value > 0xffff_ffffn) return undefined;
  const number = Number(value);
  if (field === 'op' && isTest(layout) && number === testNumber(layout)) {
    return cName(`IOMMU_TEST_OP_${layout}`);
  }
  if (field === 'flags' || field === 'dev_flags') {
    const named = namedFlags(layout, number);
    return named ?? c`${cHex(number)}${flagsComment(layout, field, number)}`;
  }
  const name = VALUES[layout]?.[field]?.[number];
  return name === undefined ? undefined : cName(name);
};

const EXTENSIONS: ReadonlyMap<bigint, string> = new Map([
  [1n, 'VFIO_TYPE1_IOMMU'],
  [2n, 'VFIO_SPAPR_TCE_IOMMU'],
  [3n, 'VFIO_TYPE1v2_IOMMU'],
  [4n, 'VFIO_DMA_CC_IOMMU'],
  [5n, 'VFIO_EEH'],
  [7n, 'VFIO_SPAPR_TCE_v2_IOMMU'],
  [8n, 'VFIO_NOIOMMU_IOMMU'],
  [9n, 'VFIO_UNMAP_ALL'],
  [10n, 'VFIO_UPDATE_VADDR'],
]);

/** Arguments of SET_IOMMU and CHECK_EXTENSION. */
export const extensionName = (command: number, value: bigint): CText | undefined => {
  const name = command === 0x3b65 || command === 0x3b66 ? EXTENSIONS.get(value) : undefined;
  return name === undefined ? undefined : cName(name);
};

/** A number without a name, as an unsigned literal that is wide enough. */
export const number = (value: bigint): CText => {
  if (value < 10n) return c`${value}`;
  return value > 0xffff_ffffn ? c`${cHex(value)}ULL` : cHex(value);
};
