// SPDX-License-Identifier: MIT
// Examples of no-IOMMU groups: under a legacy container, under an iommufd, and together with other groups.

import type { Value } from '../../model/programs/program.ts';
import { MDEV_NAME } from '../../spec/terms/platforms.ts';
import { getDeviceFd, ioctl, native, open, out, vfio, vfioPlain } from '../helpers/operations.ts';
import { type Answered, type Cited, cited, example, IOAS, ioasId, OPENED } from './example.ts';
import { cdev, groupOf, NOIOMMU, NOIOMMU_612, TYPE } from './noiommu-steps.ts';
import { closes, deviceOf, extension, group, opened, setType } from './type1-steps.ts';

const FIRST = '0000:00:01.0';
const joins = (
  label: string,
  of: string,
  to: string,
  rule: Cited<'group-set-container'>,
): Answered => [
  vfio(label, of, 'VFIO_GROUP_SET_CONTAINER', { fd: out(to) }),
  cited('group-set-container', rule),
];

const leaves = (label: string, of: string, rule: Cited<'group-unset-container'>): Answered => [
  vfioPlain(label, of, 'VFIO_GROUP_UNSET_CONTAINER'),
  cited('group-unset-container', rule),
];

const device = (
  label: string,
  of: string,
  rule: Cited<'group-get-device-fd'>,
  name = FIRST,
): Answered => [getDeviceFd(label, of, name), cited('group-get-device-fd', rule)];

const status = (label: string, of: string): Answered => [
  vfio(label, of, 'VFIO_GROUP_GET_STATUS', {}),
  'group-get-status/reports',
];

const compatType = (label: string, type: bigint, rule: Cited<'compat-set-iommu'>): Answered => [
  vfioPlain(label, 'iommufd', 'VFIO_SET_IOMMU', type),
  cited('compat-set-iommu', rule),
];

const compatExtension = (
  label: string,
  number: bigint,
  rule: Cited<'compat-check-extension'>,
): Answered => [
  vfioPlain(label, 'iommufd', 'VFIO_CHECK_EXTENSION', number),
  cited('compat-check-extension', rule),
];

const NO_IOAS = 'compat-ioas/none';
const NOTHING_ELSE = 'type1-dispatch/no-iommu';
const NO_TYPE = 'type1-dispatch/no-type';

const vfioIoas = (label: string, op: bigint, ioas: Value, rule: Cited<'vfio-ioas'>): Answered => [
  native(label, 'iommufd', 'IOMMU_VFIO_IOAS', { op, ioas_id: ioas }),
  cited('vfio-ioas', rule),
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

/** The module parameter was switched off after the devices had got their groups. */
const SWITCHED_OFF = {
  ...NOIOMMU,
  platform: { ...NOIOMMU.platform, noIommuEnabled: false },
};

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
    'a device without an IOMMU keeps its group in a legacy container, and the last group takes the type with it',
    [
      ...LEGACY,
      deviceOf('device', 'group', FIRST),
      deviceOf('again', 'group', FIRST, 'opens-again'),
      leaves('busy', 'group', 'device-open'),
      groupOf('other', 1),
      joins('second', 'other', 'container', 'joins-no-iommu'),
      closes('group gone', 'group'),
      groupOf('still open', 0, 'open/group-open'),
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
    "no-IOMMU groups and others do not mix in a legacy container; an mdev's group is one of the others",
    [
      ...LEGACY,
      group('mediated', 3),
      joins('mixes', 'mediated', 'container', 'mixes-no-iommu'),
      leaves('leave', 'group', 'leaves'),
      joins('alone', 'mediated', 'container', 'joins'),
      joins('mixes too', 'group', 'container', 'mixes-no-iommu'),
      extension('none here', TYPE, 'no-iommu'),
      setType('not this type', TYPE, 'unknown-type'),
      setType('type1', 3n, 'v2'),
      deviceOf('mdev', 'mediated', MDEV_NAME),
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
      [ioctl('dirty', 'iommufd', 0x3b75, 0n), 'compat-dispatch/unknown-ioctl'],
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
    'an iommufd with a no-IOMMU group takes no other group, then or later',
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
        'device-bind-iommufd/open-elsewhere',
      ],
      closes('device gone', 'device'),
      [
        vfio('free', 'own', 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: out('fresh') }),
        'device-bind-iommufd/binds',
      ],
      groupOf('bound', 0, 'open/device-bound'),
    ],
    NOIOMMU,
  ),
];
