// SPDX-License-Identifier: MIT
// Examples of every refusal by test operations, and by the VFIO calls that report state.

import { DATA_OFFSET, READ_ONLY_STRUCT_OFFSET, STRUCT_LENGTH } from '../../model/programs/arena.ts';
import { arena, getDeviceFd, native, open, out, test, vfio } from '../helpers/operations.ts';
import {
  ACCESS,
  ATTACHED,
  accessFd,
  COMPAT,
  example,
  IOAS,
  IOVA,
  ioasId,
  PAGE,
  VTD,
} from './example.ts';

const LAST_PAGE = 0xffff_ffff_ffff_f000n;
const NO_ID = 0x7000n;
const READ_ONLY = { at: arena(READ_ONLY_STRUCT_OFFSET) };

const MAPPED = [
  native('map', 'iommufd', 'IOMMU_IOAS_MAP', {
    ioas_id: ioasId,
    user_va: arena(DATA_OFFSET),
    length: 2n * PAGE,
    flags: 7n,
    iova: IOVA,
  }),
  'ioas-map/maps',
] as const;

export const OTHER_REFUSALS = [
  example('test operations on domains and devices', [
    IOAS,
    ATTACHED,
    [
      test('flags', 'iommufd', 'MOCK_DOMAIN_FLAGS', { id: ioasId, dev_flags: 0x80n }),
      'test-mock-domain/unknown-flags',
    ],
    [test('target', 'iommufd', 'MOCK_DOMAIN', { id: NO_ID }), 'attaching/no-target'],
    [
      test('kind', 'iommufd', 'MOCK_DOMAIN', { id: out('mock', 'out_idev_id') }),
      'attaching/not-a-target',
    ],
    [
      test('device', 'iommufd', 'MOCK_DOMAIN_REPLACE', { id: NO_ID }),
      'test-mock-domain-replace/no-device',
    ],
    [test('length', 'iommufd', 'ADD_RESERVED', { id: ioasId }), 'test-add-reserved/zero-length'],
    [
      test('wraps', 'iommufd', 'ADD_RESERVED', { id: ioasId, start: LAST_PAGE, length: 2n * PAGE }),
      'test-add-reserved/wraps',
    ],
    [
      test('none', 'iommufd', 'ADD_RESERVED', { id: NO_ID, length: PAGE }),
      'test-add-reserved/no-ioas',
    ],
    MAPPED,
    [
      test('mapped', 'iommufd', 'ADD_RESERVED', { id: ioasId, start: IOVA, length: PAGE }),
      'reserving/mapped',
    ],
    [test('limit', 'iommufd', 'SET_TEMP_MEMORY_LIMIT', { limit: 11n }), 'test-cmd/limit-too-small'],
    [test('batches', 'iommufd', 'SET_TEMP_MEMORY_LIMIT', { limit: 12n }), 'test-cmd/sets-limit'],
    [
      test('cache', 'iommufd', 'DEV_CHECK_CACHE', {
        id: out('mock', 'out_idev_id'),
        cache_id: 3n,
        cache: 0xbadd_adn,
      }),
      'test-cmd/cache-agrees',
    ],
    [
      test('no cache', 'iommufd', 'DEV_CHECK_CACHE', {
        id: out('mock', 'out_idev_id'),
        cache_id: 4n,
      }),
      'test-cmd/cache-differs',
    ],
    [test('no device', 'iommufd', 'DEV_CHECK_CACHE', { id: NO_ID }), 'test-cmd/no-device'],
  ]),
  example('checking what a domain maps', [
    IOAS,
    ATTACHED,
    MAPPED,
    [checkMap('misaligned', { iova: IOVA + 1n, length: PAGE }), 'test-md-check-map/misaligned'],
    [
      checkMap('wraps', { iova: IOVA, length: 2n * PAGE, uptr: LAST_PAGE }),
      'test-md-check-map/wraps',
    ],
    [checkMap('none', { id: NO_ID, length: PAGE }), 'test-md-check-map/no-hwpt'],
    [checkMap('agrees', { iova: IOVA, length: 2n * PAGE }), 'test-md-check-map/agrees'],
    [checkMap('beyond', { iova: IOVA, length: 3n * PAGE }), 'test-md-check-map/differs'],
    [checkMap('shifted', { iova: IOVA + PAGE, length: PAGE }), 'test-md-check-map/differs'],
    [checkMap('unmapped', { iova: IOVA, length: PAGE, uptr: 0n }), 'caller-pages/not-accessible'],
    [checkMap('last page', { iova: IOVA, length: 2048n, uptr: LAST_PAGE }), 'caller-pages/wraps'],
    [
      test('refs', 'iommufd', 'MD_CHECK_REFS', { length: 2048n, uptr: arena(DATA_OFFSET) }),
      'test-md-check-refs/misaligned',
    ],
    [
      test('refs wrap', 'iommufd', 'MD_CHECK_REFS', { length: 2n * PAGE, uptr: LAST_PAGE }),
      'test-md-check-refs/wraps',
    ],
  ]),
  example(
    'a domain that is not a mock domain cannot be checked',
    [
      COMPAT,
      [native('none', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'destroy/destroys'],
      [open('group', '/dev/vfio/4'), 'open/group'],
      [
        vfio('join', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: out('iommufd') }),
        'group-set-container/sets-first',
      ],
      [getDeviceFd('device', 'group', '0000:00:04.0'), 'group-get-device-fd/opens-first'],
      [
        test('check', 'iommufd', 'MD_CHECK_MAP', { id: 3n, iova: IOVA, length: PAGE }),
        'test-md-check-map/no-mock-domain',
      ],
      [
        test('written', 'iommufd', 'DIRTY', {
          id: 3n,
          iova: IOVA,
          length: PAGE,
          page_size: PAGE,
          uptr: PAGE,
        }),
        'test-dirty/no-mock-domain',
      ],
    ],
    VTD,
  ),
  example('accesses', [
    IOAS,
    [
      test('flags', 'iommufd', 'CREATE_ACCESS', { id: ioasId, flags: 2n }),
      'test-create-access/unknown-flags',
    ],
    [test('none', 'iommufd', 'CREATE_ACCESS', { id: NO_ID }), 'attaching-access/no-ioas'],
    ACCESS,
    [test('reader', 'iommufd', 'CREATE_ACCESS', { id: ioasId }), 'test-create-access/creates'],
    [
      test('no fd', 'iommufd', 'ACCESS_REPLACE_IOAS', { id: 99n, ioas_id: ioasId }),
      'test-access-descriptor/not-an-access',
    ],
    [pages('unknown flags', { flags: 2n }), 'test-access-pages/unknown-flags'],
    [
      pages('cannot', { id: out('reader', 'out_access_fd'), length: PAGE }),
      'test-access-pages/cannot-pin',
    ],
    MAPPED,
    [pages('half', { iova: IOVA + 2048n, length: PAGE }), 'accesses/misaligned'],
    [
      pages('other', { iova: IOVA, length: PAGE, uptr: arena(DATA_OFFSET + PAGE) }),
      'test-access-pages/differs',
    ],
    [
      pages('same', { iova: IOVA, length: 2n * PAGE, uptr: arena(DATA_OFFSET) }),
      'test-access-pages/pins',
    ],
    [rw('long', { length: 1n << 25n }), 'test-access-rw/too-long'],
    [rw('rw flags', { flags: 2n }), 'test-access-rw/unknown-flags'],
    [rw('buffer', { iova: IOVA, length: 8n, uptr: 0n, flags: 1n }), 'test-access-rw/buffer-fault'],
  ]),
  example(
    'GET_INFO and GET_STATUS where they cannot be answered',
    [
      COMPAT,
      [
        vfio('fault', 'iommufd', 'VFIO_IOMMU_GET_INFO', {}, { at: arena(STRUCT_LENGTH - 8n) }),
        'compat-get-info/struct-fault',
      ],
      [
        vfio('short', 'iommufd', 'VFIO_IOMMU_GET_INFO', { argsz: 15n }),
        'compat-get-info/too-short',
      ],
      [
        vfio(
          'capability',
          'iommufd',
          'VFIO_IOMMU_GET_INFO',
          { argsz: 128n },
          { at: arena(STRUCT_LENGTH - 32n) },
        ),
        'compat-get-info/capability-fault',
      ],
      [
        vfio('answer', 'iommufd', 'VFIO_IOMMU_GET_INFO', {}, READ_ONLY),
        'compat-get-info/reply-fault',
      ],
      [open('group', '/dev/vfio/4'), 'open/group'],
      [
        vfio('status', 'group', 'VFIO_GROUP_GET_STATUS', {}, { at: arena(STRUCT_LENGTH - 4n) }),
        'group-get-status/struct-fault',
      ],
      [
        vfio('status size', 'group', 'VFIO_GROUP_GET_STATUS', { argsz: 7n }),
        'group-get-status/too-short',
      ],
      [
        vfio('status answer', 'group', 'VFIO_GROUP_GET_STATUS', {}, READ_ONLY),
        'group-get-status/reply-fault',
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
