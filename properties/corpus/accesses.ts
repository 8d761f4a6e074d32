// SPDX-License-Identifier: MIT
// Examples of accesses: what they pin, read and write, and when they unpin.

import {
  DATA_OFFSET,
  READ_ONLY_OFFSET,
  READ_ONLY_STRUCT_OFFSET,
} from '../../model/programs/arena.ts';
import { arena, close, munmap, native, out, store, test } from '../helpers/operations.ts';
import { ACCESS, ATTACHED, accessFd, example, IOAS, IOVA, ioasId, PAGE } from './example.ts';

const map = (label: string, iova: bigint, length: bigint, flags = 7n, offset = DATA_OFFSET) =>
  native(label, 'iommufd', 'IOMMU_IOAS_MAP', {
    flags,
    ioas_id: ioasId,
    user_va: arena(offset),
    length,
    iova,
  });

const pin = (label: string, iova: bigint, length: bigint, flags = 0n) =>
  test(label, 'iommufd', 'ACCESS_PAGES', { id: accessFd, iova, length, flags });

const refs = (label: string, count: bigint, length = PAGE) =>
  test(label, 'iommufd', 'MD_CHECK_REFS', { length, uptr: arena(DATA_OFFSET), refs: count });

const rw = (label: string, iova: bigint, length: bigint, flags: bigint) =>
  test(label, 'iommufd', 'ACCESS_RW', {
    id: accessFd,
    iova,
    length,
    uptr: arena(6n * PAGE),
    flags,
  });

const MAPS = 'ioas-map/maps';
const PINS = 'test-access-pages/pins';
const AGREES = 'test-md-check-refs/agrees';
const COPIES = 'test-access-rw/copies';
const WRITE = 1n;
const SLOW = 4n;

