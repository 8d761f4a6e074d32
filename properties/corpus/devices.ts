// SPDX-License-Identifier: MIT
// Examples of domains, devices and groups: attaching, replacing, and what a closed descriptor keeps alive.

import { DATA_OFFSET, READ_ONLY_STRUCT_OFFSET } from '../../model/programs/arena.ts';
import type { RuleId } from '../../spec/rules.ts';
import type { Platform, Setting } from '../../spec/terms/platform.ts';
import { MDEV_NAME } from '../../spec/terms/platforms.ts';
import {
  arena,
  close,
  getDeviceFd,
  native,
  open,
  out,
  test,
  vfio,
  vfioPlain,
} from '../helpers/operations.ts';
import { PRIVILEGED, platform, settingOf } from '../helpers/settings.ts';
import {
  type Answered,
  ATTACHED,
  example,
  IOAS,
  IOVA,
  ioasId,
  MIXED,
  OPENED,
  PAGE,
  VTD,
} from './example.ts';

const CONTAINER_FIRST = 'group-set-container/sets-first';
const OPENS_FIRST = 'group-get-device-fd/opens-first';

const group = (label: string, number: number): Answered => [
  open(label, `/dev/vfio/${number}`),
  'open/group',
];

const join = (label: string, of: string, rule: RuleId = 'group-set-container/sets'): Answered => [
  vfio(label, of, 'VFIO_GROUP_SET_CONTAINER', { fd: out('iommufd') }),
  rule,
];

/** An IOMMU whose least page is larger than the processor's. */
const COARSE: Platform = {
  ...platform('vtd'),
  name: 'coarse',
  iommus: [
    {
      pageSizes: 0x1_0000n,
      aperture: { start: 0n, last: 0xffff_ffffn },
      enforcesCacheCoherency: false,
    },
  ],
  devices: [{ name: '0000:00:04.0', group: 4, iommu: 0, reserved: [] }],
};
const COARSE_SETTING: Setting = { release: '7.3.4', platform: COARSE, credentials: PRIVILEGED };

const status = (label: string): Answered => [
  vfio(label, 'group', 'VFIO_GROUP_GET_STATUS', {}),
  'group-get-status/reports',
];

