// SPDX-License-Identifier: MIT
// Examples of dirty pages in a legacy container: what is refused, and what the bitmap shows.

import { ARRAY_LENGTH, ARRAY_OFFSET, STRUCT_LENGTH } from '../../model/programs/arena.ts';
import type { Value } from '../../model/programs/program.ts';
import { arena, store, vfio } from '../helpers/operations.ts';
import { type Answered, type Cited, cited, example, MIXED, VTD } from './example.ts';
import {
  ALL,
  group,
  joins,
  LAST_PAGE,
  leaves,
  maps,
  PAGE,
  unmaps,
  VTD_612,
  WITH_MEDIATED,
  withGroup,
} from './type1-steps.ts';

type Fields = Readonly<Record<string, Value>>;

const dirty = (
  label: string,
  flags: bigint,
  rule: Cited<'type1-dirty-pages'>,
  fields: Fields = {},
): Answered => [
  vfio(label, 'container', 'VFIO_IOMMU_DIRTY_PAGES', { flags, ...fields }),
  cited('type1-dirty-pages', rule),
];

const starts = (label: string): Answered => dirty(label, 1n, 'starts');

const BITMAP: Fields = {
  bitmap_pgsize: PAGE,
  bitmap_size: 64n,
  bitmap_data: arena(ARRAY_OFFSET),
};

/** The dirty pages of 64 pages at 0, unless the fields say otherwise. */
const reports = (
  label: string,
  fields: Fields = {},
  rule: Cited<'type1-dirty-pages'> = 'reports',
): Answered => [
  vfio(label, 'container', 'VFIO_IOMMU_DIRTY_PAGES with bitmap', {
    flags: 4n,
    size: 64n * PAGE,
    ...BITMAP,
    ...fields,
  }),
  cited('type1-dirty-pages', rule),
];

const unmapsWith = (
  label: string,
  fields: Fields = {},
  rule: Cited<'type1-unmap-dma'> = 'unmaps',
): Answered => [
  vfio(label, 'container', 'VFIO_IOMMU_UNMAP_DMA with bitmap', {
    flags: 1n,
    size: 64n * PAGE,
    ...BITMAP,
    ...fields,
  }),
  cited('type1-unmap-dma', rule),
];

const ARRAY_END = ARRAY_OFFSET + ARRAY_LENGTH;
const STORES = 'program-memory/stores';
const KERNEL_ADDRESS = 0xffff_8000_0000_0000n;
const EIGHT_TEBIBYTES = 1n << 43n;

