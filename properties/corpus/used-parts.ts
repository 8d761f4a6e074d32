// SPDX-License-Identifier: MIT
// Examples of calls that are refused by what they share with others: a limit, a permission, an alignment that a call only
// meets because of what an earlier one has left.

import { DATA_OFFSET, READ_ONLY_STRUCT_OFFSET } from '../../model/programs/arena.ts';
import type { Value } from '../../model/programs/program.ts';
import type { RuleId } from '../../spec/rules.ts';
import { arena, getDeviceFd, memfd, native, open, out, test, vfio } from '../helpers/operations.ts';
import { LIMITED, settingOf } from '../helpers/settings.ts';
import {
  ACCESS,
  type Answered,
  ATTACHED,
  accessFd,
  COMPAT,
  example,
  IOAS,
  IOVA,
  ioasId,
  MOCK,
  OPENED,
  PAGE,
  VTD,
} from './example.ts';

const LIMITED_MOCK = settingOf('mock', LIMITED);
const LIMITED_VTD = settingOf('vtd', LIMITED);
const VTD_DEVICE = '0000:00:04.0';
const NOT_MAPPED = arena(12n * PAGE);
/** One more page than a limited program may lock. */
const TOO_MUCH = 21n * PAGE;
const otherId = out('other', 'out_ioas_id');

const map = (
  label: string,
  length: bigint,
  { ioas = ioasId, iova = IOVA }: { readonly ioas?: Value; readonly iova?: bigint } = {},
): Answered => [
  native(label, 'iommufd', 'IOMMU_IOAS_MAP', {
    flags: 7n,
    ioas_id: ioas,
    user_va: arena(DATA_OFFSET),
    length,
    iova,
  }),
  'ioas-map/maps',
];

const mapDma = (label: string, fields: Readonly<Record<string, Value>>): Answered => [
  vfio(label, 'iommufd', 'VFIO_IOMMU_MAP_DMA', {
    flags: 3n,
    vaddr: arena(DATA_OFFSET),
    iova: IOVA,
    size: PAGE,
    ...fields,
  }),
  'compat-map-dma/maps',
];

/** A map that lets a device neither read nor write. */
const NO_PERMISSION = mapDma('no permission', { flags: 0n });

const OTHER: Answered = [
  native('other', 'iommufd', 'IOMMU_IOAS_ALLOC', {}),
  'ioas-alloc/allocates',
];

const replace = (rule: RuleId): Answered => [
  test('replace', 'iommufd', 'MOCK_DOMAIN_REPLACE', {
    id: out('mock', 'out_stdev_id'),
    pt_id: otherId,
  }),
  rule,
];

const attachMock = (rule: RuleId): Answered => [
  test('attach', 'iommufd', 'MOCK_DOMAIN', { id: ioasId }),
  rule,
];

/** A group whose container is the iommufd, which has a compatibility IOAS for it. */
const JOINED: readonly Answered[] = [
  ...OPENED,
  [open('group', '/dev/vfio/4'), 'open/group'],
  [
    vfio('join', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: out('iommufd') }),
    'group-set-container/sets-first',
  ],
];

const getDevice = (rule: RuleId): Answered => [getDeviceFd('device', 'group', VTD_DEVICE), rule];

/** A device that is bound by its cdev to an iommufd with a compatibility IOAS. */
const BOUND: readonly Answered[] = [
  ...COMPAT,
  [open('cdev', '/dev/vfio/devices/vfio0'), 'open/device'],
  [
    vfio('bind', 'cdev', 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: out('iommufd') }),
    'device-bind-iommufd/binds',
  ],
];

