// SPDX-License-Identifier: MIT
// Examples of every refusal by native calls, in the order of the kernel's checks.

import { DATA_OFFSET, READ_ONLY_STRUCT_OFFSET } from '../../model/programs/arena.ts';
import { arena, memfd, native, out, test } from '../helpers/operations.ts';
import { PRIVILEGED, settingOf } from '../helpers/settings.ts';
import { ATTACHED, example, IOAS, IOVA, ioasId, OPENED, PAGE } from './example.ts';

const U64_MAX = (1n << 64n) - 1n;
const LAST_PAGE = 0xffff_ffff_ffff_f000n;
const NO_ID = 0x7000n;
const READ_ONLY = { at: arena(READ_ONLY_STRUCT_OFFSET) };
const TWO_PAGES = { ioas_id: ioasId, user_va: arena(DATA_OFFSET), length: 2n * PAGE };

const MAPPED = [
  native('map', 'iommufd', 'IOMMU_IOAS_MAP', { ...TWO_PAGES, flags: 7n, iova: IOVA }),
  'ioas-map/maps',
] as const;

const hwpt = (label: string, fields: Parameters<typeof native>[3]) =>
  native(label, 'iommufd', 'IOMMU_HWPT_ALLOC', {
    dev_id: out('mock', 'out_idev_id'),
    pt_id: ioasId,
    ...fields,
  });

const file = (label: string, fields: Parameters<typeof native>[3]) =>
  native(label, 'iommufd', 'IOMMU_IOAS_MAP_FILE', {
    flags: 7n,
    ioas_id: ioasId,
    fd: out('file'),
    length: PAGE,
    iova: IOVA,
    ...fields,
  });

const option = (label: string, fields: Parameters<typeof native>[3], invalid = {}) =>
  native(label, 'iommufd', 'IOMMU_OPTION', fields, invalid);

const RLIMIT = 0n;
const HUGE = 1n;
const GET = 1n;

