// SPDX-License-Identifier: MIT
// Examples of hardware information, and of dirty pages: none, and those that a test wrote.

import {
  ARRAY_OFFSET,
  DATA_OFFSET,
  NO_ACCESS_OFFSET,
  READ_ONLY_STRUCT_OFFSET,
} from '../../model/programs/arena.ts';
import type { Value } from '../../model/programs/program.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import { arena, native, out, test, vfio } from '../helpers/operations.ts';
import { PRIVILEGED, settingOf } from '../helpers/settings.ts';
import {
  type Answered,
  ATTACHED,
  type Cited,
  cited,
  example,
  IOAS,
  IOVA,
  ioasId,
  PAGE,
} from './example.ts';
import { cdev, NOIOMMU } from './noiommu-steps.ts';

const MOCK_612 = settingOf('mock', PRIVILEGED, '6.12.95');
const NO_ID = 0x7000n;
const SELFTEST = 0xfeed_beefn;
const BUFFER = arena(ARRAY_OFFSET);
const UNTOUCHED = 0xaaaa_aaaa_aaaa_aaaan;

type Fields = Readonly<Record<string, Value>>;

const mockId = out('mock', 'out_idev_id');

const info = (label: string, fields: Fields, rule: Cited<'get-hw-info'>): Answered => [
  native(
    label,
    'iommufd',
    'IOMMU_GET_HW_INFO',
    { dev_id: mockId, data_len: 24n, data_uptr: BUFFER, ...fields },
    { also: [{ at: BUFFER, words: [UNTOUCHED, UNTOUCHED, UNTOUCHED] }] },
  ),
  cited('get-hw-info', rule),
];

/** An hwpt of the mock device; one that tracks dirty pages where the flags say so. */
const hwpt = (label: string, flags: bigint): Answered => [
  native(label, 'iommufd', 'IOMMU_HWPT_ALLOC', { flags, dev_id: mockId, pt_id: ioasId }),
  'hwpt-alloc/allocates',
];

const track = (
  label: string,
  hwpt_id: Value,
  flags: bigint,
  rule: Cited<'hwpt-set-dirty-tracking'>,
): Answered => [
  native(label, 'iommufd', 'IOMMU_HWPT_SET_DIRTY_TRACKING', { hwpt_id, flags, __reserved: 7n }),
  cited('hwpt-set-dirty-tracking', rule),
];

const bitmap = (label: string, fields: Fields, rule: Cited<'hwpt-get-dirty-bitmap'>): Answered => [
  native(
    label,
    'iommufd',
    'IOMMU_HWPT_GET_DIRTY_BITMAP',
    {
      hwpt_id: out('tracks', 'out_hwpt_id'),
      iova: IOVA,
      length: PAGE,
      page_size: PAGE,
      data: BUFFER,
      ...fields,
    },
    { also: [{ at: BUFFER, words: [UNTOUCHED] }] },
  ),
  cited('hwpt-get-dirty-bitmap', rule),
];

const written = (label: string, fields: Fields, rule: Cited<'test-dirty'>): Answered => [
  test(label, 'iommufd', 'DIRTY', {
    id: out('tracks', 'out_hwpt_id'),
    iova: IOVA,
    length: PAGE,
    page_size: PAGE,
    uptr: BUFFER,
    ...fields,
  }),
  cited('test-dirty', rule),
];

const ONES = U64_MAX;
const HALF = PAGE / 2n;
const trackedId = out('tracks', 'out_hwpt_id');

/** An area of the program's memory, at an IOVA. */
const mapped = (label: string, iova: bigint, length: bigint): Answered => [
  native(label, 'iommufd', 'IOMMU_IOAS_MAP', {
    flags: 7n,
    ioas_id: ioasId,
    user_va: arena(DATA_OFFSET),
    length,
    iova,
  }),
  'ioas-map/maps',
];

const unmapped = (label: string, iova: bigint, length: bigint): Answered => [
  native(label, 'iommufd', 'IOMMU_IOAS_UNMAP', { ioas_id: ioasId, iova, length }),
  'ioas-unmap/unmaps',
];