const attachDevice = (rule: RuleId): Answered => [
  vfio('attach', 'cdev', 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', { pt_id: ioasId }),
  rule,
];

const pin = (rule: RuleId, fields: Readonly<Record<string, Value>>): Answered => [
  test('pin', 'iommufd', 'ACCESS_PAGES', { id: accessFd, iova: IOVA, length: PAGE, ...fields }),
  rule,
];

export const USED_PARTS = [
  example(
    'a copy is charged when its IOAS has the first domain',
    [
      IOAS,
      OTHER,
      map('map', TOO_MUCH, { ioas: otherId }),
      ATTACHED,
      [
        native('copy', 'iommufd', 'IOMMU_IOAS_COPY', {
          flags: 7n,
          dst_ioas_id: ioasId,
          src_ioas_id: otherId,
          length: TOO_MUCH,
          dst_iova: IOVA,
          src_iova: IOVA,
        }),
        'locked-memory/user-limit',
      ],
    ],
    LIMITED_MOCK,
  ),
  example(
    'the first domain is charged for everything that is mapped',
    [IOAS, map('map', TOO_MUCH), attachMock('locked-memory/user-limit')],
    LIMITED_MOCK,
  ),
  example(
    'a device that moves is charged for the IOAS that it moves to',
    [
      IOAS,
      ATTACHED,
      OTHER,
      map('map', TOO_MUCH, { ioas: otherId }),
      replace('locked-memory/user-limit'),
    ],
    LIMITED_MOCK,
  ),
  example(
    'an access is charged for what it pins',
    [IOAS, ACCESS, map('map', TOO_MUCH), pin('locked-memory/user-limit', { length: TOO_MUCH })],
    LIMITED_MOCK,
  ),
  example(
    'a device that is opened or attached is charged for what was mapped before',
    [JOINED, mapDma('map', { size: TOO_MUCH }), getDevice('locked-memory/user-limit')],
    LIMITED_VTD,
  ),
  example(
    'a device that is attached by its cdev is charged for what was mapped before',
    [BOUND, map('map', TOO_MUCH), attachDevice('locked-memory/user-limit')],
    LIMITED_VTD,
  ),
  example(
    'a device is not opened if a map has no memory',
    [JOINED, mapDma('map', { vaddr: NOT_MAPPED }), getDevice('pinning/not-mapped')],
    VTD,
  ),
  example(
    'a device is not opened where a map has no permission that its IOMMU could map',
    [JOINED, NO_PERMISSION, getDevice('domains/no-permission')],
    VTD,
  ),
  example(
    'a device is not attached where a map has no permission that its IOMMU could map',
    [BOUND, NO_PERMISSION, attachDevice('domains/no-permission')],
    VTD,
  ),
  example('a mock device does not move to where a map has no permission, nor gets a domain there', [
    IOAS,
    ATTACHED,
    OTHER,
    [native('set', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 1n, ioas_id: otherId }), 'vfio-ioas/sets'],
    NO_PERMISSION,
    replace('domains/no-permission'),
    [
      native('hwpt', 'iommufd', 'IOMMU_HWPT_ALLOC', {
        dev_id: out('mock', 'out_idev_id'),
        pt_id: otherId,
      }),
      'domains/no-permission',
    ],
  ]),
  example('a mock device does not move to where a map is less aligned than its domain needs', [
    IOAS,
    ATTACHED,
    OTHER,
    map('map', 1n, { ioas: otherId }),
    replace('alignment/misaligned-area'),
  ]),
  example('a length of a file that no page count has is refused', [
    IOAS,
    [memfd('file', PAGE), 'program-memory/creates-file'],
    [
      native('map', 'iommufd', 'IOMMU_IOAS_MAP_FILE', {
        flags: 7n,
        ioas_id: ioasId,
        fd: out('file'),
        length: (1n << 64n) - PAGE,
        iova: 0n,
      }),
      'alloc-pages/length-out-of-range',
    ],
  ]),
  example('an access compares what it pins with memory that the caller has', [
    IOAS,
    ACCESS,
    map('map', PAGE),
    pin('caller-pages/not-accessible', { uptr: NOT_MAPPED }),
  ]),
  example(
    'where memory is cannot be written',
    [
      IOAS,
      [open('cdev', '/dev/vfio/devices/noiommu-vfio0'), 'open/device'],
      [
        vfio('bind', 'cdev', 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: out('iommufd') }),
        'device-bind-iommufd/binds',
      ],
      map('map', PAGE),
      attachDevice('device-attach-iommufd-pt/attaches'),
      [
        native(
          'where',
          'iommufd',
          'IOMMU_IOAS_NOIOMMU_GET_PA',
          { ioas_id: ioasId, iova: IOVA, length: PAGE },
          { at: arena(READ_ONLY_STRUCT_OFFSET) },
        ),
        'respond/reply-fault',
      ],
    ],
    settingOf('noiommu'),
  ),
  example(
    'the id of the compatibility IOAS cannot be written',
    [
      COMPAT,
      [
        native(
          'get',
          'iommufd',
          'IOMMU_VFIO_IOAS',
          { op: 0n },
          { at: arena(READ_ONLY_STRUCT_OFFSET) },
        ),
        'respond/reply-fault',
      ],
    ],
    MOCK,
  ),
];