export const TYPE1_DIRTY = [
  example(
    'v1 has no dirty pages',
    [withGroup(1n), dirty('start', 1n, 'v1'), dirty('nonsense', 0n, 'v1')],
    VTD,
  ),
  example(
    'refusals of DIRTY_PAGES',
    [
      withGroup(),
      [
        vfio(
          'fault',
          'container',
          'VFIO_IOMMU_DIRTY_PAGES',
          {},
          { at: arena(STRUCT_LENGTH - 4n), length: 4 },
        ),
        'type1-dirty-pages/struct-fault',
      ],
      dirty('short', 1n, 'too-short', { argsz: 7n }),
      dirty('none', 0n, 'not-one-flag'),
      dirty('two', 3n, 'not-one-flag'),
      dirty('unknown', 8n, 'not-one-flag'),
      dirty('short range', 4n, 'too-short-for-range', { argsz: 47n }),
      [
        vfio(
          'range fault',
          'container',
          'VFIO_IOMMU_DIRTY_PAGES',
          { flags: 4n, argsz: 48n },
          { at: arena(STRUCT_LENGTH - 8n) },
        ),
        'type1-dirty-pages/range-struct-fault',
      ],
      reports('no size', { size: 0n }, 'zero-length'),
      reports('overflows', { iova: LAST_PAGE, size: 2n * PAGE }, 'wraps'),
      reports('in the kernel', { bitmap_data: KERNEL_ADDRESS }, 'bitmap-outside-user-memory'),
      reports('bitmap short', { bitmap_size: 7n }, 'bitmap-size'),
      reports('bitmap long', { bitmap_size: 0x1000_0001n }, 'bitmap-size'),
      reports('coarse', { bitmap_pgsize: 2n * PAGE }, 'wrong-page-size'),
      reports(
        'no page size',
        { bitmap_pgsize: 0n, size: PAGE, bitmap_size: PAGE },
        'wrong-page-size',
      ),
      reports('iova', { iova: 1n }, 'misaligned'),
      reports('not tracking', {}, 'not-tracking'),
      dirty('stop', 2n, 'stops'),
      starts('start'),
      starts('again'),
      maps('map', { size: 4n * PAGE }),
      reports('starts within', { iova: PAGE, size: 64n * PAGE }, 'cuts-first'),
      reports('ends within', { size: PAGE }, 'cuts-last'),
      reports('end of memory', { bitmap_data: arena(ARRAY_END - 4n) }, 'bitmap-fault'),
      reports('whole'),
      reports('the end of all', { iova: LAST_PAGE, size: PAGE }),
      dirty('stopped', 2n, 'stops'),
      dirty('twice', 2n, 'stops'),
    ],
    VTD,
  ),
  example(
    'refusals of 6.12 that differ',
    [
      withGroup(),
      starts('start'),
      reports('wraps', { iova: LAST_PAGE, size: 2n * PAGE }, 'wraps-einval'),
      reports('the end of all', { iova: LAST_PAGE, size: PAGE }, 'wraps-einval'),
      reports('no size', { size: 0n }, 'zero-length'),
    ],
    VTD_612,
  ),
  example(
    'every page that devices reach is dirty, and the bits next to them are kept',
    [
      withGroup(),
      starts('start'),
      maps('first', { size: 3n * PAGE }),
      maps('second', { iova: 5n * PAGE, size: 2n * PAGE }),
      maps('third', { iova: 60n * PAGE, size: 4n * PAGE }),
      [store('garbage', ARRAY_OFFSET, 'aa'.repeat(32)), STORES],
      reports('over garbage'),
      [store('clean', ARRAY_OFFSET, '00'.repeat(32)), STORES],
      reports('garbage again'),
      reports('from the second on', { iova: 5n * PAGE, size: 64n * PAGE }),
      reports('leftover cannot be read', { bitmap_data: arena(ARRAY_END) }, 'bitmap-fault'),
      reports('and is moved once more'),
    ],
    VTD,
  ),
  example(
    'an unmap can report the dirty pages of what it unmaps',
    [
      withGroup(),
      maps('first', { size: 3n * PAGE }),
      maps('second', { iova: 5n * PAGE, size: 2n * PAGE }),
      unmapsWith('not tracking', {}, 'not-tracking'),
      starts('start'),
      unmapsWith('short', { argsz: 47n }, 'too-short-for-bitmap'),
      [
        vfio(
          'fault',
          'container',
          'VFIO_IOMMU_UNMAP_DMA',
          { flags: 1n, argsz: 48n, size: PAGE },
          { at: arena(STRUCT_LENGTH - 24n) },
        ),
        'type1-unmap-dma/bitmap-struct-fault',
      ],
      unmapsWith('in the kernel', { bitmap_data: KERNEL_ADDRESS }, 'bitmap-outside-user-memory'),
      unmapsWith('bitmap short', { bitmap_size: 7n }, 'bitmap-size'),
      unmapsWith('coarse', { bitmap_pgsize: 2n * PAGE }, 'not-tracking'),
      unmapsWith('cuts', { size: 2n * PAGE }, 'cuts-last'),
      unmapsWith('end of memory', { bitmap_data: arena(ARRAY_END) }, 'bitmap-fault'),
      unmapsWith('both'),
      maps('free', { size: 64n * PAGE }),
    ],
    VTD,
  ),
  example(
    'without a domain no page is dirty, until a group leaves: then all are, once',
    [
      WITH_MEDIATED,
      maps('map', { size: 3n * PAGE }),
      starts('start'),
      reports('nothing'),
      group('four', 4),
      joins('first domain', 'four'),
      reports('all'),
      leaves('leave', 'four'),
      reports('all, still'),
      reports('nothing again'),
    ],
    MIXED,
  ),
  example(
    'a bitmap has an end',
    [
      WITH_MEDIATED,
      maps('long', { iova: 1n << 44n, size: EIGHT_TEBIBYTES }),
      dirty('cannot be tracked', 1n, 'too-many-pages'),
      unmaps('away', ALL, 'unmaps-all'),
      starts('start'),
      maps('too long', { iova: 1n << 44n, size: EIGHT_TEBIBYTES }, 'too-many-pages'),
    ],
    MIXED,
  ),
];
