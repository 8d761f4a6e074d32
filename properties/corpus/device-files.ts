// SPDX-License-Identifier: MIT
// Examples of devices' own files: binding, attaching, detaching, and conflicts between them.

import {
  ARRAY_OFFSET,
  READ_ONLY_STRUCT_OFFSET,
  STRUCT_LENGTH,
} from '../../model/programs/arena.ts';
import type { Value } from '../../model/programs/program.ts';
import {
  arena,
  close,
  getDeviceFd,
  type Invalid,
  ioctl,
  memfd,
  native,
  open,
  out,
  vfio,
} from '../helpers/operations.ts';
import { PRIVILEGED, settingOf } from '../helpers/settings.ts';
import {
  type Answered,
  type Cited,
  cited,
  example,
  IOAS,
  IOVA,
  ioasId,
  MIXED,
  OPENED,
  PAGE,
  VTD,
} from './example.ts';

const MDEV = settingOf('mdev');
const VTD_612 = settingOf('vtd', PRIVILEGED, '6.12.95');

const BIND = 'VFIO_DEVICE_BIND_IOMMUFD';
const ATTACH = 'VFIO_DEVICE_ATTACH_IOMMUFD_PT';
const DETACH = 'VFIO_DEVICE_DETACH_IOMMUFD_PT';

type Fields = Readonly<Record<string, Value>>;

const cdev = (label: string, number = 0): Answered => [
  open(label, `/dev/vfio/devices/vfio${number}`),
  'open/device',
];
const bind = (
  label: string,
  of: string,
  rule: Cited<'device-bind-iommufd'>,
  fields: Fields = {},
  invalid?: Invalid,
): Answered => [
  vfio(label, of, BIND, { iommufd: out('iommufd'), ...fields }, invalid),
  cited('device-bind-iommufd', rule),
];
const attach = (
  label: string,
  target: Value,
  rule: Cited<'device-attach-iommufd-pt'> = 'attaches',
  fields: Fields = {},
  invalid?: Invalid,
): Answered => [
  vfio(label, 'device', ATTACH, { pt_id: target, ...fields }, invalid),
  cited('device-attach-iommufd-pt', rule),
];
const detach = (
  label: string,
  rule: Cited<'device-detach-iommufd-pt'>,
  fields: Fields = {},
  invalid?: Invalid,
): Answered => [
  vfio(label, 'device', DETACH, fields, invalid),
  cited('device-detach-iommufd-pt', rule),
];
const READ_ONLY: Invalid = { at: arena(READ_ONLY_STRUCT_OFFSET) };
/** So many bytes of a struct can be read. */
const readable = (length: number): Invalid => ({
  at: arena(STRUCT_LENGTH - BigInt(length)),
  length,
});

const deviceId = out('bind', 'out_devid');

/** An iommufd with an IOAS, and a device that is bound to it. */
const BOUND: readonly Answered[] = [...IOAS, cdev('device'), bind('bind', 'device', 'binds')];

const MAPPED: Answered = [
  native('map', 'iommufd', 'IOMMU_IOAS_MAP', {
    flags: 7n,
    ioas_id: ioasId,
    user_va: arena(ARRAY_OFFSET),
    length: PAGE,
    iova: IOVA,
  }),
  'ioas-map/maps',
];

const destroy = (label: string, id: Value, rule: Cited<'destroy'>): Answered => [
  native(label, 'iommufd', 'IOMMU_DESTROY', { id }),
  cited('destroy', rule),
];

