// Examples of no-IOMMU groups and their devices: under a legacy container, under an iommufd, beside other groups, and by
// the devices' own files.

import { DATA_OFFSET } from '../../model/programs/arena.ts';
import type { Value } from '../../model/programs/program.ts';
import { MDEV_NAME } from '../../oracle/trace/platforms.ts';
import { U64_MAX } from '../../spec/abi/units.ts';
import { arena, getDeviceFd, ioctl, native, open, out, vfio, vfioPlain } from '../operations.ts';
import { LIMITED, PRIVILEGED, settingOf } from '../settings.ts';
import { type Answered, ATTACHED, example, IOAS, ioasId, OPENED, PAGE } from './example.ts';
import { closes, deviceOf, extension, group, opened, setType } from './type1-steps.ts';

const NOIOMMU = settingOf('noiommu');
const NOIOMMU_612 = settingOf('noiommu', PRIVILEGED, '6.12.95');
/** The module parameter was switched off after the devices had got their groups. */
const SWITCHED_OFF = {
  ...NOIOMMU,
  platform: { ...NOIOMMU.platform, noIommuEnabled: false },
};

const FIRST = '0000:00:01.0';
const TYPE = 8n;

const groupOf = (label: string, number: number, rule = 'open/group'): Answered => [
  open(label, `/dev/vfio/noiommu-${number}`),
  rule,
];

const joins = (label: string, of: string, to: string, rule: string): Answered => [
  vfio(label, of, 'VFIO_GROUP_SET_CONTAINER', { fd: out(to) }),
  `VFIO_GROUP_SET_CONTAINER/${rule}`,
];

const leaves = (label: string, of: string, rule: string): Answered => [
  vfioPlain(label, of, 'VFIO_GROUP_UNSET_CONTAINER'),
  `VFIO_GROUP_UNSET_CONTAINER/${rule}`,
];

const device = (label: string, of: string, rule: string, name = FIRST): Answered => [
  getDeviceFd(label, of, name),
  `VFIO_GROUP_GET_DEVICE_FD/${rule}`,
];

const status = (label: string, of: string): Answered => [
  vfio(label, of, 'VFIO_GROUP_GET_STATUS', {}),
  'VFIO_GROUP_GET_STATUS/tells',
];

const compatType = (label: string, type: bigint, rule: string): Answered => [
  vfioPlain(label, 'iommufd', 'VFIO_SET_IOMMU', type),
  `VFIO_SET_IOMMU/${rule}`,
];

const compatExtension = (label: string, number: bigint, rule: string): Answered => [
  vfioPlain(label, 'iommufd', 'VFIO_CHECK_EXTENSION', number),
  rule.includes('/') ? rule : `VFIO_CHECK_EXTENSION/${rule}`,
];

const NO_IOAS = 'the compatibility IOAS/none';
const NOTHING_ELSE = 'VFIO calls on a legacy container/no-iommu';
const NO_TYPE = 'VFIO calls on a legacy container/no-type';

const vfioIoas = (label: string, op: bigint, ioas: Value, rule: string): Answered => [
  native(label, 'iommufd', 'IOMMU_VFIO_IOAS', { op, ioas_id: ioas }),
  `IOMMU_VFIO_IOAS/${rule}`,
];

/** A legacy container with group 0 and the only type that it can have. */
const LEGACY: readonly Answered[] = [
  opened,
  groupOf('group', 0),
  joins('join', 'group', 'container', 'joins-no-iommu'),
  setType('type', TYPE, 'no-iommu'),
];

/** An iommufd that serves group 0. */
const SERVING: readonly Answered[] = [
  ...OPENED,
  groupOf('group', 0),
  joins('join', 'group', 'iommufd', 'sets-no-iommu'),
];

const cdev = (label: string, number: number, rule = 'open/device'): Answered => [
  open(label, `/dev/vfio/devices/noiommu-vfio${number}`),
  rule,
];

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