export const NATIVE_REFUSALS = [
  example('IOAS_ALLOC, ALLOW_IOVAS and IOVA_RANGES', [
    OPENED,
    [native('flags', 'iommufd', 'IOMMU_IOAS_ALLOC', { flags: 1n }), 'ioas-alloc/unknown-flags'],
    [native('ioas', 'iommufd', 'IOMMU_IOAS_ALLOC', {}, READ_ONLY), 'respond/reply-fault'],
    [
      native('reserved', 'iommufd', 'IOMMU_IOAS_ALLOW_IOVAS', { __reserved: 1n }),
      'ioas-allow-iovas/reserved-field',
    ],
    [
      native('none', 'iommufd', 'IOMMU_IOAS_ALLOW_IOVAS', { ioas_id: NO_ID }),
      'ioas-allow-iovas/no-ioas',
    ],
    [
      native('ranges', 'iommufd', 'IOMMU_IOAS_IOVA_RANGES', { __reserved: 1n }),
      'ioas-iova-ranges/reserved-field',
    ],
    [
      native('nothing', 'iommufd', 'IOMMU_IOAS_IOVA_RANGES', { ioas_id: NO_ID }),
      'ioas-iova-ranges/no-ioas',
    ],
  ]),
  example('arrays that cannot be read, written, or hold no ranges', [
    IOAS,
    [
      native('fault', 'iommufd', 'IOMMU_IOAS_ALLOW_IOVAS', { ioas_id: ioasId, num_iovas: 1n }),
      'ioas-allow-iovas/array-fault',
    ],
    [
      native(
        'empty',
        'iommufd',
        'IOMMU_IOAS_ALLOW_IOVAS',
        { ioas_id: ioasId, num_iovas: 1n, allowed_iovas: arena(6n * PAGE) },
        { also: [{ at: arena(6n * PAGE), words: [PAGE, PAGE] }] },
      ),
      'ioas-allow-iovas/empty-range',
    ],
    [
      native(
        'overlapping',
        'iommufd',
        'IOMMU_IOAS_ALLOW_IOVAS',
        { ioas_id: ioasId, num_iovas: 2n, allowed_iovas: arena(6n * PAGE) },
        { also: [{ at: arena(6n * PAGE), words: [0n, PAGE, PAGE, 2n * PAGE] }] },
      ),
      'ioas-allow-iovas/overlapping-ranges',
    ],
    ATTACHED,
    [
      native(
        'reserved',
        'iommufd',
        'IOMMU_IOAS_ALLOW_IOVAS',
        { ioas_id: ioasId, num_iovas: 1n, allowed_iovas: arena(6n * PAGE) },
        { also: [{ at: arena(6n * PAGE), words: [0n, PAGE] }] },
      ),
      'reserving/allows-reserved',
    ],
    [
      native('unwritable', 'iommufd', 'IOMMU_IOAS_IOVA_RANGES', { ioas_id: ioasId, num_iovas: 1n }),
      'ioas-iova-ranges/array-fault',
    ],
    [
      native('short', 'iommufd', 'IOMMU_IOAS_IOVA_RANGES', { ioas_id: ioasId }),
      'ioas-iova-ranges/too-many-ranges',
    ],
  ]),
  example('IOAS_MAP and IOAS_COPY', [
    IOAS,
    [native('flags', 'iommufd', 'IOMMU_IOAS_MAP', { flags: 8n }), 'ioas-map/unknown-flags'],
    [
      native('great', 'iommufd', 'IOMMU_IOAS_MAP', { flags: 7n, iova: U64_MAX }),
      'ioas-map/u64-max',
    ],
    [native('permission', 'iommufd', 'IOMMU_IOAS_MAP', { flags: 1n }), 'ioas-map/no-permission'],
    [
      native('ioas2', 'iommufd', 'IOMMU_IOAS_MAP', { flags: 7n, ioas_id: NO_ID }),
      'ioas-map/no-ioas',
    ],
    [
      native('wraps', 'iommufd', 'IOMMU_IOAS_MAP', { ...TWO_PAGES, flags: 7n, user_va: LAST_PAGE }),
      'alloc-pages/address-wraps',
    ],
    [
      native('zero', 'iommufd', 'IOMMU_IOAS_MAP', { ...TWO_PAGES, flags: 7n, length: 0n }),
      'alloc-pages/length-out-of-range',
    ],
    MAPPED,
    [native('copy1', 'iommufd', 'IOMMU_IOAS_COPY', { flags: 8n }), 'ioas-copy/unknown-flags'],
    [
      native('copy2', 'iommufd', 'IOMMU_IOAS_COPY', { flags: 7n, src_iova: U64_MAX }),
      'ioas-copy/u64-max',
    ],
    [native('copy3', 'iommufd', 'IOMMU_IOAS_COPY', { flags: 1n }), 'ioas-copy/no-permission'],
    [
      native('copy4', 'iommufd', 'IOMMU_IOAS_COPY', { flags: 7n, src_ioas_id: NO_ID }),
      'ioas-copy/no-source',
    ],
    [
      native('copy5', 'iommufd', 'IOMMU_IOAS_COPY', { flags: 7n, src_ioas_id: ioasId }),
      'ioas-copy/zero-length',
    ],
    [
      native('copy6', 'iommufd', 'IOMMU_IOAS_COPY', {
        flags: 7n,
        src_ioas_id: ioasId,
        src_iova: LAST_PAGE,
        length: 2n * PAGE,
      }),
      'ioas-copy/source-wraps',
    ],
    [
      native('copy7', 'iommufd', 'IOMMU_IOAS_COPY', {
        flags: 7n,
        src_ioas_id: ioasId,
        dst_ioas_id: NO_ID,
        src_iova: IOVA,
        length: PAGE,
      }),
      'ioas-copy/no-destination',
    ],
  ]),
  example('IOAS_MAP_FILE and IOAS_CHANGE_PROCESS', [
    IOAS,
    [memfd('file', PAGE), 'program-memory/creates-file'],
    [file('flags', { flags: 8n }), 'ioas-map-file/unknown-flags'],
    [file('great', { iova: U64_MAX }), 'ioas-map-file/u64-max'],
    [file('permission', { flags: 1n }), 'ioas-map-file/no-permission'],
    [file('none', { ioas_id: NO_ID }), 'ioas-map-file/no-ioas'],
    [
      native('process', 'iommufd', 'IOMMU_IOAS_CHANGE_PROCESS', { __reserved: 1n }),
      'ioas-change-process/reserved-field',
    ],
  ]),
  example(
    'calls that 6.12 does not have',
    [
      IOAS,
      [file('file', {}), 'ioctl-dispatch/unknown-ioctl'],
      [
        native('process', 'iommufd', 'IOMMU_IOAS_CHANGE_PROCESS', {}),
        'ioctl-dispatch/unknown-ioctl',
      ],
      [test('cache', 'iommufd', 'DEV_CHECK_CACHE', {}), 'test-cmd/unknown-operation'],
    ],
    settingOf('mock', PRIVILEGED, '6.12.95'),
  ),
  example('OPTION', [
    OPENED,
    [option('reserved', { __reserved: 1n }), 'option/reserved-field'],
    [option('unknown', { option_id: 2n }), 'option/unknown-option'],
    [option('object', { option_id: RLIMIT, object_id: 1n }), 'option/rlimit-object'],
    [option('get', { option_id: RLIMIT, op: GET }), 'option/rlimit-get'],
    [option('operation', { option_id: RLIMIT, op: 2n }), 'option/unknown-operation'],
    [option('value', { option_id: RLIMIT, val64: 2n }), 'option/rlimit-value'],
    [option('set', { option_id: RLIMIT, val64: 1n }), 'option/rlimit-set'],
    [native('ioas', 'iommufd', 'IOMMU_IOAS_ALLOC', {}), 'ioas-alloc/allocates'],
    [option('late', { option_id: RLIMIT }), 'option/rlimit-objects-exist'],
    [option('none', { option_id: HUGE }), 'option/huge-pages-no-ioas'],
    [option('two', { option_id: HUGE, object_id: ioasId, val64: 2n }), 'option/huge-pages-value'],
    [
      option('unwritable', { option_id: HUGE, object_id: ioasId, val64: 0n }, READ_ONLY),
      'option/reply-fault',
    ],
    [option('is', { option_id: HUGE, op: GET, object_id: ioasId }), 'option/huge-pages-get'],
    [option('on', { option_id: HUGE, object_id: ioasId, val64: 1n }), 'option/huge-pages-on'],
    [option('off', { option_id: HUGE, object_id: ioasId }), 'option/huge-pages-off'],
    [option('neither', { option_id: HUGE, op: 2n, object_id: ioasId }), 'option/unknown-operation'],
  ]),
  example('VFIO_IOAS', [
    IOAS,
    [native('get', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 0n }), 'vfio-ioas/no-compat-ioas'],
    [native('set', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 1n, ioas_id: NO_ID }), 'vfio-ioas/no-ioas'],
    [native('clear', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 2n }), 'vfio-ioas/clears'],
    [
      native('unknown operation', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 3n }),
      'vfio-ioas/unknown-operation',
    ],
    [
      native('reserved', 'iommufd', 'IOMMU_VFIO_IOAS', { __reserved: 1n }),
      'vfio-ioas/reserved-field',
    ],
  ]),
  example('HWPT_ALLOC', [
    IOAS,
    ATTACHED,
    [
      test('plain', 'iommufd', 'MOCK_DOMAIN_FLAGS', { id: ioasId, dev_flags: 1n }),
      'test-mock-domain/creates',
    ],
    [hwpt('reserved', { __reserved: 1n }), 'hwpt-alloc/reserved-field'],
    [hwpt('data', { data_len: 8n }), 'hwpt-alloc/data-mismatch'],
    [hwpt('device', { dev_id: NO_ID }), 'hwpt-alloc/no-device'],
    [hwpt('target', { pt_id: NO_ID }), 'hwpt-alloc/no-target'],
    [hwpt('kind', { pt_id: out('mock', 'out_idev_id') }), 'hwpt-alloc/not-a-target'],
    [
      hwpt('data first', { pt_id: out('mock', 'out_idev_id'), data_len: 8n, data_type: 1n }),
      'hwpt-alloc/not-a-target',
    ],
    [
      hwpt('tracking', { flags: 2n, dev_id: out('plain', 'out_idev_id') }),
      'hwpt-alloc/no-dirty-tracking',
    ],
    [hwpt('tracks', { flags: 2n }), 'hwpt-alloc/allocates'],
    [
      test('incompatible', 'iommufd', 'MOCK_DOMAIN_REPLACE', {
        id: out('plain', 'out_stdev_id'),
        pt_id: out('tracks', 'out_hwpt_id'),
      }),
      'attaching/incompatible',
    ],
  ]),
];