export const DEVICE_FILES = [
  example(
    'a device is bound by its own file, attached, moved and detached, and goes with its descriptor',
    [
      ...BOUND,
      MAPPED,
      attach('attach', ioasId),
      destroy('device used', deviceId, 'in-use'),
      destroy('ioas used', ioasId, 'in-use'),
      attach('same', ioasId),
      [
        native('hwpt', 'iommufd', 'IOMMU_HWPT_ALLOC', { dev_id: deviceId, pt_id: ioasId }),
        'hwpt-alloc/allocates',
      ],
      attach('move', out('hwpt', 'out_hwpt_id')),
      destroy('automatic', out('attach', 'pt_id'), 'no-object'),
      destroy('hwpt used', out('hwpt', 'out_hwpt_id'), 'in-use'),
      detach('detach', 'detaches'),
      detach('again', 'detaches-nothing'),
      destroy('hwpt unused', out('hwpt', 'out_hwpt_id'), 'destroys'),
      attach('back', ioasId),
      [close('closed', 'device'), 'descriptors/closes'],
      destroy('gone', deviceId, 'no-object'),
      destroy('ioas unused', ioasId, 'destroys'),
    ],
    VTD,
  ),
  example(
    'an mdev is an access: it is attached to an IOAS, and no domain is made',
    [
      ...BOUND,
      MAPPED,
      attach('attach', ioasId),
      destroy('ioas used', ioasId, 'in-use'),
      [native('other', 'iommufd', 'IOMMU_IOAS_ALLOC', {}), 'ioas-alloc/allocates'],
      attach('move', out('other', 'out_ioas_id')),
      destroy('left', ioasId, 'destroys'),
      attach('itself', deviceId, 'attaching-access/no-ioas'),
      attach('unanswered', out('other', 'out_ioas_id'), 'reply-fault', {}, READ_ONLY),
      destroy('other unused', out('other', 'out_ioas_id'), 'destroys'),
      destroy('the device', deviceId, 'in-use'),
      detach('detach', 'detaches-nothing'),
    ],
    MDEV,
  ),
  example(
    'an mdev has no PASIDs and takes no token',
    [
      ...IOAS,
      cdev('device'),
      bind('token', 'device', 'token-unused', { flags: 1n }),
      bind('bind', 'device', 'binds'),
      attach('attach', ioasId, 'no-pasids', { flags: 1n, argsz: 12n }),
      detach('detach', 'no-pasids', { flags: 1n, argsz: 8n }),
    ],
    MDEV,
  ),
  example(
    'before it is bound a device has no call but one, and a second descriptor binds nothing',
    [
      ...OPENED,
      [open('none', '/dev/vfio/devices/vfio77'), 'open/no-device'],
      [open('zeros', '/dev/vfio/devices/vfio00'), 'open/no-device'],
      cdev('device'),
      [ioctl('info', 'device', 0x3b6b, 0n), 'device-dispatch/not-bound'],
      [ioctl('early', 'device', 0x3b77, 0n), 'device-dispatch/not-bound'],
      cdev('second'),
      bind('bind', 'device', 'binds'),
      bind('twice', 'device', 'bound'),
      bind('in use', 'second', 'open-elsewhere'),
      [close('closed', 'device'), 'descriptors/closes'],
      bind('free', 'second', 'binds'),
    ],
    VTD,
  ),
  example(
    "a group and its devices' own files keep each other out",
    [
      ...OPENED,
      cdev('device'),
      [open('group', '/dev/vfio/4'), 'open/group'],
      bind('group open', 'device', 'group-open'),
      [
        vfio('join', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: out('iommufd') }),
        'group-set-container/sets-first',
      ],
      [getDeviceFd('got', 'group', '0000:00:04.0'), 'group-get-device-fd/opens-first'],
      [vfio('of group', 'got', BIND, { iommufd: out('iommufd') }), 'device-bind-iommufd/of-group'],
      [vfio('attach', 'got', ATTACH, {}), 'device-dispatch/of-group'],
      [close('group closed', 'group'), 'descriptors/closes'],
      bind('device open', 'device', 'open-elsewhere'),
      [close('device closed', 'got'), 'descriptors/closes'],
      bind('bind', 'device', 'binds'),
      [open('again', '/dev/vfio/4'), 'open/device-bound'],
      [close('unbound', 'device'), 'descriptors/closes'],
      [open('at last', '/dev/vfio/4'), 'open/group'],
    ],
    VTD,
  ),
  example(
    'the devices of a group are bound to one iommufd, through the group or the cdev',
    [
      ...IOAS,
      [open('other'), 'open/iommufd'],
      cdev('device', 3),
      bind('bind', 'device', 'binds'),
      cdev('sibling', 4),
      [vfio('elsewhere', 'sibling', BIND, { iommufd: out('other') }), 'binding/group-owned'],
      bind('together', 'sibling', 'binds'),
    ],
    MIXED,
  ),
  example(
    'binding checks the struct, the flags, the group, the token and the descriptor, in this order',
    [
      ...OPENED,
      cdev('device'),
      [ioctl('unreadable', 'device', 0x3b76, 0n), 'device-bind-iommufd/struct-fault'],
      bind('short', 'device', 'too-short', { argsz: 15n }),
      bind('tail', 'device', 'tail-not-zero', { argsz: 32n }, { tail: '0000000000000001' }),
      bind('cut', 'device', 'tail-fault', { argsz: 32n }, readable(24)),
      bind('half', 'device', 'struct-fault', {}, readable(16)),
      bind('flags', 'device', 'unknown-flags', { flags: 2n }),
      bind('negative', 'device', 'negative-descriptor', { iommufd: 0xffff_ffffn }),
      bind('token', 'device', 'token-unused', { flags: 1n, token_uuid_ptr: arena(ARRAY_OFFSET) }),
      bind('no token', 'device', 'token-fault', { flags: 1n }),
      bind('closed', 'device', 'bad-descriptor', { iommufd: 77n }),
      bind('itself', 'device', 'not-an-iommufd', { iommufd: out('device') }),
      bind('unanswered', 'device', 'reply-fault', {}, READ_ONLY),
      bind('without token', 'device', 'binds', { argsz: 16n }, readable(16)),
    ],
    VTD,
  ),
  example(
    'a release without tokens and PASIDs takes no flags, and reads no further than it knows',
    [
      ...IOAS,
      cdev('device'),
      bind('unreadable', 'device', 'struct-fault', {}, readable(12)),
      bind('short', 'device', 'too-short', { argsz: 15n }),
      bind('token', 'device', 'unknown-flags', { flags: 1n }),
      bind('bind', 'device', 'binds', { argsz: 0xffff_ffffn }, readable(16)),
      attach('pasid', ioasId, 'unknown-flags', { flags: 1n }),
      attach('attach', ioasId),
      detach('pasid off', 'unknown-flags', { flags: 1n }),
      detach('detach', 'detaches'),
    ],
    VTD_612,
  ),
  example(
    'attaching checks the struct and the flags before it finds the target',
    [
      ...BOUND,
      attach('unreadable', ioasId, 'struct-fault', {}, readable(8)),
      attach('short', ioasId, 'too-short', { argsz: 11n }),
      attach('flags', ioasId, 'unknown-flags', { flags: 2n }),
      attach('no pasid', ioasId, 'too-short-for-pasid', { flags: 1n, argsz: 12n }),
      attach('pasid cut', ioasId, 'pasid-fault', { flags: 1n }, readable(12)),
      attach('large', 99n, 'pasid-too-large', { flags: 1n, pasid: 0x8000_0000n }),
      attach('none', 99n, 'attaching/no-target'),
      attach('itself', deviceId, 'attaching/not-a-target'),
      attach('pasid', ioasId, 'pasid-incompatible', { flags: 1n, pasid: 1n }),
      detach('unreadable off', 'struct-fault', {}, readable(4)),
      detach('short off', 'too-short', { argsz: 7n }),
      detach('flags off', 'unknown-flags', { flags: 2n }),
      detach('no pasid off', 'too-short-for-pasid', { flags: 1n, argsz: 8n }),
      detach('pasid cut off', 'pasid-fault', { flags: 1n }, readable(8)),
    ],
    VTD,
  ),
  example(
    'PASID 0 is the device itself: attached for one, it is not for the other',
    [
      ...BOUND,
      attach('zero', ioasId, 'attaches', { flags: 1n }),
      attach('plain', ioasId, 'attached-otherwise'),
      detach('plain off', 'detaches-nothing'),
      attach('unanswered', ioasId, 'reply-fault', { flags: 1n }, READ_ONLY),
      destroy('still used', ioasId, 'in-use'),
      detach('zero off', 'detaches', { flags: 1n }),
      attach('now', ioasId),
      attach('zero again', ioasId, 'attached-otherwise', { flags: 1n }),
      attach('unanswered now', ioasId, 'reply-fault', {}, READ_ONLY),
      destroy('unused', ioasId, 'destroys'),
    ],
    VTD,
  ),
  example(
    'a device that is attached to nothing is attached even if the reply cannot be written',
    [
      ...BOUND,
      [memfd('file', PAGE), 'program-memory/creates-file'],
      bind('to a file', 'device', 'bound', { iommufd: out('file') }),
      attach('unanswered', ioasId, 'reply-fault', {}, READ_ONLY),
      detach('nothing', 'detaches-nothing'),
      attach('attach', ioasId),
      [close('iommufd closed', 'iommufd'), 'descriptors/closes'],
      detach('detach', 'detaches'),
    ],
    VTD,
  ),
];
