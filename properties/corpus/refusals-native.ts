// Examples of every reason for which native calls refuse, in the order in which the kernel looks.

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
  'IOMMU_IOAS_MAP/maps',
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

const option = (label: string, fields: Parameters<typeof native>[3], odd = {}) =>
  native(label, 'iommufd', 'IOMMU_OPTION', fields, odd);

const RLIMIT = 0n;
const HUGE = 1n;
const GET = 1n;

export const NATIVE_REFUSALS = [
  example('IOAS_ALLOC, ALLOW_IOVAS and IOVA_RANGES', [
    OPENED,
    [
      native('flags', 'iommufd', 'IOMMU_IOAS_ALLOC', { flags: 1n }),
      'IOMMU_IOAS_ALLOC/unknown-flags',
    ],
    [native('ioas', 'iommufd', 'IOMMU_IOAS_ALLOC', {}, READ_ONLY), 'answering/fault'],
    [
      native('reserved', 'iommufd', 'IOMMU_IOAS_ALLOW_IOVAS', { __reserved: 1n }),
      'IOMMU_IOAS_ALLOW_IOVAS/reserved-field',
    ],
    [
      native('none', 'iommufd', 'IOMMU_IOAS_ALLOW_IOVAS', { ioas_id: NO_ID }),
      'IOMMU_IOAS_ALLOW_IOVAS/no-ioas',
    ],
    [
      native('ranges', 'iommufd', 'IOMMU_IOAS_IOVA_RANGES', { __reserved: 1n }),
      'IOMMU_IOAS_IOVA_RANGES/reserved-field',
    ],
    [
      native('nothing', 'iommufd', 'IOMMU_IOAS_IOVA_RANGES', { ioas_id: NO_ID }),
      'IOMMU_IOAS_IOVA_RANGES/no-ioas',
    ],
  ]),
  example('arrays that cannot be read, written, or hold no ranges', [
    IOAS,
    [
      native('fault', 'iommufd', 'IOMMU_IOAS_ALLOW_IOVAS', { ioas_id: ioasId, num_iovas: 1n }),
      'IOMMU_IOAS_ALLOW_IOVAS/array-fault',
    ],
    [
      native(
        'empty',
        'iommufd',
        'IOMMU_IOAS_ALLOW_IOVAS',
        { ioas_id: ioasId, num_iovas: 1n, allowed_iovas: arena(6n * PAGE) },
        { also: [{ at: arena(6n * PAGE), words: [PAGE, PAGE] }] },
      ),
      'IOMMU_IOAS_ALLOW_IOVAS/empty-range',
    ],
    [
      native(
        'overlapping',
        'iommufd',
        'IOMMU_IOAS_ALLOW_IOVAS',
        { ioas_id: ioasId, num_iovas: 2n, allowed_iovas: arena(6n * PAGE) },
        { also: [{ at: arena(6n * PAGE), words: [0n, PAGE, PAGE, 2n * PAGE] }] },
      ),
      'IOMMU_IOAS_ALLOW_IOVAS/overlapping-ranges',
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
      'IOMMU_IOAS_IOVA_RANGES/array-fault',
    ],
    [
      native('short', 'iommufd', 'IOMMU_IOAS_IOVA_RANGES', { ioas_id: ioasId }),
      'IOMMU_IOAS_IOVA_RANGES/too-many',
    ],
  ]),
  example('IOAS_MAP and IOAS_COPY', [
    IOAS,
    [native('flags', 'iommufd', 'IOMMU_IOAS_MAP', { flags: 8n }), 'IOMMU_IOAS_MAP/unknown-flags'],
    [
      native('great', 'iommufd', 'IOMMU_IOAS_MAP', { flags: 7n, iova: U64_MAX }),
      'IOMMU_IOAS_MAP/too-great',
    ],
    [
      native('permission', 'iommufd', 'IOMMU_IOAS_MAP', { flags: 1n }),
      'IOMMU_IOAS_MAP/no-permission',
    ],
    [
      native('ioas2', 'iommufd', 'IOMMU_IOAS_MAP', { flags: 7n, ioas_id: NO_ID }),
      'IOMMU_IOAS_MAP/no-ioas',
    ],
    [
      native('wraps', 'iommufd', 'IOMMU_IOAS_MAP', { ...TWO_PAGES, flags: 7n, user_va: LAST_PAGE }),
      'mapping memory/address-wraps',
    ],
    [
      native('zero', 'iommufd', 'IOMMU_IOAS_MAP', { ...TWO_PAGES, flags: 7n, length: 0n }),
      'mapping memory/no-length',
    ],
    MAPPED,
    [native('copy1', 'iommufd', 'IOMMU_IOAS_COPY', { flags: 8n }), 'IOMMU_IOAS_COPY/unknown-flags'],
    [
      native('copy2', 'iommufd', 'IOMMU_IOAS_COPY', { flags: 7n, src_iova: U64_MAX }),
      'IOMMU_IOAS_COPY/too-great',
    ],
    [native('copy3', 'iommufd', 'IOMMU_IOAS_COPY', { flags: 1n }), 'IOMMU_IOAS_COPY/no-permission'],
    [
      native('copy4', 'iommufd', 'IOMMU_IOAS_COPY', { flags: 7n, src_ioas_id: NO_ID }),
      'IOMMU_IOAS_COPY/no-source',
    ],
    [
      native('copy5', 'iommufd', 'IOMMU_IOAS_COPY', { flags: 7n, src_ioas_id: ioasId }),
      'IOMMU_IOAS_COPY/no-length',
    ],
    [
      native('copy6', 'iommufd', 'IOMMU_IOAS_COPY', {
        flags: 7n,
        src_ioas_id: ioasId,
        src_iova: LAST_PAGE,
        length: 2n * PAGE,
      }),
      'IOMMU_IOAS_COPY/source-wraps',
    ],
    [
      native('copy7', 'iommufd', 'IOMMU_IOAS_COPY', {
        flags: 7n,
        src_ioas_id: ioasId,
        dst_ioas_id: NO_ID,
        src_iova: IOVA,
        length: PAGE,
      }),
      'IOMMU_IOAS_COPY/no-destination',
    ],
  ]),
  example('IOAS_MAP_FILE and IOAS_CHANGE_PROCESS', [
    IOAS,
    [memfd('file', PAGE), "the program's memory/makes-file"],
    [file('flags', { flags: 8n }), 'IOMMU_IOAS_MAP_FILE/unknown-flags'],
    [file('great', { iova: U64_MAX }), 'IOMMU_IOAS_MAP_FILE/too-great'],
    [file('permission', { flags: 1n }), 'IOMMU_IOAS_MAP_FILE/no-permission'],
    [file('none', { ioas_id: NO_ID }), 'IOMMU_IOAS_MAP_FILE/no-ioas'],
    [
      native('process', 'iommufd', 'IOMMU_IOAS_CHANGE_PROCESS', { __reserved: 1n }),
      'IOMMU_IOAS_CHANGE_PROCESS/reserved-field',
    ],
  ]),
  example(
    'calls that 6.12 does not have',
    [
      IOAS,
      [file('file', {}), 'the door/unknown-number'],
      [native('process', 'iommufd', 'IOMMU_IOAS_CHANGE_PROCESS', {}), 'the door/unknown-number'],
      [test('cache', 'iommufd', 'DEV_CHECK_CACHE', {}), 'IOMMU_TEST_CMD/unknown-operation'],
    ],
    settingOf('mock', PRIVILEGED, '6.12.95'),
  ),
  example('OPTION', [
    OPENED,
    [option('reserved', { __reserved: 1n }), 'IOMMU_OPTION/reserved-field'],
    [option('unknown', { option_id: 2n }), 'IOMMU_OPTION/unknown-option'],
    [option('object', { option_id: RLIMIT, object_id: 1n }), 'IOMMU_OPTION/rlimit-object'],
    [option('get', { option_id: RLIMIT, op: GET }), 'IOMMU_OPTION/rlimit-get'],
    [option('operation', { option_id: RLIMIT, op: 2n }), 'IOMMU_OPTION/unknown-operation'],
    [option('value', { option_id: RLIMIT, val64: 2n }), 'IOMMU_OPTION/rlimit-value'],
    [option('set', { option_id: RLIMIT, val64: 1n }), 'IOMMU_OPTION/rlimit-set'],
    [native('ioas', 'iommufd', 'IOMMU_IOAS_ALLOC', {}), 'IOMMU_IOAS_ALLOC/allocates'],
    [option('late', { option_id: RLIMIT }), 'IOMMU_OPTION/rlimit-objects-exist'],
    [option('none', { option_id: HUGE }), 'IOMMU_OPTION/huge-pages-no-ioas'],
    [
      option('two', { option_id: HUGE, object_id: ioasId, val64: 2n }),
      'IOMMU_OPTION/huge-pages-value',
    ],
    [
      option('unwritable', { option_id: HUGE, object_id: ioasId, val64: 0n }, READ_ONLY),
      'IOMMU_OPTION/value-fault',
    ],
    [option('is', { option_id: HUGE, op: GET, object_id: ioasId }), 'IOMMU_OPTION/huge-pages-get'],
    [option('on', { option_id: HUGE, object_id: ioasId, val64: 1n }), 'IOMMU_OPTION/huge-pages-on'],
    [option('off', { option_id: HUGE, object_id: ioasId }), 'IOMMU_OPTION/huge-pages-off'],
    [
      option('neither', { option_id: HUGE, op: 2n, object_id: ioasId }),
      'IOMMU_OPTION/unknown-operation',
    ],
  ]),
  example('VFIO_IOAS', [
    IOAS,
    [native('get', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 0n }), 'IOMMU_VFIO_IOAS/no-compat-ioas'],
    [
      native('set', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 1n, ioas_id: NO_ID }),
      'IOMMU_VFIO_IOAS/no-ioas',
    ],
    [native('clear', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 2n }), 'IOMMU_VFIO_IOAS/clears'],
    [native('odd', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 3n }), 'IOMMU_VFIO_IOAS/unknown-operation'],
    [
      native('reserved', 'iommufd', 'IOMMU_VFIO_IOAS', { __reserved: 1n }),
      'IOMMU_VFIO_IOAS/reserved-field',
    ],
  ]),
  example('HWPT_ALLOC', [
    IOAS,
    ATTACHED,
    [
      test('plain', 'iommufd', 'MOCK_DOMAIN_FLAGS', { id: ioasId, dev_flags: 1n }),
      'IOMMU_TEST_CMD MOCK_DOMAIN/makes',
    ],
    [hwpt('reserved', { __reserved: 1n }), 'IOMMU_HWPT_ALLOC/reserved-field'],
    [hwpt('data', { data_len: 8n }), 'IOMMU_HWPT_ALLOC/data-mismatch'],
    [hwpt('device', { dev_id: NO_ID }), 'IOMMU_HWPT_ALLOC/no-device'],
    [hwpt('target', { pt_id: NO_ID }), 'IOMMU_HWPT_ALLOC/no-target'],
    [hwpt('kind', { pt_id: out('mock', 'out_idev_id') }), 'IOMMU_HWPT_ALLOC/not-a-target'],
    [
      hwpt('data first', { pt_id: out('mock', 'out_idev_id'), data_len: 8n, data_type: 1n }),
      'IOMMU_HWPT_ALLOC/not-a-target',
    ],
    [
      hwpt('tracking', { flags: 2n, dev_id: out('plain', 'out_idev_id') }),
      'IOMMU_HWPT_ALLOC/no-dirty-tracking',
    ],
    [hwpt('tracks', { flags: 2n }), 'IOMMU_HWPT_ALLOC/allocates'],
    [
      test('incompatible', 'iommufd', 'MOCK_DOMAIN_REPLACE', {
        id: out('plain', 'out_stdev_id'),
        pt_id: out('tracks', 'out_hwpt_id'),
      }),
      'attaching/incompatible',
    ],
  ]),
];
