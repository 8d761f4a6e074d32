// SPDX-License-Identifier: MIT
// Examples of devices without an IOMMU by cdev: bound, attached to page tables, and GET_PA.

import { DATA_OFFSET } from '../../model/programs/arena.ts';
import type { Value } from '../../model/programs/program.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import type { RuleId } from '../../spec/rules.ts';
import { arena, native, open, out, test, vfio } from '../helpers/operations.ts';
import { LIMITED, settingOf } from '../helpers/settings.ts';
import {
  type Answered,
  ATTACHED,
  type Cited,
  cited,
  example,
  IOAS,
  ioasId,
  PAGE,
} from './example.ts';
import { cdev, groupOf, NOIOMMU, NOIOMMU_612, TYPE } from './noiommu-steps.ts';
import { closes, extension, group, opened } from './type1-steps.ts';

const attach = (
  label: string,
  target: Value,
  rule: Cited<'device-attach-iommufd-pt'> = 'attaches',
): Answered => [
  vfio(label, 'device', 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', { pt_id: target }),
  cited('device-attach-iommufd-pt', rule),
];

const map = (label: string, iova: bigint, rule: RuleId, flags = 7n): Answered => [
  native(label, 'iommufd', 'IOMMU_IOAS_MAP', {
    flags,
    ioas_id: ioasId,
    user_va: arena(DATA_OFFSET),
    length: PAGE,
    iova,
  }),
  rule,
];

const getPa = (
  label: string,
  fields: Readonly<Record<string, Value>>,
  rule: Cited<'ioas-noiommu-get-pa'>,
): Answered => [
  native(label, 'iommufd', 'IOMMU_IOAS_NOIOMMU_GET_PA', {
    ioas_id: ioasId,
    iova: 0x1000_0000n,
    length: PAGE,
    ...fields,
  }),
  cited('ioas-noiommu-get-pa', rule),
];

/** An iommufd with an IOAS, and a device without an IOMMU that is bound by its own file. */
const BOUND: readonly Answered[] = [
  ...IOAS,
  cdev('device', 0),
  [
    vfio('bind', 'device', 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: out('iommufd') }),
    'device-bind-iommufd/binds',
  ],
];

export const NOIOMMU_DEVICES = [
  example(
    'a mock device is not moved to the domain of a device without an IOMMU',
    [
      BOUND,
      [native('other', 'iommufd', 'IOMMU_IOAS_ALLOC', {}), 'ioas-alloc/allocates'],
      [
        test('mock', 'iommufd', 'MOCK_DOMAIN', { id: out('other', 'out_ioas_id') }),
        'test-mock-domain/creates',
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
      cdev('mdev', 3, 'open/no-device'),
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
    'a device without an IOMMU is attached to a page table that translates any address, and has no requirements',
    [
      ...BOUND,
      attach('attach', ioasId),
      map('interrupts elsewhere', 0xfee0_0000n, 'ioas-map/maps'),
      map('the last but one page', 0xffff_ffff_ffff_e000n, 'ioas-map/maps'),
      [
        native('hwpt', 'iommufd', 'IOMMU_HWPT_ALLOC', {
          dev_id: out('bind', 'out_devid'),
          pt_id: ioasId,
          flags: 2n,
        }),
        'hwpt-alloc/flags-without-iommu',
      ],
      [
        native('plain', 'iommufd', 'IOMMU_HWPT_ALLOC', {
          dev_id: out('bind', 'out_devid'),
          pt_id: ioasId,
        }),
        'hwpt-alloc/allocates',
      ],
      attach('move', out('plain', 'out_hwpt_id')),
      closes('gone', 'device'),
    ],
    NOIOMMU,
  ),
  example(
    'once a device without an IOMMU is attached, GET_PA reports contiguous memory',
    [
      ...BOUND,
      map('map', 0x1000_0000n, 'ioas-map/maps'),
      getPa('no domain', {}, 'no-software-domain'),
      attach('attach', ioasId),
      getPa('contiguous', {}, 'reports'),
      getPa('within a page', { iova: 0x1000_0123n, length: 8n }, 'reports'),
      getPa('no more than is mapped', { iova: 0x1000_0ffen, length: U64_MAX }, 'reports'),
      getPa('flags', { flags: 1n }, 'unknown-flags'),
      getPa('nothing', { length: 0n }, 'zero-length'),
      getPa('the last', { iova: U64_MAX }, 'u64-max'),
      getPa('no IOAS', { ioas_id: 99n }, 'no-ioas'),
      getPa('behind', { iova: 0x1000_1000n }, 'not-mapped'),
      closes('gone', 'device'),
      getPa('no domain any more', {}, 'no-software-domain'),
    ],
    NOIOMMU,
  ),
  example(
    'GET_PA reports nothing if an IOMMU translates',
    [
      ...IOAS,
      map('map', 0x100_0000n, 'ioas-map/maps'),
      ATTACHED,
      getPa('query', { iova: 0x100_0000n }, 'no-software-domain'),
    ],
    NOIOMMU,
  ),
  example(
    'GET_PA asks the first domain of the IOAS; if that goes, the last takes its slot',
    [
      ...BOUND,
      map('map', 0x1000_0000n, 'ioas-map/maps'),
      attach('attach', ioasId),
      ATTACHED,
      getPa('of the first', {}, 'reports'),
      [
        vfio('detach', 'device', 'VFIO_DEVICE_DETACH_IOMMUFD_PT', {}),
        'device-detach-iommufd-pt/detaches',
      ],
      getPa('of the mock', {}, 'no-software-domain'),
      attach('again', ioasId),
      getPa('of the same', {}, 'no-software-domain'),
      [
        native('own', 'iommufd', 'IOMMU_HWPT_ALLOC', {
          dev_id: out('bind', 'out_devid'),
          pt_id: ioasId,
        }),
        'hwpt-alloc/allocates',
      ],
      getPa('of the mock still', {}, 'no-software-domain'),
      [
        native('mock goes', 'iommufd', 'IOMMU_DESTROY', { id: out('mock', 'out_stdev_id') }),
        'destroy/destroys',
      ],
      attach('to its own', out('own', 'out_hwpt_id')),
      getPa('of its own', {}, 'reports'),
    ],
    NOIOMMU,
  ),
  example(
    'GET_PA reports nothing to an unprivileged process',
    [...IOAS, getPa('asks', {}, 'not-privileged')],
    settingOf('noiommu', LIMITED),
  ),
  example(
    'a device without an IOMMU takes the domain of any other device',
    [...BOUND, ATTACHED, attach('attach', out('mock', 'out_hwpt_id')), closes('gone', 'device')],
    NOIOMMU,
  ),
];
