// SPDX-License-Identifier: MIT
// syzkaller's calls of iommufd and VFIO: which struct each passes, which of its fields hold results of earlier calls, which
// the kernel writes, and which are constant. sys/linux/dev_iommu.txt and dev_vfio.txt of syzkaller.

import { U64_MAX } from '../../spec/abi/units.ts';

export type Description = {
  /** "ioctl$IOMMU_IOAS_ALLOC" */
  readonly name: string;
  /** The struct's name in LAYOUTS. */
  readonly struct: string;
  /** The first fields alone are described; all if absent. */
  readonly fields?: number;
  /** Fields for a result of an earlier call. */
  readonly results?: readonly string[];
  /** Fields that are not put into memory before the call, and hold a result for later calls after it. */
  readonly gives?: readonly string[];
  /** Other fields that are not put into memory before the call. */
  readonly outputs?: readonly string[];
  /** Fields with a value of their own, other than 0, which is used where a program leaves them out. */
  readonly constants?: Readonly<Record<string, bigint>>;
  /** What a pointer points at where a program says nothing of it, hexadecimal. */
  readonly pointees?: Readonly<Record<string, string>>;
  /** The field of 64 bits that is written as two of 32: the number of an area, and an offset into it. */
  readonly halves?: string;
  /** Fields that are numbers there, though they are addresses. */
  readonly numbers?: readonly string[];
};

type Rest = Omit<Description, 'name' | 'struct'>;

const described = (name: string, struct: string, rest: Rest = {}): Description => ({
  name: `ioctl$${name}`,
  struct,
  ...rest,
});

const ID = { results: ['id'] } as const;
const IOAS = { results: ['ioas_id'] } as const;
const HWPT = { results: ['hwpt_id'] } as const;
const INFO = { outputs: ['iova_pgsizes', 'cap_offset'] } as const;

const HWPT_ALLOC: Rest = {
  fields: 9,
  results: ['dev_id', 'pt_id'],
  gives: ['out_hwpt_id'],
};

const NATIVE: readonly Description[] = [
  described('IOMMU_DESTROY$ioas', 'IOMMU_DESTROY', ID),
  described('IOMMU_DESTROY$stdev', 'IOMMU_DESTROY', ID),
  described('IOMMU_DESTROY$hwpt', 'IOMMU_DESTROY', ID),
  described('IOMMU_IOAS_ALLOC', 'IOMMU_IOAS_ALLOC', { gives: ['out_ioas_id'] }),
  described('IOMMU_IOAS_IOVA_RANGES', 'IOMMU_IOAS_IOVA_RANGES', {
    ...IOAS,
    outputs: ['out_iova_alignment'],
  }),
  described('IOMMU_IOAS_ALLOW_IOVAS', 'IOMMU_IOAS_ALLOW_IOVAS', IOAS),
  described('IOMMU_IOAS_MAP', 'IOMMU_IOAS_MAP', IOAS),
  described('IOMMU_IOAS_MAP$PAGES', 'IOMMU_IOAS_MAP', IOAS),
  described('IOMMU_IOAS_COPY', 'IOMMU_IOAS_COPY', { results: ['dst_ioas_id', 'src_ioas_id'] }),
  described('IOMMU_IOAS_COPY$syz', 'IOMMU_IOAS_COPY', {
    results: ['dst_ioas_id', 'src_ioas_id'],
    halves: 'src_iova',
  }),
  described('IOMMU_IOAS_UNMAP', 'IOMMU_IOAS_UNMAP', IOAS),
  described('IOMMU_IOAS_UNMAP$ALL', 'IOMMU_IOAS_UNMAP', {
    ...IOAS,
    constants: { length: U64_MAX },
  }),
  described('IOMMU_OPTION$IOMMU_OPTION_RLIMIT_MODE', 'IOMMU_OPTION'),
  described('IOMMU_OPTION$IOMMU_OPTION_HUGE_PAGES', 'IOMMU_OPTION', {
    results: ['object_id'],
    constants: { option_id: 1n },
  }),
  described('IOMMU_VFIO_IOAS$GET', 'IOMMU_VFIO_IOAS', { gives: ['ioas_id'] }),
  described('IOMMU_VFIO_IOAS$SET', 'IOMMU_VFIO_IOAS', { ...IOAS, constants: { op: 1n } }),
  described('IOMMU_VFIO_IOAS$CLEAR', 'IOMMU_VFIO_IOAS', { constants: { op: 2n } }),
  described('IOMMU_HWPT_ALLOC$NONE', 'IOMMU_HWPT_ALLOC', HWPT_ALLOC),
  described('IOMMU_HWPT_ALLOC$TEST', 'IOMMU_HWPT_ALLOC', {
    ...HWPT_ALLOC,
    constants: { data_type: 0xdeadn },
    pointees: { data_uptr: 'efbead0b' },
  }),
  described('IOMMU_GET_HW_INFO', 'IOMMU_GET_HW_INFO', {
    results: ['dev_id'],
    outputs: ['out_data_type', 'out_capabilities'],
  }),
  described('IOMMU_HWPT_SET_DIRTY_TRACKING', 'IOMMU_HWPT_SET_DIRTY_TRACKING', HWPT),
  described('IOMMU_HWPT_GET_DIRTY_BITMAP', 'IOMMU_HWPT_GET_DIRTY_BITMAP', HWPT),
  described('IOMMU_HWPT_INVALIDATE$TEST', 'IOMMU_HWPT_INVALIDATE', {
    ...HWPT,
    constants: { data_type: 0xdead_beefn, entry_len: 8n },
  }),
];

