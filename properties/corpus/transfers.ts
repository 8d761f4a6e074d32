// SPDX-License-Identifier: MIT
// Examples of what a device reaches, and of what the kernel reports of a process's own memory.

import { DATA_OFFSET } from '../../model/programs/arena.ts';
import type { Value } from '../../model/programs/program.ts';
import type { RuleId } from '../../spec/rules.ts';
import {
  arena,
  dma,
  getDeviceFd,
  memfd,
  native,
  open,
  out,
  status,
  store,
  vfio,
} from '../helpers/operations.ts';
import { LIMITED, PRIVILEGED, settingOf } from '../helpers/settings.ts';
import { type Answered, example, IOAS, IOVA, ioasId, PAGE, VTD } from './example.ts';
import { deviceOf, leaves, maps, unmaps, withGroup } from './type1-steps.ts';

const MOVES = 'dma/transfers';
const STOPS = 'dma/faults';
const UNREAD = 'dma/nothing-read';

/** The device of a group, attached to the IOAS of VFIO calls. */
const device = (name: string, group: number): readonly Answered[] => [
  [open('group', `/dev/vfio/${group}`), 'open/group'],
  [
    vfio('join', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: out('iommufd') }),
    'group-set-container/sets',
  ],
  [getDeviceFd('device', 'group', name), 'group-get-device-fd/opens-first'],
];

const SET: Answered = [
  native('set', 'iommufd', 'IOMMU_VFIO_IOAS', { op: 1n, ioas_id: ioasId }),
  'vfio-ioas/sets',
];

const EDU = device('0000:00:04.0', 4);

const map = (label: string, iova: bigint, offset: bigint, length = PAGE, flags = 7n): Answered => [
  native(label, 'iommufd', 'IOMMU_IOAS_MAP', {
    flags,
    ioas_id: ioasId,
    user_va: arena(DATA_OFFSET + offset),
    length,
    iova,
  }),
  'ioas-map/maps',
];

const unmap = (iova: bigint, length: bigint): Answered => [
  native('unmap', 'iommufd', 'IOMMU_IOAS_UNMAP', { ioas_id: ioasId, iova, length }),
  'ioas-unmap/unmaps',
];

const bytes = (label: string, offset: bigint, hex: string): Answered => [
  store(label, DATA_OFFSET + offset, hex),
  'program-memory/stores',
];

const read = (label: string, iova: Value, rule: RuleId = MOVES, length = 8): Answered => [
  dma(label, 'device', 'read', iova, length),
  rule,
];

const write = (
  label: string,
  iova: Value,
  look: bigint,
  rule: RuleId = MOVES,
  length = 8,
): Answered => [dma(label, 'device', 'write', iova, length, DATA_OFFSET + look), rule];

const pinned = (label: string): Answered => [status(label, 'VmPin'), 'proc-status/pinned'];
const locked = (label: string): Answered => [status(label, 'VmLck'), 'proc-status/locked'];

