// Examples of every reason for which native calls and test operations refuse, in the order in which the kernel looks.

import { DATA_OFFSET, READ_ONLY_STRUCT_OFFSET, STRUCT_LENGTH } from '../../model/programs/arena.ts';
import { arena, memfd, native, out, test, vfio } from '../operations.ts';
import { PRIVILEGED, settingOf } from '../settings.ts';
import {
  ACCESS,
  ATTACHED,
  accessFd,
  COMPAT,
  example,
  IOAS,
  IOVA,
  ioasId,
  OPENED,
  PAGE,
  VTD,
} from './example.ts';

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

export const REFUSALS = [
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
  example('test operations on domains and devices', [
    IOAS,
    ATTACHED,
    [
      test('flags', 'iommufd', 'MOCK_DOMAIN_FLAGS', { id: ioasId, dev_flags: 0x80n }),
      'IOMMU_TEST_CMD MOCK_DOMAIN/unknown-flags',
    ],
    [test('target', 'iommufd', 'MOCK_DOMAIN', { id: NO_ID }), 'attaching/no-target'],
    [
      test('kind', 'iommufd', 'MOCK_DOMAIN', { id: out('mock', 'out_idev_id') }),
      'attaching/not-a-target',
    ],
    [
      test('device', 'iommufd', 'MOCK_DOMAIN_REPLACE', { id: NO_ID }),
      'IOMMU_TEST_CMD MOCK_DOMAIN_REPLACE/no-device',
    ],
    [
      test('length', 'iommufd', 'ADD_RESERVED', { id: ioasId }),
      'IOMMU_TEST_CMD ADD_RESERVED/no-length',
    ],
    [
      test('wraps', 'iommufd', 'ADD_RESERVED', { id: ioasId, start: LAST_PAGE, length: 2n * PAGE }),
      'IOMMU_TEST_CMD ADD_RESERVED/wraps',
    ],
    [
      test('none', 'iommufd', 'ADD_RESERVED', { id: NO_ID, length: PAGE }),
      'IOMMU_TEST_CMD ADD_RESERVED/no-ioas',
    ],
    MAPPED,
    [
      test('mapped', 'iommufd', 'ADD_RESERVED', { id: ioasId, start: IOVA, length: PAGE }),
      'reserving/mapped',
    ],
    [
      test('limit', 'iommufd', 'SET_TEMP_MEMORY_LIMIT', { limit: 11n }),
      'IOMMU_TEST_CMD/limit-too-low',
    ],
    [test('batches', 'iommufd', 'SET_TEMP_MEMORY_LIMIT', { limit: 12n }), 'IOMMU_TEST_CMD/limits'],
    [
      test('cache', 'iommufd', 'DEV_CHECK_CACHE', {
        id: out('mock', 'out_idev_id'),
        cache_id: 3n,
        cache: 0xbadd_adn,
      }),
      'IOMMU_TEST_CMD/cache-agrees',
    ],
    [
      test('no cache', 'iommufd', 'DEV_CHECK_CACHE', {
        id: out('mock', 'out_idev_id'),
        cache_id: 4n,
      }),
      'IOMMU_TEST_CMD/cache-differs',
    ],
    [test('no device', 'iommufd', 'DEV_CHECK_CACHE', { id: NO_ID }), 'IOMMU_TEST_CMD/no-device'],
  ]),
  example('looking at what a domain maps', [
    IOAS,
    ATTACHED,
    MAPPED,
    [checkMap('odd', { iova: IOVA + 1n, length: PAGE }), 'IOMMU_TEST_CMD MD_CHECK_MAP/misaligned'],
    [
      checkMap('wraps', { iova: IOVA, length: 2n * PAGE, uptr: LAST_PAGE }),
      'IOMMU_TEST_CMD MD_CHECK_MAP/wraps',
    ],
    [checkMap('none', { id: NO_ID, length: PAGE }), 'IOMMU_TEST_CMD MD_CHECK_MAP/no-hwpt'],
    [checkMap('agrees', { iova: IOVA, length: 2n * PAGE }), 'IOMMU_TEST_CMD MD_CHECK_MAP/agrees'],
    [checkMap('beyond', { iova: IOVA, length: 3n * PAGE }), 'IOMMU_TEST_CMD MD_CHECK_MAP/differs'],
    [
      checkMap('shifted', { iova: IOVA + PAGE, length: PAGE }),
      'IOMMU_TEST_CMD MD_CHECK_MAP/differs',
    ],
    [
      checkMap('unmapped', { iova: IOVA, length: PAGE, uptr: 0n }),
      "looking at the caller's pages/no-page",
    ],
    [
      checkMap('last page', { iova: IOVA, length: 2048n, uptr: LAST_PAGE }),
      "looking at the caller's pages/wraps",
    ],
    [
      test('refs', 'iommufd', 'MD_CHECK_REFS', { length: 2048n, uptr: arena(DATA_OFFSET) }),
      'IOMMU_TEST_CMD MD_CHECK_REFS/misaligned',
    ],
    [
      test('refs wrap', 'iommufd', 'MD_CHECK_REFS', { length: 2n * PAGE, uptr: LAST_PAGE }),
      'IOMMU_TEST_CMD MD_CHECK_REFS/wraps',
    ],
  ]),
  example(
    'a domain that is no mock domain cannot be looked at',
    [
      COMPAT,
      [native('none', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'IOMMU_DESTROY/destroys'],
      [{ op: 'open', label: 'group', path: '/dev/vfio/4' }, 'open/group'],
      [
        vfio('join', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: out('iommufd') }),
        'VFIO_GROUP_SET_CONTAINER/sets-first',
      ],
      [
        {
          op: 'ioctl',
          label: 'device',
          fd: out('group'),
          command: 0x3b6a,
          argument: {
            kind: 'bytes',
            at: arena(0n),
            hex: Buffer.from('0000:00:04.0\0').toString('hex'),
          },
        },
        'VFIO_GROUP_GET_DEVICE_FD/opens-first',
      ],
      [
        test('check', 'iommufd', 'MD_CHECK_MAP', { id: 3n, iova: IOVA, length: PAGE }),
        'IOMMU_TEST_CMD MD_CHECK_MAP/no-mock-domain',
      ],
    ],
    VTD,
  ),
  example('in-kernel users', [
    IOAS,
    [
      test('flags', 'iommufd', 'CREATE_ACCESS', { id: ioasId, flags: 2n }),
      'IOMMU_TEST_CMD CREATE_ACCESS/unknown-flags',
    ],
    [
      test('none', 'iommufd', 'CREATE_ACCESS', { id: NO_ID }),
      'attaching an in-kernel user/no-ioas',
    ],
    ACCESS,
    [
      test('reader', 'iommufd', 'CREATE_ACCESS', { id: ioasId }),
      'IOMMU_TEST_CMD CREATE_ACCESS/makes',
    ],
    [
      test('no fd', 'iommufd', 'ACCESS_REPLACE_IOAS', { id: 99n, ioas_id: ioasId }),
      "IOMMU_TEST_CMD, an access's descriptor/no-access",
    ],
    [pages('odd flags', { flags: 2n }), 'IOMMU_TEST_CMD ACCESS_PAGES/unknown-flags'],
    [
      pages('cannot', { id: out('reader', 'out_access_fd'), length: PAGE }),
      'IOMMU_TEST_CMD ACCESS_PAGES/cannot-pin',
    ],
    MAPPED,
    [pages('half', { iova: IOVA + 2048n, length: PAGE }), 'accesses/not-page-aligned'],
    [
      pages('other', { iova: IOVA, length: PAGE, uptr: arena(DATA_OFFSET + PAGE) }),
      'IOMMU_TEST_CMD ACCESS_PAGES/other-pages',
    ],
    [
      pages('same', { iova: IOVA, length: 2n * PAGE, uptr: arena(DATA_OFFSET) }),
      'IOMMU_TEST_CMD ACCESS_PAGES/pins',
    ],
    [rw('long', { length: 1n << 25n }), 'IOMMU_TEST_CMD ACCESS_RW/too-long'],
    [rw('rw flags', { flags: 2n }), 'IOMMU_TEST_CMD ACCESS_RW/unknown-flags'],
    [
      rw('buffer', { iova: IOVA, length: 8n, uptr: 0n, flags: 1n }),
      'IOMMU_TEST_CMD ACCESS_RW/buffer-fault',
    ],
  ]),
  example(
    'GET_INFO and GET_STATUS where they cannot be answered',
    [
      COMPAT,
      [
        vfio('fault', 'iommufd', 'VFIO_IOMMU_GET_INFO', {}, { at: arena(STRUCT_LENGTH - 8n) }),
        'VFIO_IOMMU_GET_INFO/fault',
      ],
      [
        vfio('short', 'iommufd', 'VFIO_IOMMU_GET_INFO', { argsz: 15n }),
        'VFIO_IOMMU_GET_INFO/too-short',
      ],
      [
        vfio(
          'capability',
          'iommufd',
          'VFIO_IOMMU_GET_INFO',
          { argsz: 128n },
          { at: arena(STRUCT_LENGTH - 32n) },
        ),
        'VFIO_IOMMU_GET_INFO/capability-fault',
      ],
      [
        vfio('answer', 'iommufd', 'VFIO_IOMMU_GET_INFO', {}, READ_ONLY),
        'VFIO_IOMMU_GET_INFO/answer-fault',
      ],
      [{ op: 'open', label: 'group', path: '/dev/vfio/4' }, 'open/group'],
      [
        vfio('status', 'group', 'VFIO_GROUP_GET_STATUS', {}, { at: arena(STRUCT_LENGTH - 4n) }),
        'VFIO_GROUP_GET_STATUS/fault',
      ],
      [
        vfio('status size', 'group', 'VFIO_GROUP_GET_STATUS', { argsz: 7n }),
        'VFIO_GROUP_GET_STATUS/too-short',
      ],
      [
        vfio('status answer', 'group', 'VFIO_GROUP_GET_STATUS', {}, READ_ONLY),
        'VFIO_GROUP_GET_STATUS/answer-fault',
      ],
    ],
    VTD,
  ),
];

function checkMap(label: string, fields: Parameters<typeof test>[3]) {
  return test(label, 'iommufd', 'MD_CHECK_MAP', {
    id: out('mock', 'out_hwpt_id'),
    uptr: arena(DATA_OFFSET),
    ...fields,
  });
}

function pages(label: string, fields: Parameters<typeof test>[3]) {
  return test(label, 'iommufd', 'ACCESS_PAGES', { id: accessFd, ...fields });
}

function rw(label: string, fields: Parameters<typeof test>[3]) {
  return test(label, 'iommufd', 'ACCESS_RW', { id: accessFd, uptr: arena(6n * PAGE), ...fields });
}