const CONTAINER: readonly Description[] = ['VFIO_IOMMU_', 'IOMMU_VFIO_IOMMU_'].flatMap((prefix) => [
  described(`${prefix}GET_INFO`, 'VFIO_IOMMU_GET_INFO', INFO),
  described(`${prefix}MAP_DMA`, 'VFIO_IOMMU_MAP_DMA'),
  described(`${prefix}UNMAP_DMA`, 'VFIO_IOMMU_UNMAP_DMA'),
]);

const test = (operation: string, op: bigint, rest: Rest = {}, form = ''): Description =>
  described(`IOMMU_TEST_OP_${operation}${form}`, operation, {
    ...rest,
    constants: { ...rest.constants, op },
  });

/** The id is the descriptor of an access. */
const ACCESS: Rest = { ...ID, constants: { id: 0xffff_ffffn } };

const MOCK: Rest = { ...ID, gives: ['out_stdev_id', 'out_hwpt_id', 'out_idev_id'] };
const PAGES: Rest = { ...ACCESS, gives: ['out_access_pages_id'], numbers: ['uptr'] };

const TEST: readonly Description[] = [
  test('ADD_RESERVED', 1n, ID),
  test('MOCK_DOMAIN', 2n, MOCK),
  test('MOCK_DOMAIN_FLAGS', 2n, MOCK),
  test('MD_CHECK_MAP', 3n, ID),
  test('MD_CHECK_REFS', 4n),
  test('CREATE_ACCESS', 5n, { ...ID, gives: ['out_access_fd'] }),
  test('DESTROY_ACCESS_PAGES', 6n, { results: ['id', 'access_pages_id'] }),
  test('ACCESS_PAGES', 7n, PAGES),
  test('ACCESS_PAGES', 7n, { ...PAGES, halves: 'iova' }, '$syz'),
  test('ACCESS_RW', 8n, ACCESS),
  test('ACCESS_RW', 8n, { ...ACCESS, halves: 'iova' }, '$syz'),
  test('SET_TEMP_MEMORY_LIMIT', 9n),
  test('MOCK_DOMAIN_REPLACE', 10n, { results: ['id', 'pt_id'] }),
  test('ACCESS_REPLACE_IOAS', 11n, { ...ACCESS, results: ['id', 'ioas_id'] }),
];

export const DESCRIPTIONS: readonly Description[] = [...NATIVE, ...CONTAINER, ...TEST];

const BY_NAME: ReadonlyMap<string, Description> = new Map(
  DESCRIPTIONS.map((description) => [description.name, description]),
);

/** What syzkaller says of the call; undefined where it has none of that name. */
export const descriptionOf = (name: string): Description | undefined => BY_NAME.get(name);
