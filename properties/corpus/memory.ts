// SPDX-License-Identifier: MIT
// Examples of what can be at an address: huge pages, a device's own memory, and pages beyond the end of a file.

import { DATA_OFFSET, HUGE_OFFSET, HUGE_PAGE } from '../../model/programs/arena.ts';
import type { RuleId } from '../../spec/rules.ts';
import { arena, memfd, mmap, munmap, native, open, out, test } from '../helpers/operations.ts';
import { type Answered, ATTACHED, example, IOAS, IOVA, ioasId, PAGE } from './example.ts';

const MAPPED = 'program-memory/maps';
const HUGE = { kind: 'huge' } as const;

const map = (
  label: string,
  iova: bigint,
  address: bigint,
  length: bigint,
  rule: RuleId = 'ioas-map/maps',
): Answered => [
  native(label, 'iommufd', 'IOMMU_IOAS_MAP', {
    flags: 7n,
    ioas_id: ioasId,
    user_va: arena(address),
    length,
    iova,
  }),
  rule,
];

const looked = (label: string, iova: bigint, address: bigint): Answered => [
  test(label, 'iommufd', 'MD_CHECK_MAP', {
    id: out('mock', 'out_hwpt_id'),
    iova,
    length: PAGE,
    uptr: arena(address),
  }),
  'test-md-check-map/agrees',
];

export const MEMORY = [
  example('huge pages are mapped to devices in part, and stay when the program unmaps them', [
    IOAS,
    ATTACHED,
    [mmap('huge', HUGE_OFFSET, 2n * HUGE_PAGE, 'read-write', HUGE), MAPPED],
    map('across', IOVA, HUGE_OFFSET + HUGE_PAGE - PAGE, 2n * PAGE),
    looked('first', IOVA, HUGE_OFFSET + HUGE_PAGE - PAGE),
    looked('second', IOVA + PAGE, HUGE_OFFSET + HUGE_PAGE),
    [
      test('pins', 'iommufd', 'MD_CHECK_REFS', {
        length: PAGE,
        uptr: arena(HUGE_OFFSET),
        refs: 77n,
      }),
      'test-md-check-refs/agrees',
    ],
    [munmap('unmap', HUGE_OFFSET, HUGE_PAGE), 'program-memory/unmaps'],
    map('gone', IOVA + 4n * PAGE, HUGE_OFFSET, PAGE, 'pinning/not-mapped'),
  ]),
  example('huge pages are mapped and unmapped whole', [
    [open('iommufd'), 'open/iommufd'],
    [
      mmap('not whole', HUGE_OFFSET + PAGE, HUGE_PAGE, 'read-write', HUGE),
      'program-memory/misaligned',
    ],
    [mmap('huge', HUGE_OFFSET, HUGE_PAGE, 'read-write', HUGE), MAPPED],
    [munmap('cut', HUGE_OFFSET, PAGE), 'program-memory/cuts-huge-page'],
    [mmap('over', HUGE_OFFSET + PAGE, PAGE), 'program-memory/cuts-huge-page'],
    [munmap('whole', HUGE_OFFSET, HUGE_PAGE), 'program-memory/unmaps'],
  ]),
  example('a device’s own memory cannot be pinned, but structs may be there', [
    IOAS,
    ATTACHED,
    [mmap('BAR', DATA_OFFSET, PAGE, 'read-write', { kind: 'device' }), MAPPED],
    map('map', IOVA, DATA_OFFSET, PAGE, 'pinning/not-memory'),
    [
      native('more', 'iommufd', 'IOMMU_IOAS_ALLOC', {}, { at: arena(DATA_OFFSET) }),
      'ioas-alloc/allocates',
    ],
  ]),
  example('pages beyond the end of the file are mapped but cannot be read', [
    IOAS,
    ATTACHED,
    [memfd('file', PAGE + 1n), 'program-memory/creates-file'],
    [
      mmap('within', DATA_OFFSET, PAGE, 'read-write', {
        kind: 'memfd',
        fd: out('file'),
        offset: 2048n,
      }),
      'program-memory/misaligned',
    ],
    [
      mmap('mapped', DATA_OFFSET, 3n * PAGE, 'read-write', {
        kind: 'memfd',
        fd: out('file'),
        offset: 0n,
      }),
      MAPPED,
    ],
    map('inside', IOVA, DATA_OFFSET, 2n * PAGE),
    map('behind', IOVA + 4n * PAGE, DATA_OFFSET + PAGE, 2n * PAGE, 'pinning/beyond-file'),
    [
      native('struct', 'iommufd', 'IOMMU_IOAS_ALLOC', {}, { at: arena(DATA_OFFSET + 2n * PAGE) }),
      'ioctl-dispatch/size-fault',
    ],
  ]),
];
