// Examples of devices without an IOMMU by their own files: bound, attached to tables, and where memory lies.

import { DATA_OFFSET } from '../../model/programs/arena.ts';
import type { Value } from '../../model/programs/program.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import { arena, native, open, out, test, vfio } from '../helpers/operations.ts';
import { LIMITED, settingOf } from '../helpers/settings.ts';
import { type Answered, ATTACHED, example, IOAS, ioasId, PAGE } from './example.ts';
import { cdev, groupOf, NOIOMMU, NOIOMMU_612, TYPE } from './noiommu-steps.ts';
import { closes, extension, group, opened } from './type1-steps.ts';

const attach = (label: string, target: Value, rule = 'attaches'): Answered => [
  vfio(label, 'device', 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', { pt_id: target }),
  `VFIO_DEVICE_ATTACH_IOMMUFD_PT/${rule}`,
];

const map = (label: string, iova: bigint, rule: string, flags = 7n): Answered => [
  native(label, 'iommufd', 'IOMMU_IOAS_MAP', {
    flags,
    ioas_id: ioasId,
    user_va: arena(DATA_OFFSET),
    length: PAGE,
    iova,
  }),
  rule,
];

const getPa = (label: string, fields: Readonly<Record<string, Value>>, rule: string): Answered => [
  native(label, 'iommufd', 'IOMMU_IOAS_NOIOMMU_GET_PA', {
    ioas_id: ioasId,
    iova: 0x1000_0000n,
    length: PAGE,
    ...fields,
  }),
  `IOMMU_IOAS_NOIOMMU_GET_PA/${rule}`,
];

/** An iommufd with an IOAS, and a device without an IOMMU that is bound by its own file. */
const BOUND: readonly Answered[] = [
  ...IOAS,
  cdev('device', 0),
  [
    vfio('bind', 'device', 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: out('iommufd') }),
    'VFIO_DEVICE_BIND_IOMMUFD/binds',
  ],
];