/** Everything in the range is written. */
const writtenWhole = (
  label: string,
  fields: Fields,
  rule: Cited<'test-dirty'> = 'dirties',
): Answered => [
  test(
    label,
    'iommufd',
    'DIRTY',
    { id: trackedId, iova: IOVA, length: PAGE, page_size: HALF, uptr: BUFFER, ...fields },
    { also: [{ at: BUFFER, words: [ONES] }] },
  ),
  cited('test-dirty', rule),
];

/** An hwpt that tracks, and areas of one page, of three, and of half a page behind a gap. */
const TRACKED: readonly Answered[] = [
  ...IOAS,
  ATTACHED,
  hwpt('tracks', 2n),
  mapped('one', IOVA, PAGE),
  mapped('three', IOVA + PAGE, 3n * PAGE),
  mapped('half', IOVA + 8n * PAGE, HALF),
  track('start', trackedId, 1n, 'sets'),
];

const NO_CLEAR = 1n;
const ALL = { length: 16n * PAGE };

export const TRACKING = [
  example('what GET_HW_INFO reports of a mock device', [
    IOAS,
    ATTACHED,
    [
      test('pasids', 'iommufd', 'MOCK_DOMAIN_FLAGS', { id: ioasId, dev_flags: 5n }),
      'test-mock-domain/creates',
    ],
    info('plain', {}, 'reports'),
    info('with PASIDs', { dev_id: out('pasids', 'out_idev_id') }, 'reports'),
    info('without room', { data_len: 0n, data_uptr: 0n }, 'reports'),
    info('half of it', { data_len: 5n }, 'reports'),
    info('by its type', { flags: 1n, out_data_type: SELFTEST }, 'reports'),
    info('of any type', { flags: 0n, out_data_type: 1n }, 'reports'),
    info('of another type', { flags: 1n, out_data_type: 1n }, 'unknown-data-type'),
    info('flags', { flags: 2n }, 'unknown-flags'),
    info('reserved', { __reserved: 0x100n }, 'unknown-flags'),
    info('the width is an answer', { __reserved: 0xffn }, 'reports'),
    info('no device', { dev_id: NO_ID }, 'no-device'),
    info('unwritable', { data_uptr: 0n }, 'data-fault'),
    [
      native(
        'struct unwritable',
        'iommufd',
        'IOMMU_GET_HW_INFO',
        { dev_id: mockId },
        { at: arena(READ_ONLY_STRUCT_OFFSET) },
      ),
      'respond/reply-fault',
    ],
  ]),
  example(
    '6.12 has no hardware types to request',
    [IOAS, ATTACHED, info('type', { flags: 1n }, 'unknown-flags'), info('plain', {}, 'reports')],
    MOCK_612,
  ),
  example(
    'GET_HW_INFO reports no hardware for a device without an IOMMU',
    [
      IOAS,
      cdev('device', 0),
      [
        vfio('bind', 'device', 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: out('iommufd') }),
        'device-bind-iommufd/binds',
      ],
      info('info', { dev_id: out('bind', 'out_devid') }, 'no-iommu'),
    ],
    NOIOMMU,
  ),
  example('tracking is started and stopped on hwpts that were made for it', [
    IOAS,
    ATTACHED,
    hwpt('plain', 0n),
    hwpt('tracks', 2n),
    track('flags', out('tracks', 'out_hwpt_id'), 2n, 'unknown-flags'),
    track('none', NO_ID, 1n, 'no-hwpt'),
    track('an IOAS', ioasId, 1n, 'no-hwpt'),
    track('cannot', out('plain', 'out_hwpt_id'), 1n, 'no-dirty-tracking'),
    track('cannot stop', out('plain', 'out_hwpt_id'), 0n, 'no-dirty-tracking'),
    written('stopped', {}, 'not-tracking'),
    track('start', out('tracks', 'out_hwpt_id'), 1n, 'sets'),
    track('again', out('tracks', 'out_hwpt_id'), 1n, 'sets'),
    track('stop', out('tracks', 'out_hwpt_id'), 0n, 'sets'),
    written('no page size', { page_size: 0n }, 'misaligned'),
    written('not on a page', { iova: IOVA + 1n }, 'misaligned'),
    written('too many', { iova: 0n, length: (1n << 27n) + 1n, page_size: 1n }, 'too-many-pages'),
    written('no hwpt', { id: NO_ID }, 'no-hwpt'),
  ]),
  example('the bitmap is unchanged if no page is dirty', [
    IOAS,
    ATTACHED,
    hwpt('plain', 0n),
    hwpt('tracks', 2n),
    bitmap('flags', { flags: 2n }, 'unknown-flags'),
    bitmap('reserved', { __reserved: 1n }, 'unknown-flags'),
    bitmap('none', { hwpt_id: NO_ID, length: 0n }, 'no-hwpt'),
    bitmap('no length', { length: 0n, page_size: 0n }, 'zero-length'),
    bitmap('wraps', { iova: U64_MAX, length: 2n }, 'wraps'),
    bitmap('misaligned', { iova: IOVA + 1n, page_size: 0n }, 'misaligned'),
    bitmap('no page size', { page_size: 0n }, 'zero-page-size'),
    bitmap('half a page', { length: PAGE / 2n }, 'misaligned-page-size'),
    bitmap('cannot', { hwpt_id: out('plain', 'out_hwpt_id') }, 'no-dirty-tracking'),
    bitmap('not mapped, and not started', {}, 'nothing-dirty'),
    bitmap('without a bitmap', { data: 0n }, 'nothing-dirty'),
    bitmap('to the end', { iova: U64_MAX - PAGE + 1n }, 'nothing-dirty'),
  ]),
  example('a dirty page is reported until a read clears it', [
    ...TRACKED,
    bitmap('clean', ALL, 'nothing-dirty'),
    writtenWhole('first', {}),
    bitmap('left so', { ...ALL, flags: NO_CLEAR }, 'reports'),
    bitmap('beside', { iova: IOVA + PAGE }, 'nothing-dirty'),
    bitmap('by halves', { page_size: HALF, data: arena(ARRAY_OFFSET + 1n) }, 'reports'),
    bitmap('once', ALL, 'nothing-dirty'),
    writtenWhole('the others', { iova: IOVA + PAGE, length: 3n * PAGE }),
    bitmap('not writable', { ...ALL, data: arena(NO_ACCESS_OFFSET) }, 'reports'),
    bitmap('lost', ALL, 'nothing-dirty'),
    writtenWhole('behind the gap', { iova: IOVA + 8n * PAGE, length: HALF }),
    bitmap('up to the gap', ALL, 'nothing-dirty'),
    bitmap('the half', { iova: IOVA + 8n * PAGE, length: HALF, page_size: HALF }, 'reports'),
  ]),
  example('what is unmapped, or when tracking starts, is not dirty', [
    ...TRACKED,
    writtenWhole('first', {}),
    unmapped('gone', IOVA, PAGE),
    bitmap('not mapped', ALL, 'nothing-dirty'),
    mapped('again', IOVA, PAGE),
    bitmap('anew', ALL, 'nothing-dirty'),
    writtenWhole('second', {}),
    track('stop', trackedId, 0n, 'sets'),
    bitmap('stopped', { ...ALL, flags: NO_CLEAR }, 'reports'),
    track('restart', trackedId, 1n, 'sets'),
    bitmap('started', ALL, 'nothing-dirty'),
    writtenWhole('unreadable', { uptr: arena(NO_ACCESS_OFFSET) }, 'bitmap-fault'),
    writtenWhole('nothing there', { iova: IOVA + 4n * PAGE }),
    bitmap('still', ALL, 'nothing-dirty'),
    [
      test(
        'unanswered',
        'iommufd',
        'DIRTY',
        { id: trackedId, iova: IOVA, length: PAGE, page_size: HALF, uptr: BUFFER },
        { at: arena(READ_ONLY_STRUCT_OFFSET) },
      ),
      'test-dirty/reply-fault',
    ],
    bitmap('all the same', ALL, 'reports'),
  ]),
  example(
    'no length is 2^64 bytes on 6.12',
    [
      IOAS,
      ATTACHED,
      hwpt('tracks', 2n),
      bitmap('no length', { length: 0n }, 'wraps'),
      bitmap('everything', { iova: 0n, length: 0n }, 'nothing-dirty'),
    ],
    MOCK_612,
  ),
];
