// SPDX-License-Identifier: MIT
// Examples of descriptors, the ioctl dispatch of native calls, and unknown numbers.

import { STRUCT_LENGTH } from '../../model/programs/arena.ts';
import {
  arena,
  close,
  getDeviceFd,
  ioctl,
  memfd,
  mmap,
  native,
  open,
  out,
} from '../helpers/operations.ts';
import { ACCESS, accessFd, example, IOAS, ioasId, OPENED, PAGE, VTD } from './example.ts';

const DEVICE_GET_INFO = 0x3b6b;
const BEYOND_TEST_COMMAND = 0x3ba1;
const NO_SUCH_NATIVE = 0x3b96;

export const DESCRIPTORS = [
  example('a closed descriptor is EBADF', [
    OPENED,
    [close('close', 'iommufd'), 'descriptors/closes'],
    [close('again', 'iommufd'), 'descriptors/bad-descriptor'],
    [ioctl('call', 'iommufd', 0x3b64, 0n), 'descriptors/bad-descriptor'],
  ]),
  example('an access and a file have no ioctls', [
    IOAS,
    ACCESS,
    [ioctl('onAccess', accessFd, 0x3b64, 0n), 'descriptors/no-ioctls'],
    [memfd('file', PAGE), 'program-memory/creates-file'],
    [ioctl('onFile', 'file', 0x3b64, 0n), 'descriptors/no-ioctls'],
  ]),
  example('numbers below and above the native ones are VFIO calls, also unknown ones', [
    OPENED,
    [ioctl('device', 'iommufd', DEVICE_GET_INFO, 0n), 'compat-dispatch/unknown-ioctl'],
    [ioctl('beyond', 'iommufd', BEYOND_TEST_COMMAND, 0n), 'compat-dispatch/unknown-ioctl'],
    [ioctl('version', 'iommufd', 0x3b64, 1n), 'compat-dispatch/api-version'],
  ]),
  example('an unknown native number is refused only after the size is read', [
    OPENED,
    [ioctl('unreadable', 'iommufd', NO_SUCH_NATIVE, 0n), 'ioctl-dispatch/size-fault'],
    [ioctl('readable', 'iommufd', NO_SUCH_NATIVE, arena(0n)), 'ioctl-dispatch/unknown-ioctl'],
  ]),
  example('the size is checked first, then the tail, then the struct', [
    IOAS,
    [native('short', 'iommufd', 'IOMMU_DESTROY', { size: 7n }), 'ioctl-dispatch/too-short'],
    [
      native(
        'zeros',
        'iommufd',
        'IOMMU_DESTROY',
        { size: 16n, id: ioasId },
        { tail: '00'.repeat(8) },
      ),
      'destroy/destroys',
    ],
    [
      native('tail', 'iommufd', 'IOMMU_DESTROY', { size: 16n }, { tail: '0000000000000001' }),
      'ioctl-dispatch/tail-not-zero',
    ],
    [
      native('cut', 'iommufd', 'IOMMU_DESTROY', { size: 16n }, { at: arena(STRUCT_LENGTH - 8n) }),
      'ioctl-dispatch/tail-fault',
    ],
    [
      native('half', 'iommufd', 'IOMMU_DESTROY', { size: 8n }, { at: arena(STRUCT_LENGTH - 4n) }),
      'ioctl-dispatch/struct-fault',
    ],
  ]),
  example('only a descriptor of a file can be mapped', [
    OPENED,
    [
      mmap('closed', 16n * PAGE, PAGE, 'read-write', { kind: 'memfd', fd: 77n, offset: 0n }),
      'program-memory/bad-descriptor',
    ],
    [
      mmap('first', 16n * PAGE, PAGE, 'read-write', { kind: 'memfd', fd: 77n, offset: 2048n }),
      'program-memory/misaligned',
    ],
    [
      mmap('iommufd itself', 16n * PAGE, PAGE, 'read-write', {
        kind: 'memfd',
        fd: out('iommufd'),
        offset: 0n,
      }),
      'program-memory/iommufd-private',
    ],
    [
      mmap(
        'shared',
        17n * PAGE,
        PAGE,
        'read-write',
        { kind: 'memfd', fd: out('iommufd'), offset: 0n },
        true,
      ),
      'program-memory/no-page',
    ],
    [open('container', '/dev/vfio/vfio'), 'open/container'],
    [
      mmap('container itself', 18n * PAGE, PAGE, 'read-write', {
        kind: 'memfd',
        fd: out('container'),
        offset: 0n,
      }),
      'program-memory/not-mappable',
    ],
  ]),
  example(
    'a group is open once, and a device is named within a page',
    [
      [open('group', '/dev/vfio/4'), 'open/group'],
      [open('again', '/dev/vfio/4'), 'open/group-open'],
      [open('other', '/dev/vfio/99'), 'open/no-group'],
      [open('zeros', '/dev/vfio/04'), 'open/no-group'],
      [getDeviceFd('long', 'group', 'A'.repeat(5000)), 'group-get-device-fd/name-too-long'],
      [getDeviceFd('none', 'group', '0000:00:09.0'), 'group-get-device-fd/no-device'],
      [
        getDeviceFd('option', 'group', '0000:00:04.0 vf_token=1'),
        'group-get-device-fd/unknown-option',
      ],
      [getDeviceFd('blank', 'group', '0000:00:04.0 '), 'group-get-device-fd/no-container'],
      [getDeviceFd('alone', 'group', '0000:00:04.0'), 'group-get-device-fd/no-container'],
    ],
    VTD,
  ),
];