export const ACCESSES = [
  example('a page is pinned once by its domains, and once more by each pin', [
    IOAS,
    ATTACHED,
    ACCESS,
    [refs('free', 0n), AGREES],
    [map('map', IOVA, 2n * PAGE), MAPS],
    [refs('mapped', 1n), AGREES],
    [pin('pin', IOVA, PAGE), PINS],
    [refs('pinned', 1n, 2n * PAGE), AGREES],
    [refs('wrong', 2n), 'test-md-check-refs/differs'],
    [
      native('detach', 'iommufd', 'IOMMU_DESTROY', { id: out('mock', 'out_stdev_id') }),
      'destroy/destroys',
    ],
    [refs('still', 1n), AGREES],
    [
      test('unpin', 'iommufd', 'DESTROY_ACCESS_PAGES', {
        id: accessFd,
        access_pages_id: out('pin', 'out_access_pages_id'),
      }),
      'test-destroy-access-pages/unpins',
    ],
    [refs('gone', 0n), AGREES],
    [
      test('again', 'iommufd', 'DESTROY_ACCESS_PAGES', {
        id: accessFd,
        access_pages_id: out('pin', 'out_access_pages_id'),
      }),
      'test-destroy-access-pages/no-pin',
    ],
  ]),
  example('a pin whose reply cannot be written is undone, and its id is used up', [
    IOAS,
    ACCESS,
    [map('map', IOVA, PAGE), MAPS],
    [
      test(
        'unwritable reply',
        'iommufd',
        'ACCESS_PAGES',
        { id: accessFd, iova: IOVA, length: PAGE },
        { at: arena(READ_ONLY_STRUCT_OFFSET) },
      ),
      'respond/reply-fault',
    ],
    [refs('none', 0n), AGREES],
    [pin('pin', IOVA, PAGE), PINS],
  ]),
  example('an unmap makes accesses unpin, and a closed access has unpinned', [
    IOAS,
    ACCESS,
    [map('map', IOVA, PAGE), MAPS],
    [pin('pin', IOVA, PAGE), PINS],
    [refs('pinned', 1n), AGREES],
    [
      native('unmap', 'iommufd', 'IOMMU_IOAS_UNMAP', { ioas_id: ioasId, iova: IOVA, length: PAGE }),
      'ioas-unmap/unmaps',
    ],
    [refs('let go', 0n), AGREES],
    [map('again', IOVA, PAGE), MAPS],
    [pin('second', IOVA, PAGE), PINS],
    [close('close', accessFd), 'descriptors/closes'],
    [refs('closed', 0n), AGREES],
  ]),
  example('an access keeps the permissions of the area, and pins whole pages', [
    IOAS,
    ACCESS,
    [map('readable', IOVA, PAGE, 5n), MAPS],
    [pin('write', IOVA, PAGE, WRITE), 'accesses/not-permitted'],
    [pin('read', IOVA, PAGE), PINS],
    [rw('rw', IOVA, 8n, WRITE), 'accesses/not-permitted'],
    [pin('gap', IOVA, 2n * PAGE), 'accesses/not-mapped'],
    [pin('zero', IOVA, 0n), 'accesses/zero-length'],
    [pin('wraps', (1n << 64n) - PAGE, 2n * PAGE), 'accesses/wraps'],
    [pin('long', IOVA, 1n << 32n), 'test-access-pages/too-long'],
  ]),
  example('bytes written through an IOVA are read at the vaddr, and vice versa', [
    IOAS,
    ACCESS,
    [map('map', IOVA, 2n * PAGE), MAPS],
    [store('bytes', DATA_OFFSET + PAGE - 4n, '0102030405060708'), 'program-memory/stores'],
    [rw('read', IOVA + PAGE - 4n, 8n, 0n), COPIES],
    [rw('slowly', IOVA + PAGE - 4n, 8n, SLOW), COPIES],
    [rw('write', IOVA, 8n, WRITE), COPIES],
    [rw('write slowly', IOVA + 8n, 8n, WRITE | SLOW), COPIES],
    [rw('too far', IOVA + 2n * PAGE - 4n, 8n, 0n), 'accesses/not-mapped'],
  ]),
  example('memory that the program unmapped cannot be read, unless it is pinned', [
    IOAS,
    ACCESS,
    [map('map', IOVA, 2n * PAGE), MAPS],
    [pin('pin', IOVA, 2n * PAGE), PINS],
    [store('bytes', DATA_OFFSET, '0102030405060708'), 'program-memory/stores'],
    [munmap('unmap', DATA_OFFSET, 2n * PAGE), 'program-memory/unmaps'],
    [rw('read', IOVA, 8n, 0n), 'test-access-rw/memory-fault'],
    [rw('slowly', IOVA + PAGE - 4n, 8n, SLOW), COPIES],
    [rw('one page', IOVA, 8n, SLOW), 'pinning/not-mapped'],
  ]),
  example('an access that moves to another IOAS unpins', [
    IOAS,
    ACCESS,
    [map('map', IOVA, PAGE), MAPS],
    [pin('pin', IOVA, PAGE), PINS],
    [native('other', 'iommufd', 'IOMMU_IOAS_ALLOC', {}), 'ioas-alloc/allocates'],
    [
      test('move', 'iommufd', 'ACCESS_REPLACE_IOAS', {
        id: accessFd,
        ioas_id: out('other', 'out_ioas_id'),
      }),
      'test-access-replace-ioas/replaces',
    ],
    [refs('let go', 0n), AGREES],
    [native('free', 'iommufd', 'IOMMU_DESTROY', { id: ioasId }), 'destroy/destroys'],
  ]),
  example('read-only memory is pinned for reading', [
    IOAS,
    ACCESS,
    [map('map', IOVA, PAGE, 5n, READ_ONLY_OFFSET), MAPS],
    [pin('pin', IOVA, PAGE), PINS],
    [map('writable', IOVA + PAGE, PAGE, 7n, READ_ONLY_OFFSET), MAPS],
    [pin('write', IOVA + PAGE, PAGE, WRITE), 'pinning/not-writable'],
  ]),
];
