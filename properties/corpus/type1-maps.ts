// SPDX-License-Identifier: MIT
// Examples of maps in a legacy container: the order of the checks, charges, vaddrs that are removed and
// given again, and how v1 and v2 unmap.

import {
  DATA_OFFSET,
  NO_ACCESS_OFFSET,
  READ_ONLY_OFFSET,
  READ_ONLY_STRUCT_OFFSET,
  STRUCT_LENGTH,
} from '../../model/programs/arena.ts';
import { arena, memfd, mmap, munmap, out, vfio } from '../helpers/operations.ts';
import { PRIVILEGED, settingOf } from '../helpers/settings.ts';
import { type Answered, type Cited, cited, example, MIXED, VTD } from './example.ts';
import {
  ALL,
  DATA,
  dataAt,
  deviceOf,
  group,
  joins,
  LAST_PAGE,
  LIMITED_VTD,
  MIXED_612,
  maps,
  opened,
  PAGE,
  setType,
  unmaps,
  VTD_612,
  vtdWith,
  WITH_MEDIATED,
  withGroup,
} from './type1-steps.ts';

const info = (
  label: string,
  argsz: bigint,
  rule: Cited<'type1-get-info'>,
  length = 16,
): Answered => [
  vfio(label, 'container', 'VFIO_IOMMU_GET_INFO', { argsz }, { length }),
  cited('type1-get-info', rule),
];

const infoAt = (
  label: string,
  at: bigint,
  argsz: bigint,
  rule: Cited<'type1-get-info'>,
): Answered => [
  vfio(label, 'container', 'VFIO_IOMMU_GET_INFO', { argsz }, { at: arena(at), length: 16 }),
  cited('type1-get-info', rule),
];

const mapInvalid = (
  label: string,
  invalid: { at?: bigint; length?: number },
  rule: Cited<'type1-map-dma'>,
): Answered => [
  vfio(
    label,
    'container',
    'VFIO_IOMMU_MAP_DMA',
    { flags: 3n, vaddr: DATA, size: PAGE },
    {
      at: arena(invalid.at ?? 0n),
      ...(invalid.length === undefined ? {} : { length: invalid.length }),
    },
  ),
  cited('type1-map-dma', rule),
];

const unmapInvalid = (label: string, at: bigint, rule: Cited<'type1-unmap-dma'>): Answered => [
  vfio(label, 'container', 'VFIO_IOMMU_UNMAP_DMA', { size: PAGE }, { at: arena(at) }),
  cited('type1-unmap-dma', rule),
];

const STRUCT_END = STRUCT_LENGTH;
const TAKES = 'invalidates-vaddrs';