export const NOIOMMU_DEVICES = [
  example(
    'a mock device is not moved to the domain of a device without an IOMMU',
    [
      BOUND,
      [native('other', 'iommufd', 'IOMMU_IOAS_ALLOC', {}), 'IOMMU_IOAS_ALLOC/allocates'],
      [
        test('mock', 'iommufd', 'MOCK_DOMAIN', { id: out('other', 'out_ioas_id') }),
        'IOMMU_TEST_CMD MOCK_DOMAIN/makes',
      ],
      attach('attach', ioasId),
      [
        test('move', 'iommufd', 'MOCK_DOMAIN_REPLACE', {
          id: out('mock', 'out_stdev_id'),
          pt_id: out('attach', 'pt_id'),
        }),
        'attaching/not-for-hardware',
      ],
    ],
    NOIOMMU,
  ),
  example(
    'files of what has no IOMMU have names of their own, and the unprivileged do not open them',
    [
      groupOf('none', 9, 'open/no-group'),
      groupOf('mediated', 3, 'open/no-group'),
      group('without the word', 0, 'open/no-group'),
      groupOf('group', 0, 'open/group-not-privileged'),
      cdev('no device', 9, 'open/no-device'),
      cdev('mediated device', 3, 'open/no-device'),
      [open('device without the word', '/dev/vfio/devices/vfio0'), 'open/no-device'],
      cdev('device', 0, 'open/device-not-privileged'),
      opened,
      extension('anyone may ask', TYPE, 'no-iommu'),
    ],
    settingOf('noiommu', LIMITED),
  ),
  example(
    'a device without an IOMMU has no file of its own on 6.12',
    [
      cdev('device', 0, 'open/no-device'),
      [open('mediated', '/dev/vfio/devices/vfio3'), 'open/device'],
    ],
    NOIOMMU_612,
  ),
  example(
    'a device without an IOMMU is attached to a page table that translates any address, and asks for nothing special',
    [
      ...BOUND,
      attach('attach', ioasId),
      map('interrupts elsewhere', 0xfee0_0000n, 'IOMMU_IOAS_MAP/maps'),
      map('the last but one page', 0xffff_ffff_ffff_e000n, 'IOMMU_IOAS_MAP/maps'),
      [
        native('hwpt', 'iommufd', 'IOMMU_HWPT_ALLOC', {
          dev_id: out('bind', 'out_devid'),
          pt_id: ioasId,
          flags: 2n,
        }),
        'IOMMU_HWPT_ALLOC/no-flags',
      ],
      [
        native('plain', 'iommufd', 'IOMMU_HWPT_ALLOC', {
          dev_id: out('bind', 'out_devid'),
          pt_id: ioasId,
        }),
        'IOMMU_HWPT_ALLOC/allocates',
      ],
      attach('move', out('plain', 'out_hwpt_id')),
      closes('gone', 'device'),
    ],
    NOIOMMU,
  ),
  example(
    'where memory lies is told as far as it lies together, once a device without an IOMMU is attached',
    [
      ...BOUND,
      map('map', 0x1000_0000n, 'IOMMU_IOAS_MAP/maps'),
      getPa('no domain', {}, 'not-software'),
      attach('attach', ioasId),
      getPa('tells', {}, 'tells'),
      getPa('within a page', { iova: 0x1000_0123n, length: 8n }, 'tells'),
      getPa('no more than is mapped', { iova: 0x1000_0ffen, length: U64_MAX }, 'tells'),
      getPa('flags', { flags: 1n }, 'unknown-flags'),
      getPa('nothing', { length: 0n }, 'no-length'),
      getPa('the last', { iova: U64_MAX }, 'last-iova'),
      getPa('no IOAS', { ioas_id: 99n }, 'no-ioas'),
      getPa('behind', { iova: 0x1000_1000n }, 'not-mapped'),
      closes('gone', 'device'),
      getPa('no domain any more', {}, 'not-software'),
    ],
    NOIOMMU,
  ),
  example(
    'where memory lies is not told where an IOMMU translates',
    [
      ...IOAS,
      map('map', 0x100_0000n, 'IOMMU_IOAS_MAP/maps'),
      ATTACHED,
      getPa('told', { iova: 0x100_0000n }, 'not-software'),
    ],
    NOIOMMU,
  ),
  example(
    'where memory lies is told by the first domain of the IOAS, and the last takes its place',
    [
      ...BOUND,
      map('map', 0x1000_0000n, 'IOMMU_IOAS_MAP/maps'),
      attach('attach', ioasId),
      ATTACHED,
      getPa('of the first', {}, 'tells'),
      [
        vfio('detach', 'device', 'VFIO_DEVICE_DETACH_IOMMUFD_PT', {}),
        'VFIO_DEVICE_DETACH_IOMMUFD_PT/detaches',
      ],
      getPa('of the mock', {}, 'not-software'),
      attach('again', ioasId),
      getPa('of the same', {}, 'not-software'),
      [
        native('own', 'iommufd', 'IOMMU_HWPT_ALLOC', {
          dev_id: out('bind', 'out_devid'),
          pt_id: ioasId,
        }),
        'IOMMU_HWPT_ALLOC/allocates',
      ],
      getPa('of the mock still', {}, 'not-software'),
      [
        native('mock goes', 'iommufd', 'IOMMU_DESTROY', { id: out('mock', 'out_stdev_id') }),
        'IOMMU_DESTROY/destroys',
      ],
      attach('to its own', out('own', 'out_hwpt_id')),
      getPa('of its own', {}, 'tells'),
    ],
    NOIOMMU,
  ),
  example(
    'where memory lies is not told to the unprivileged',
    [...IOAS, getPa('asks', {}, 'not-privileged')],
    settingOf('noiommu', LIMITED),
  ),
  example(
    'a device without an IOMMU takes the domain of any other device',
    [...BOUND, ATTACHED, attach('attach', out('mock', 'out_hwpt_id')), closes('gone', 'device')],
    NOIOMMU,
  ),
];
