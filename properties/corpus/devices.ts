// Examples of domains, devices and groups: attaching, replacing, and what a closed descriptor still holds.

import { DATA_OFFSET, READ_ONLY_STRUCT_OFFSET } from '../../model/programs/arena.ts';
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

const CONTAINER_FIRST = 'VFIO_GROUP_SET_CONTAINER/sets-first';
const OPENS_FIRST = 'VFIO_GROUP_GET_DEVICE_FD/opens-first';

const group = (label: string, number: number): Answered => [
  open(label, `/dev/vfio/${number}`),
  'open/group',
];

const join = (label: string, of: string, rule = 'VFIO_GROUP_SET_CONTAINER/sets'): Answered => [
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
  'VFIO_GROUP_GET_STATUS/tells',
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
        'VFIO_GROUP_SET_CONTAINER/has-container',
      ],
      [getDeviceFd('device', 'group', '0000:00:04.0'), OPENS_FIRST],
      [getDeviceFd('again', 'group', '0000:00:04.0'), 'VFIO_GROUP_GET_DEVICE_FD/opens-again'],
      [
        vfioPlain('leave', 'group', 'VFIO_GROUP_UNSET_CONTAINER'),
        'VFIO_GROUP_UNSET_CONTAINER/unsets',
      ],
      [
        vfioPlain('left', 'group', 'VFIO_GROUP_UNSET_CONTAINER'),
        'VFIO_GROUP_UNSET_CONTAINER/no-container',
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
        'VFIO_GROUP_SET_CONTAINER/bad-descriptor',
      ],
      [
        vfio('group itself', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: out('group') }),
        'VFIO_GROUP_SET_CONTAINER/not-a-container',
      ],
    ],
    VTD,
  ),
  example(
    'a device with pages larger than the processor’s cannot be attached',
    [
      OPENED,
      group('group', 4),
      join('container', 'group', CONTAINER_FIRST),
      [getDeviceFd('device', 'group', '0000:00:04.0'), 'domains of a table/pages-too-large'],
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
      [native('other', 'iommufd', 'IOMMU_IOAS_ALLOC', {}), 'IOMMU_IOAS_ALLOC/allocates'],
      [
        native('set', 'iommufd', 'IOMMU_VFIO_IOAS', {
          op: 1n,
          ioas_id: out('other', 'out_ioas_id'),
        }),
        'IOMMU_VFIO_IOAS/sets',
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
    'devices behind two IOMMUs and a mediated one share an IOAS, whose alignment follows them',
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
        'VFIO_CHECK_EXTENSION/cache-coherent',
      ],
      [
        vfio('map', 'iommufd', 'VFIO_IOMMU_MAP_DMA', {
          flags: 3n,
          vaddr: arena(DATA_OFFSET),
          iova: IOVA,
          size: PAGE,
        }),
        'VFIO_IOMMU_MAP_DMA/maps',
      ],
      [close('first gone', 'first'), 'descriptors/closes'],
      [close('second gone', 'second'), 'descriptors/closes'],
      [close('third gone', 'third'), 'descriptors/closes'],
    ],
    MIXED,
  ),
  example(
    'the group of a mediated device has no domain: nothing limits its pages, and nothing is pinned',
    [
      OPENED,
      group('group', 0),
      join('container', 'group', CONTAINER_FIRST),
      [getDeviceFd('device', 'group', MDEV_NAME), OPENS_FIRST],
      [
        vfioPlain('coherent', 'iommufd', 'VFIO_CHECK_EXTENSION', 4n),
        'VFIO_CHECK_EXTENSION/cache-coherent',
      ],
      [vfioPlain('type', 'iommufd', 'VFIO_SET_IOMMU', 1n), 'VFIO_SET_IOMMU/version1'],
      [vfio('info', 'iommufd', 'VFIO_IOMMU_GET_INFO', { argsz: 24n }), 'VFIO_IOMMU_GET_INFO/tells'],
      [
        vfio('map', 'iommufd', 'VFIO_IOMMU_MAP_DMA', {
          flags: 3n,
          vaddr: arena(DATA_OFFSET),
          iova: IOVA,
          size: PAGE,
        }),
        'VFIO_IOMMU_MAP_DMA/maps',
      ],
      [native('id', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 0n }), 'IOMMU_VFIO_IOAS/gets'],
      [
        native('used', 'iommufd', 'IOMMU_DESTROY', { id: out('id', 'ioas_id') }),
        'IOMMU_DESTROY/in-use',
      ],
      [
        vfioPlain('leave', 'group', 'VFIO_GROUP_UNSET_CONTAINER'),
        'VFIO_GROUP_UNSET_CONTAINER/unsets',
      ],
      status('viable'),
      [close('device gone', 'device'), 'descriptors/closes'],
      [
        native('free', 'iommufd', 'IOMMU_DESTROY', { id: out('id', 'ioas_id') }),
        'IOMMU_DESTROY/destroys',
      ],
    ],
    settingOf('mdev'),
  ),
  example(
    'a device is not attached where maps stand in its reserved range',
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
        'VFIO_IOMMU_MAP_DMA/maps',
      ],
      [getDeviceFd('device', 'group', '0000:00:04.0'), 'reserving/mapped'],
    ],
    VTD,
  ),
  example('an IOAS that a domain follows cannot be destroyed, nor the domain that a device uses', [
    IOAS,
    ATTACHED,
    [native('busy', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'IOMMU_DESTROY/in-use'],
    [
      native('hwpt', 'iommufd', 'IOMMU_DESTROY', { id: out('mock', 'out_hwpt_id') }),
      'IOMMU_DESTROY/in-use',
    ],
    [
      native('device', 'iommufd', 'IOMMU_DESTROY', { id: out('mock', 'out_stdev_id') }),
      'IOMMU_DESTROY/destroys',
    ],
    [native('free', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'IOMMU_DESTROY/destroys'],
    [native('gone', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'IOMMU_DESTROY/no-object'],
  ]),
  example('a mock device is moved to another IOAS, also where that cannot be told', [
    IOAS,
    ATTACHED,
    [native('other', 'iommufd', 'IOMMU_IOAS_ALLOC', {}), 'IOMMU_IOAS_ALLOC/allocates'],
    [
      test('move', 'iommufd', 'MOCK_DOMAIN_REPLACE', {
        id: out('mock', 'out_stdev_id'),
        pt_id: out('other', 'out_ioas_id'),
      }),
      'IOMMU_TEST_CMD MOCK_DOMAIN_REPLACE/replaces',
    ],
    [
      test(
        'back',
        'iommufd',
        'MOCK_DOMAIN_REPLACE',
        { id: out('mock', 'out_stdev_id'), pt_id: ioasId },
        { at: arena(READ_ONLY_STRUCT_OFFSET) },
      ),
      'IOMMU_TEST_CMD MOCK_DOMAIN_REPLACE/replaces-unanswered',
    ],
    [
      native('empty', 'iommufd', 'IOMMU_DESTROY', { id: out('other', 'out_ioas_id') }),
      'IOMMU_DESTROY/destroys',
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
      'IOMMU_HWPT_ALLOC/allocates',
    ],
    [
      test('move', 'iommufd', 'MOCK_DOMAIN_REPLACE', {
        id: out('mock', 'out_stdev_id'),
        pt_id: out('hwpt', 'out_hwpt_id'),
      }),
      'IOMMU_TEST_CMD MOCK_DOMAIN_REPLACE/replaces',
    ],
    [
      native('device', 'iommufd', 'IOMMU_DESTROY', { id: out('mock', 'out_stdev_id') }),
      'IOMMU_DESTROY/destroys',
    ],
    [native('busy', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'IOMMU_DESTROY/in-use'],
    [
      native('free', 'iommufd', 'IOMMU_DESTROY', { id: out('hwpt', 'out_hwpt_id') }),
      'IOMMU_DESTROY/destroys',
    ],
    [native('empty', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'IOMMU_DESTROY/destroys'],
  ]),
];