export const DEVICES = [
  example(
    'a group joins a container, and a device that is open outlives both descriptors',
    [
      OPENED,
      group('group', 4),
      status('alone'),
      join('container', 'group', CONTAINER_FIRST),
      [
        vfio('twice', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: out('iommufd') }),
        'group-set-container/has-container',
      ],
      [getDeviceFd('device', 'group', '0000:00:04.0'), OPENS_FIRST],
      [getDeviceFd('again', 'group', '0000:00:04.0'), 'group-get-device-fd/opens-again'],
      [vfioPlain('leave', 'group', 'VFIO_GROUP_UNSET_CONTAINER'), 'group-unset-container/unsets'],
      [
        vfioPlain('left', 'group', 'VFIO_GROUP_UNSET_CONTAINER'),
        'group-unset-container/no-container',
      ],
      status('owned'),
      [close('iommufd gone', 'iommufd'), 'descriptors/closes'],
      [close('device gone', 'device'), 'descriptors/closes'],
      [close('last', 'again'), 'descriptors/closes'],
      status('free'),
    ],
    VTD,
  ),
  example(
    'a group is given to no other descriptor than an iommufd',
    [
      group('group', 4),
      [
        vfio('closed', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: 77n }),
        'group-set-container/bad-descriptor',
      ],
      [
        vfio('group itself', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: out('group') }),
        'group-set-container/not-a-container',
      ],
    ],
    VTD,
  ),
  example(
    'a device whose IOMMU has only pages larger than PAGE_SIZE cannot be attached',
    [
      OPENED,
      group('group', 4),
      join('container', 'group', CONTAINER_FIRST),
      [getDeviceFd('device', 'group', '0000:00:04.0'), 'domains/page-size-too-large'],
    ],
    COARSE_SETTING,
  ),
  example(
    'all devices of a group are attached to the same domain',
    [
      OPENED,
      group('group', 6),
      join('container', 'group', CONTAINER_FIRST),
      [getDeviceFd('first', 'group', '0000:01:00.0'), OPENS_FIRST],
      [native('other', 'iommufd', 'IOMMU_IOAS_ALLOC', {}), 'ioas-alloc/allocates'],
      [
        native('set', 'iommufd', 'IOMMU_VFIO_IOAS', {
          op: 1n,
          ioas_id: out('other', 'out_ioas_id'),
        }),
        'vfio-ioas/sets',
      ],
      [getDeviceFd('second', 'group', '0000:01:00.1'), 'attaching/group-elsewhere'],
    ],
    MIXED,
  ),
  example(
    'two devices of a group share their domain',
    [
      OPENED,
      group('group', 6),
      join('container', 'group', CONTAINER_FIRST),
      [getDeviceFd('first', 'group', '0000:01:00.0'), OPENS_FIRST],
      [getDeviceFd('second', 'group', '0000:01:00.1'), OPENS_FIRST],
      [close('first gone', 'first'), 'descriptors/closes'],
      [close('second gone', 'second'), 'descriptors/closes'],
    ],
    MIXED,
  ),
  example(
    'devices behind two IOMMUs and an mdev share an IOAS, whose alignment follows them',
    [
      OPENED,
      group('four', 4),
      join('container', 'four', CONTAINER_FIRST),
      [getDeviceFd('first', 'four', '0000:00:04.0'), OPENS_FIRST],
      group('five', 5),
      join('joins', 'five'),
      [getDeviceFd('second', 'five', '0000:00:05.0'), OPENS_FIRST],
      group('seven', 7),
      join('mediated joins', 'seven'),
      [getDeviceFd('third', 'seven', 'mtty-1'), OPENS_FIRST],
      [
        vfioPlain('coherent', 'iommufd', 'VFIO_CHECK_EXTENSION', 4n),
        'compat-check-extension/cache-coherent',
      ],
      [
        vfio('map', 'iommufd', 'VFIO_IOMMU_MAP_DMA', {
          flags: 3n,
          vaddr: arena(DATA_OFFSET),
          iova: IOVA,
          size: PAGE,
        }),
        'compat-map-dma/maps',
      ],
      [close('first gone', 'first'), 'descriptors/closes'],
      [close('second gone', 'second'), 'descriptors/closes'],
      [close('third gone', 'third'), 'descriptors/closes'],
    ],
    MIXED,
  ),
  example(
    'the group of an mdev has no domain: nothing limits its pages, and nothing is pinned',
    [
      OPENED,
      group('group', 0),
      join('container', 'group', CONTAINER_FIRST),
      [getDeviceFd('device', 'group', MDEV_NAME), OPENS_FIRST],
      [
        vfioPlain('coherent', 'iommufd', 'VFIO_CHECK_EXTENSION', 4n),
        'compat-check-extension/cache-coherent',
      ],
      [vfioPlain('type', 'iommufd', 'VFIO_SET_IOMMU', 1n), 'compat-set-iommu/v1'],
      [vfio('info', 'iommufd', 'VFIO_IOMMU_GET_INFO', { argsz: 24n }), 'compat-get-info/reports'],
      [
        vfio('map', 'iommufd', 'VFIO_IOMMU_MAP_DMA', {
          flags: 3n,
          vaddr: arena(DATA_OFFSET),
          iova: IOVA,
          size: PAGE,
        }),
        'compat-map-dma/maps',
      ],
      [native('id', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 0n }), 'vfio-ioas/gets'],
      [native('used', 'iommufd', 'IOMMU_DESTROY', { id: out('id', 'ioas_id') }), 'destroy/in-use'],
      [vfioPlain('leave', 'group', 'VFIO_GROUP_UNSET_CONTAINER'), 'group-unset-container/unsets'],
      status('viable'),
      [close('device gone', 'device'), 'descriptors/closes'],
      [
        native('free', 'iommufd', 'IOMMU_DESTROY', { id: out('id', 'ioas_id') }),
        'destroy/destroys',
      ],
    ],
    settingOf('mdev'),
  ),
  example(
    'a device is not attached if its reserved range has maps',
    [
      OPENED,
      group('group', 4),
      join('container', 'group', CONTAINER_FIRST),
      [
        vfio('map', 'iommufd', 'VFIO_IOMMU_MAP_DMA', {
          flags: 3n,
          vaddr: arena(DATA_OFFSET),
          iova: 0xfee0_0000n,
          size: PAGE,
        }),
        'compat-map-dma/maps',
      ],
      [getDeviceFd('device', 'group', '0000:00:04.0'), 'reserving/mapped'],
    ],
    VTD,
  ),
  example('an IOAS that a domain follows cannot be destroyed, nor the domain that a device uses', [
    IOAS,
    ATTACHED,
    [native('busy', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'destroy/in-use'],
    [
      native('hwpt', 'iommufd', 'IOMMU_DESTROY', { id: out('mock', 'out_hwpt_id') }),
      'destroy/in-use',
    ],
    [
      native('device', 'iommufd', 'IOMMU_DESTROY', { id: out('mock', 'out_stdev_id') }),
      'destroy/destroys',
    ],
    [native('free', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'destroy/destroys'],
    [native('gone', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'destroy/no-object'],
  ]),
  example('a mock device is moved to another IOAS, even if the reply cannot be written', [
    IOAS,
    ATTACHED,
    [native('other', 'iommufd', 'IOMMU_IOAS_ALLOC', {}), 'ioas-alloc/allocates'],
    [
      test('move', 'iommufd', 'MOCK_DOMAIN_REPLACE', {
        id: out('mock', 'out_stdev_id'),
        pt_id: out('other', 'out_ioas_id'),
      }),
      'test-mock-domain-replace/replaces',
    ],
    [
      test(
        'back',
        'iommufd',
        'MOCK_DOMAIN_REPLACE',
        { id: out('mock', 'out_stdev_id'), pt_id: ioasId },
        { at: arena(READ_ONLY_STRUCT_OFFSET) },
      ),
      'test-mock-domain-replace/reply-fault',
    ],
    [
      native('empty', 'iommufd', 'IOMMU_DESTROY', { id: out('other', 'out_ioas_id') }),
      'destroy/destroys',
    ],
  ]),
  example('an hwpt of the program stays without devices, and devices are moved to it', [
    IOAS,
    ATTACHED,
    [
      native('hwpt', 'iommufd', 'IOMMU_HWPT_ALLOC', {
        dev_id: out('mock', 'out_idev_id'),
        pt_id: ioasId,
      }),
      'hwpt-alloc/allocates',
    ],
    [
      test('move', 'iommufd', 'MOCK_DOMAIN_REPLACE', {
        id: out('mock', 'out_stdev_id'),
        pt_id: out('hwpt', 'out_hwpt_id'),
      }),
      'test-mock-domain-replace/replaces',
    ],
    [
      native('device', 'iommufd', 'IOMMU_DESTROY', { id: out('mock', 'out_stdev_id') }),
      'destroy/destroys',
    ],
    [native('busy', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'destroy/in-use'],
    [
      native('free', 'iommufd', 'IOMMU_DESTROY', { id: out('hwpt', 'out_hwpt_id') }),
      'destroy/destroys',
    ],
    [native('empty', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'destroy/destroys'],
  ]),
];