export const TYPE1_MAPS = [
  example(
    'GET_INFO returns all of its capabilities or none, and the size that it needs',
    [
      withGroup(),
      info('short', 15n, 'too-short'),
      info('least', 16n, 'reports-without-capabilities'),
      info('no room', 119n, 'reports-without-capabilities', 24),
      info('room', 120n, 'reports', 24),
      infoAt('nothing there', STRUCT_END, 120n, 'struct-fault'),
      infoAt('room that is not there', STRUCT_END - 64n, 120n, 'capability-fault'),
      infoAt('cannot be written', READ_ONLY_STRUCT_OFFSET, 24n, 'reply-fault'),
    ],
    VTD,
  ),
  example(
    'without a domain there are no ranges to report',
    [
      WITH_MEDIATED,
      info('room', 72n, 'reports', 24),
      info('no room', 71n, 'reports-without-capabilities', 24),
    ],
    MIXED,
  ),
  example(
    'refusals of maps, in the order of the checks of 7.3',
    [
      withGroup(),
      mapInvalid('fault', { at: STRUCT_END - 16n, length: 16 }, 'struct-fault'),
      maps('short', { argsz: 31n }, 'too-short'),
      maps('flags', { flags: 0x13n }, 'unknown-flags'),
      maps('no size', { size: 0n, flags: 0n }, 'zero-length'),
      maps('iova overflows', { iova: LAST_PAGE, size: 2n * PAGE, flags: 0n }, 'wraps'),
      maps('address overflows', { vaddr: LAST_PAGE, size: 2n * PAGE + 1n }, 'wraps'),
      maps('no flags', { flags: 0n, iova: 1n }, 'wrong-flags'),
      maps('address and read', { flags: 5n }, 'wrong-flags'),
      maps('iova', { iova: 1n }, 'misaligned'),
      maps('size', { size: PAGE + 1n }, 'misaligned'),
      maps('address', { vaddr: arena(DATA_OFFSET + 1n) }, 'misaligned'),
      maps('good', { size: 4n * PAGE }),
      maps('same', { size: 4n * PAGE }, 'overlaps'),
      maps('within', { iova: PAGE }, 'overlaps'),
      maps('reserved', { iova: 0xfee0_0000n }, 'outside-iova-ranges'),
      maps('across', { iova: 0xfedf_f000n, size: 2n * PAGE }, 'outside-iova-ranges'),
      maps('beyond', { iova: 0x1_0000_0000_0000n }, 'outside-iova-ranges'),
      maps('hole', { iova: 0x10_000n, vaddr: arena(0xff_000n) }, 'type1-pinning/not-mapped'),
      maps(
        'no access',
        { iova: 0x10_000n, vaddr: arena(NO_ACCESS_OFFSET), flags: 1n },
        'type1-pinning/not-accessible',
      ),
      maps(
        'not writable',
        { iova: 0x10_000n, vaddr: arena(READ_ONLY_OFFSET) },
        'type1-pinning/not-writable',
      ),
      maps('readable', { iova: 0x10_000n, vaddr: arena(READ_ONLY_OFFSET), flags: 1n }),
      maps('write only', { iova: 0x20_000n, flags: 2n }),
    ],
    VTD,
  ),
  example(
    'refusals of 6.12 that differ',
    [
      withGroup(),
      maps('no size', { size: 0n }, 'zero-length'),
      maps('no flags first', { size: 0n, flags: 0n }, 'wrong-flags'),
      maps('wraps', { iova: LAST_PAGE, size: 2n * PAGE }, 'wraps-einval'),
      unmaps('unmap wraps', { iova: LAST_PAGE, size: 2n * PAGE }, 'wraps-einval'),
      maps('map', { size: 2n * PAGE }),
      unmaps('the end of all', { iova: PAGE, size: LAST_PAGE }, 'cuts-first'),
      unmaps('all of it', { iova: 0n, size: LAST_PAGE }),
      maps('anew', { iova: PAGE }),
      unmaps('to the end', { iova: PAGE, size: LAST_PAGE }, 'unmaps-none-to-end'),
      maps('still there', { iova: PAGE }, 'overlaps'),
    ],
    VTD_612,
  ),
  example(
    '6.12 loses a map that ends with the last byte',
    [
      WITH_MEDIATED,
      maps('lost', { iova: LAST_PAGE }, 'maps-to-end'),
      unmaps('below', { iova: 0n, size: PAGE }),
      unmaps('across', { iova: 0n, size: LAST_PAGE }),
      unmaps('it', { iova: LAST_PAGE, size: PAGE }, 'unmaps-none-to-end'),
      unmaps('all', { iova: 0n, size: 0n, flags: 2n }, 'unmaps-none-missed'),
      maps('again', { iova: LAST_PAGE - PAGE, size: 2n * PAGE }, 'maps-to-end'),
      unmaps('a part', { iova: LAST_PAGE - PAGE, size: PAGE }, 'unmaps-none-missed'),
      maps('over it', { iova: LAST_PAGE - PAGE }, 'maps-over-missed'),
    ],
    MIXED_612,
  ),
  example(
    '7.3 finds it',
    [
      WITH_MEDIATED,
      maps('last', { iova: LAST_PAGE }),
      maps('again', { iova: LAST_PAGE }, 'overlaps'),
      unmaps('gone', { iova: LAST_PAGE, size: PAGE }),
      maps('free', { iova: LAST_PAGE }),
    ],
    MIXED,
  ),
  example(
    'pages beyond the end of a file cannot be pinned',
    [
      withGroup(),
      [memfd('file', PAGE + 1n), 'program-memory/creates-file'],
      [
        mmap('mapped', DATA_OFFSET, 3n * PAGE, 'read-write', {
          kind: 'memfd',
          fd: out('file'),
          offset: 0n,
        }),
        'program-memory/maps',
      ],
      maps('inside', { size: 2n * PAGE }),
      maps('behind', { iova: 4n * PAGE, size: 3n * PAGE }, 'type1-pinning/beyond-file'),
    ],
    VTD,
  ),
  example(
    'the number of maps is limited, and each unmap makes room',
    [
      withGroup(),
      maps('first'),
      maps('second', { iova: PAGE }),
      maps('full', { iova: 2n * PAGE }, 'too-many-maps'),
      maps('overlap first', { iova: PAGE }, 'overlaps'),
      unmaps('one gone', { size: PAGE }),
      maps('room', { iova: 2n * PAGE }),
      maps('outside', { iova: 0xfee0_0000n }, 'too-many-maps'),
    ],
    vtdWith({ dmaEntryLimit: 2 }),
  ),
  example(
    'each map is charged for its pages, even if they are the same, and uncharged',
    [
      withGroup(),
      maps('ten', { size: 10n * PAGE }),
      maps('the same', { iova: 0x10_000n, size: 10n * PAGE }),
      maps('full', { iova: 0x20_000n }, 'type1-locked-memory/process-limit'),
      unmaps('back', { size: 10n * PAGE }),
      maps(
        'hole behind the limit',
        {
          iova: 0x20_000n,
          vaddr: dataAt(40n),
          size: 30n * PAGE,
        },
        'type1-locked-memory/process-limit',
      ),
      [munmap('unmap', DATA_OFFSET + 45n * PAGE, PAGE), 'program-memory/unmaps'],
      maps(
        'hole before the limit',
        {
          iova: 0x20_000n,
          vaddr: dataAt(40n),
          size: 24n * PAGE,
        },
        'type1-pinning/not-mapped',
      ),
      maps('fits', { iova: 0x20_000n, size: 10n * PAGE }),
    ],
    LIMITED_VTD,
  ),
  example(
    'a BAR is mapped without a charge, as far as the program may write it',
    [
      withGroup(),
      [
        mmap('BAR', DATA_OFFSET, 2n * PAGE, 'read-write', { kind: 'device' }),
        'program-memory/maps',
      ],
      maps('both', { size: 4n * PAGE }),
      [mmap('read only', DATA_OFFSET, PAGE, 'read', { kind: 'device' }), 'program-memory/maps'],
      maps('write', { iova: 0x10_000n }, 'type1-pinning/bar-not-writable'),
      maps('read', { iova: 0x10_000n, flags: 1n }),
      [mmap('no access', DATA_OFFSET, PAGE, 'none', { kind: 'device' }), 'program-memory/maps'],
      maps('even so', { iova: 0x20_000n, flags: 1n }),
    ],
    VTD,
  ),
  example(
    'a vaddr is removed and another one set',
    [
      withGroup(),
      maps('map', { size: 2n * PAGE }),
      maps('valid', { flags: 4n, size: 2n * PAGE }, 'other-map'),
      maps('none', { flags: 4n, iova: 0x10_000n }, 'no-map'),
      maps('another', { iova: 0x10_000n }),
      unmaps('takes one', { flags: 4n, iova: 0x10_000n, size: PAGE }, TAKES),
      unmaps('twice', { flags: 4n, size: 0x20_000n }, 'vaddr-invalid'),
      maps('part', { flags: 4n, iova: 0x10_000n, size: 2n * PAGE }, 'other-map'),
      maps('gives', { flags: 4n, iova: 0x10_000n, vaddr: dataAt(5n) }, 'sets-vaddr'),
      unmaps('takes all', { flags: 6n }, TAKES),
      unmaps('invalid ones go too', ALL, 'unmaps-all'),
    ],
    VTD,
  ),
  example(
    'no vaddr is removed in a container with mdevs',
    [
      WITH_MEDIATED,
      maps('map'),
      deviceOf('device', 'mediated', 'mtty-1'),
      unmaps('busy', { flags: 4n, iova: 1n }, 'mdev-group'),
      unmaps('gone', { size: PAGE }),
    ],
    MIXED,
  ),
  example(
    'v2 unmaps whole maps',
    [
      withGroup(),
      maps('first', { size: 4n * PAGE }),
      maps('second', { iova: 4n * PAGE, size: 4n * PAGE }),
      [
        vfio(
          'fault',
          'container',
          'VFIO_IOMMU_UNMAP_DMA',
          {},
          { at: arena(STRUCT_END - 16n), length: 16 },
        ),
        'type1-unmap-dma/struct-fault',
      ],
      unmaps('short', { argsz: 23n }, 'too-short'),
      unmaps('flags', { flags: 8n }, 'unknown-flags'),
      unmaps('both', { flags: 3n }, 'unknown-flags'),
      unmaps('iova', { iova: 1n, size: PAGE }, 'misaligned-iova'),
      unmaps('size', { size: PAGE + 1n }, 'misaligned-length'),
      unmaps('no size', { size: 0n }, 'misaligned-length'),
      unmaps('all of some', { flags: 2n, size: PAGE }, 'all-with-range'),
      unmaps('overflows', { iova: LAST_PAGE, size: 2n * PAGE }, 'wraps'),
      unmaps('starts within', { iova: PAGE, size: 8n * PAGE }, 'cuts-first'),
      unmaps('ends within', { size: 5n * PAGE }, 'cuts-last'),
      unmaps('both maps', { size: 9n * PAGE }),
      unmaps('nothing', { size: 9n * PAGE }),
      maps('once more'),
      unmapInvalid('unwritable reply', READ_ONLY_STRUCT_OFFSET, 'reply-fault'),
      maps('it is gone'),
      unmaps('all', ALL, 'unmaps-all'),
    ],
    VTD,
  ),
  example(
    'v1 unmaps the maps that start in the range, and none if the range starts inside a map',
    [
      withGroup(1n),
      maps('first', { size: 4n * PAGE }),
      maps('second', { iova: 4n * PAGE, size: 4n * PAGE }),
      unmaps('within', { iova: PAGE, size: 7n * PAGE }, 'unmaps-from-starts'),
      maps('both there', { iova: 4n * PAGE }, 'overlaps'),
      unmaps('start of the first', { size: PAGE }, 'unmaps-from-starts'),
      maps('gone', { iova: 3n * PAGE }),
      unmaps('all', ALL, 'unmaps-all'),
    ],
    VTD,
  ),
  example(
    'two groups behind one IOMMU share a domain, and a second domain gets the maps that are there',
    [
      opened,
      group('six', 6),
      joins('join', 'six'),
      setType('type', 3n, 'v2'),
      maps('map', { size: 3n * PAGE, flags: 1n }),
      group('five', 5),
      joins('shares', 'five'),
      group('four', 4),
      joins('second domain', 'four'),
      maps('into both', { iova: 0x10_000n }),
      unmaps('out of both', { size: 3n * PAGE }),
    ],
    settingOf('mixed', PRIVILEGED, '6.12.95'),
  ),
];