export const TRANSFERS = [
  example(
    'a device moves bytes between two maps, also across areas',
    [
      IOAS,
      SET,
      EDU,
      bytes('bytes', PAGE - 4n, '0102030405060708'),
      map('first', IOVA, 0n),
      map('second', IOVA + PAGE, PAGE),
      map('far', 0x7fff_0000_0000n, 4n * PAGE),
      read('read', IOVA + PAGE - 4n),
      write('write', 0x7fff_0000_0000n, 4n * PAGE),
    ],
    VTD,
  ),
  example(
    'a device does not write through a read-only map, and reads zeros through a write-only map',
    [
      IOAS,
      SET,
      EDU,
      bytes('bytes', 0n, '01020304050607080910'),
      map('both', IOVA, 0n),
      map('read only', IOVA + 2n * PAGE, PAGE, PAGE, 5n),
      map('write only', IOVA + 4n * PAGE, 2n * PAGE, PAGE, 3n),
      read('read', IOVA),
      write('refused', IOVA + 2n * PAGE, PAGE, STOPS),
      write('granted', IOVA + 4n * PAGE, 2n * PAGE),
      read('zeros', IOVA + 4n * PAGE, STOPS),
      write('shows zeros', IOVA, 0n),
    ],
    VTD,
  ),
  example(
    'a writable map is also readable on VT-d of some releases',
    [
      IOAS,
      SET,
      EDU,
      bytes('bytes', 0n, '01020304050607080910'),
      map('write only', IOVA, 0n, PAGE, 3n),
      map('both', IOVA + PAGE, PAGE),
      read('read', IOVA),
      write('shows it', IOVA + PAGE, PAGE),
    ],
    settingOf('vtd', PRIVILEGED, '6.12.95'),
  ),
  example(
    'a device reaches nothing after an area, before a map and after an unmap',
    [
      IOAS,
      SET,
      EDU,
      bytes('bytes', 0n, '01020304050607080910'),
      read('before', IOVA, STOPS, 16),
      map('map', IOVA, 0n),
      write('end', IOVA + PAGE - 8n, PAGE - 8n, STOPS, 16),
      read('mapped', IOVA),
      bytes('other bytes', 0n, 'ffffffffffffffff'),
      unmap(IOVA, PAGE),
      write('unmapped', IOVA, 0n, STOPS),
    ],
    VTD,
  ),
  example(
    'through a legacy container a device reaches what is mapped, and BARs are not tracked',
    [
      withGroup(),
      deviceOf('device', 'group', '0000:00:04.0'),
      bytes('bytes', 0n, '01020304050607080910'),
      read('before', 0n, STOPS, 16),
      maps('both'),
      maps('read only', { flags: 1n, iova: 2n * PAGE, vaddr: arena(DATA_OFFSET + PAGE) }),
      maps('far', { iova: 0x7fff_0000_0000n, vaddr: arena(DATA_OFFSET + 4n * PAGE) }),
      read('read', 2n),
      write('granted', 0x7fff_0000_0ff0n, 5n * PAGE - 16n),
      write('refused', 2n * PAGE, PAGE, STOPS),
      unmaps('unmap', { iova: 0x7fff_0000_0000n, size: PAGE }),
      write('unmapped', 0x7fff_0000_0000n, 4n * PAGE, STOPS),
    ],
    VTD,
  ),
  example(
    'memory that a program has locked by itself counts against maps of type1 alone',
    [
      withGroup(),
      locked('before'),
      maps('as much as is left', { size: 12n * PAGE }),
      locked('full'),
      maps('more', { iova: 0x10_0000n }, 'type1-locked-memory/process-limit'),
      leaves('leaves', 'group'),
      locked('after'),
      IOAS,
      SET,
      [
        vfio('join iommufd', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: out('iommufd') }),
        'group-set-container/sets',
      ],
      [getDeviceFd('device', 'group', '0000:00:04.0'), 'group-get-device-fd/opens-first'],
      map('all', IOVA, 0n, 20n * PAGE),
      locked('still'),
    ],
    { ...VTD, credentials: { ...LIMITED, lockedBefore: 8 } },
  ),
  example(
    'only a bound device with an engine moves memory, and it writes only what it read',
    [
      IOAS,
      SET,
      EDU,
      write('nothing yet', IOVA, 0n, UNREAD),
      read('a little', IOVA, STOPS, 4),
      write('too much', IOVA, 0n, UNREAD),
      [dma('container', 'iommufd', 'read', IOVA, 8), 'dma/no-engine'],
      [memfd('file', PAGE), 'program-memory/creates-file'],
      [dma('on file', 'file', 'read', IOVA, 8), 'dma/no-engine'],
      [dma('closed', 199n, 'read', IOVA, 8), 'dma/bad-descriptor'],
    ],
    VTD,
  ),
  example(
    'a device without an engine moves no memory',
    [
      IOAS,
      SET,
      device('0000:00:05.0', 5),
      [dma('read', 'device', 'read', IOVA, 8), 'dma/no-engine'],
    ],
    VTD,
  ),
  example(
    'memory that is pinned for a user is reported as pinned and not as locked',
    [
      IOAS,
      SET,
      pinned('nothing'),
      map('map', IOVA, 0n, 2n * PAGE),
      pinned('mapped without a device'),
      EDU,
      pinned('mapped'),
      locked('locked'),
      unmap(IOVA, 2n * PAGE),
      pinned('unmapped'),
    ],
    settingOf('vtd', LIMITED),
  ),
];