export const NOIOMMU_GROUPS = [
  example(
    'a legacy container of a no-IOMMU group answers little, and nothing can be mapped',
    [
      opened,
      extension('before', TYPE, 'no-iommu'),
      extension('type1 before', 1n, 'type1'),
      groupOf('group', 0),
      status('alone', 'group'),
      joins('join', 'group', 'container', 'joins-no-iommu'),
      status('status-joined', 'group'),
      extension('joined', TYPE, 'no-iommu-groups'),
      extension('no type1', 1n, 'no-iommu-groups'),
      extension('no coherency', 4n, 'no-iommu-groups'),
      deviceOf('too early', 'group', FIRST, 'no-type'),
      [ioctl('early', 'container', 0x3b70, 0n), NO_TYPE],
      setType('type1', 3n, 'no-iommu-only'),
      setType('type', TYPE, 'no-iommu'),
      setType('again', TYPE, 'type-set'),
      extension('set', TYPE, 'no-iommu-groups'),
      extension('no unmap all', 9n, 'no-iommu-groups'),
      [ioctl('info', 'container', 0x3b70, 0n), NOTHING_ELSE],
      [ioctl('map', 'container', 0x3b71, 0n), NOTHING_ELSE],
      [ioctl('unmap', 'container', 0x3b72, 0n), NOTHING_ELSE],
      [ioctl('dirty', 'container', 0x3b75, 0n), NOTHING_ELSE],
    ],
    NOIOMMU,
  ),
  example(
    'a device without an IOMMU holds its group in a legacy container, and the last group takes the type with it',
    [
      ...LEGACY,
      deviceOf('device', 'group', FIRST),
      deviceOf('again', 'group', FIRST, 'opens-again'),
      leaves('busy', 'group', 'device-open'),
      groupOf('other', 1),
      joins('second', 'other', 'container', 'joins-no-iommu'),
      closes('group gone', 'group'),
      groupOf('still open', 0, 'open/group-busy'),
      leaves('second leaves', 'other', 'leaves'),
      closes('device gone', 'device'),
      [ioctl('still set', 'container', 0x3b70, 0n), NOTHING_ELSE],
      closes('last gone', 'again'),
      [ioctl('no type', 'container', 0x3b70, 0n), NO_TYPE],
      groupOf('free', 0),
    ],
    NOIOMMU_612,
  ),
  example(
    "no-IOMMU groups and others do not mix in a legacy container, and a mediated device's is of the others",
    [
      ...LEGACY,
      group('mediated', 3),
      joins('mixes', 'mediated', 'container', 'mixes'),
      leaves('leave', 'group', 'leaves'),
      joins('alone', 'mediated', 'container', 'joins'),
      joins('mixes too', 'group', 'container', 'mixes'),
      extension('none here', TYPE, 'no-iommu'),
      setType('not this type', TYPE, 'unknown-type'),
      setType('type1', 3n, 'version2'),
      deviceOf('mediated device', 'mediated', MDEV_NAME),
    ],
    NOIOMMU,
  ),
  example(
    'once the module parameter is off, groups that there are still join and get no type',
    [
      opened,
      extension('before', TYPE, 'no-iommu'),
      groupOf('group', 0),
      joins('join', 'group', 'container', 'joins-no-iommu'),
      extension('joined', TYPE, 'no-iommu-groups'),
      setType('type', TYPE, 'no-iommu-only'),
      leaves('leave', 'group', 'leaves'),
      ...OPENED,
      joins('join an iommufd', 'group', 'iommufd', 'sets-no-iommu'),
      compatExtension('still', TYPE, 'no-iommu'),
      compatType('compat type', TYPE, 'no-iommu'),
      device('device', 'group', 'opens-unbound'),
    ],
    SWITCHED_OFF,
  ),
  example(
    'an iommufd serves a no-IOMMU group without an IOAS, and opens its device before any type is set',
    [
      ...SERVING,
      status('joined', 'group'),
      compatExtension('offers-type', TYPE, 'no-iommu'),
      compatExtension('no type1', 1n, 'type1'),
      compatExtension('no coherency', 4n, NO_IOAS),
      device('device', 'group', 'opens-unbound'),
      compatType('type1', 1n, 'unknown-type'),
      compatType('type', TYPE, 'no-iommu'),
      compatType('again', TYPE, 'no-iommu'),
      [vfio('info', 'iommufd', 'VFIO_IOMMU_GET_INFO', {}), NO_IOAS],
      [ioctl('dirty', 'iommufd', 0x3b75, 0n), 'VFIO calls on an iommufd/unknown-number'],
      device('second', 'group', 'opens-again'),
      groupOf('other', 1),
      joins('second group', 'other', 'iommufd', 'sets-no-iommu'),
      leaves('leave', 'group', 'unsets-no-iommu'),
      device('no container', 'group', 'no-container'),
      closes('device gone', 'device'),
      closes('second gone', 'second'),
    ],
    NOIOMMU_612,
  ),
  example(
    'an iommufd takes no other group beside a no-IOMMU group, nor afterwards',
    [
      ...SERVING,
      group('mediated', 3),
      joins('mixes', 'mediated', 'iommufd', 'serves-no-iommu'),
      leaves('leave', 'group', 'unsets-no-iommu'),
      joins('afterwards', 'mediated', 'iommufd', 'serves-no-iommu'),
      [open('fresh'), 'open/iommufd'],
      joins('elsewhere', 'mediated', 'fresh', 'sets-first'),
      joins('has an IOAS', 'group', 'fresh', 'no-iommu-with-ioas'),
      joins('back', 'group', 'iommufd', 'sets-no-iommu'),
    ],
    NOIOMMU,
  ),
  example(
    'no device without an IOMMU is opened beside an IOAS for VFIO calls, unless it is open',
    [
      ...IOAS,
      groupOf('group', 0),
      joins('join', 'group', 'iommufd', 'sets-no-iommu'),
      device('before', 'group', 'opens-unbound'),
      vfioIoas('set', 1n, ioasId, 'sets'),
      device('once more', 'group', 'opens-again'),
      closes('gone', 'before'),
      closes('all gone', 'once more'),
      device('refused', 'group', 'no-iommu-with-ioas'),
      groupOf('other', 1),
      joins('refused too', 'other', 'iommufd', 'no-iommu-with-ioas'),
      compatType('no type1', 1n, 'unknown-type'),
      compatType('type', TYPE, 'no-iommu'),
      compatExtension('coherency of no domain', 4n, 'cache-coherent'),
      vfioIoas('clear', 2n, 0n, 'clears'),
      device('allowed', 'group', 'opens-unbound'),
    ],
    NOIOMMU,
  ),
  example(
    'a device that was got through an iommufd holds neither that nor its group',
    [
      ...SERVING,
      device('device', 'group', 'opens-unbound'),
      closes('group gone', 'group'),
      groupOf('again', 0),
      closes('iommufd gone', 'iommufd'),
      status('alone', 'again'),
      closes('again gone', 'again'),
      cdev('own', 0),
      [open('fresh'), 'open/iommufd'],
      [
        vfio('in use', 'own', 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: out('fresh') }),
        'VFIO_DEVICE_BIND_IOMMUFD/open-elsewhere',
      ],
      closes('device gone', 'device'),
      [
        vfio('free', 'own', 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: out('fresh') }),
        'VFIO_DEVICE_BIND_IOMMUFD/binds',
      ],
      groupOf('bound', 0, 'open/device-bound'),
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
