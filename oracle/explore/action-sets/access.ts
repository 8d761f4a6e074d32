// SPDX-License-Identifier: MIT
// Accesses of an IOAS: their pins, unmaps of pinned pages, and moves to another IOAS.

import { ARRAY_OFFSET } from '../../../model/programs/arena.ts';
import type { Value } from '../../../model/programs/program.ts';
import { MAP_FIXED_IOVA, MAP_READABLE, MAP_WRITEABLE } from '../../../spec/abi/native.ts';
import {
  ACCESS_NEEDS_PIN_PAGES,
  MOCK_ACCESS_RW_SLOW_PATH,
  MOCK_ACCESS_RW_WRITE,
  MOCK_FLAGS_ACCESS_WRITE,
} from '../../../spec/abi/test.ts';
import type { Action, ActionSet, Handle } from '../actions.ts';
import { close, handle, MOST, native, open, PAGE, test } from '../calls.ts';
import { DATA, END, FIRST, memoryFor, SECOND } from './memory-ranges.ts';

const FLAGS = BigInt(MAP_FIXED_IOVA | MAP_READABLE | MAP_WRITEABLE);
const BUFFER: Value = { arena: ARRAY_OFFSET };
const WRITES_SLOWLY = MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH;
const TO_READ = BigInt(MAP_FIXED_IOVA | MAP_READABLE);

const map = (name: string, ioas: Handle, iova: bigint, length: bigint, flags = FLAGS): Action =>
  native(`map ${name} in ${ioas}`, 'IOMMU_IOAS_MAP', {
    flags,
    ioas_id: handle(ioas),
    user_va: iova >= FIRST && iova < END ? memoryFor(iova) : DATA,
    length,
    iova,
  });

const unmap = (name: string, ioas: Handle, iova: bigint, length: bigint): Action =>
  native(`unmap ${name} in ${ioas}`, 'IOMMU_IOAS_UNMAP', { ioas_id: handle(ioas), iova, length });

const create = (name: string, ioas: Handle, flags: bigint): Action =>
  test(name, 'CREATE_ACCESS', { id: handle(ioas), flags }, { unless: ['access 2'] });

const pin = (name: string, access: Handle, iova: bigint, length: bigint, flags = 0n): Action =>
  test(
    `${access} pins ${name}`,
    'ACCESS_PAGES',
    { id: handle(access), iova, length, flags },
    access === 'access 1' ? { unless: ['pin 3'] } : {},
  );

const unpin = (which: Handle): Action =>
  test(`access 1 lets go of ${which}`, 'DESTROY_ACCESS_PAGES', {
    id: handle('access 1'),
    access_pages_id: handle(which),
  });

/** The bytes that it reads and writes outside the struct do not matter: no action reads them. */
const copies = (name: string, iova: bigint, length: bigint, flags = 0): Action =>
  test(`access 1 ${name}`, 'ACCESS_RW', {
    id: handle('access 1'),
    iova,
    length,
    uptr: BUFFER,
    flags: BigInt(flags),
  });

/** The number belongs to the access's iommufd, whichever iommufd the call is made on. */
const move = (to: Handle): Action =>
  test(
    `move access 1 to ${to}`,
    'ACCESS_REPLACE_IOAS',
    { id: handle('access 1'), ioas_id: handle(to) },
    { unless: ['closed iommufd 1'] },
  );

const NEEDS_PINS = BigInt(ACCESS_NEEDS_PIN_PAGES);

export const ACCESS: ActionSet = {
  name: 'access',
  says: 'Accesses of two IOAS: their pins, next to a mock device and a copy, and unmaps of pinned pages.',
  platform: 'mock',
  depth: 8,
  actions: [
    open('open', '/dev/iommu', 'iommufd 1'),
    native('IOAS', 'IOMMU_IOAS_ALLOC', {}, { unless: ['ioas 2'] }),
    map('1 page', 'ioas 1', FIRST, PAGE),
    map('2 pages', 'ioas 1', FIRST, 2n * PAGE),
    map('the second page', 'ioas 1', SECOND, PAGE),
    map('to read', 'ioas 1', FIRST, PAGE, TO_READ),
    map('the last page', 'ioas 1', END, PAGE),
    map('1 page', 'ioas 2', FIRST, PAGE),
    native('copy 1 page to ioas 2', 'IOMMU_IOAS_COPY', {
      flags: FLAGS,
      dst_ioas_id: handle('ioas 2'),
      src_ioas_id: handle('ioas 1'),
      length: PAGE,
      dst_iova: SECOND,
      src_iova: FIRST,
    }),
    unmap('1 page', 'ioas 1', FIRST, PAGE),
    unmap('2 pages', 'ioas 1', FIRST, 2n * PAGE),
    unmap('everything', 'ioas 1', 0n, MOST),
    unmap('everything', 'ioas 2', 0n, MOST),
    create('user that pins in ioas 1', 'ioas 1', NEEDS_PINS),
    create('user that pins in ioas 2', 'ioas 2', NEEDS_PINS),
    create('user that cannot pin in ioas 1', 'ioas 1', 0n),
    create('user with unknown flags', 'ioas 1', 2n),
    pin('1 page', 'access 1', FIRST, PAGE),
    pin('2 pages', 'access 1', FIRST, 2n * PAGE),
    pin('the second page', 'access 1', SECOND, PAGE),
    pin('1 page to write', 'access 1', FIRST, PAGE, BigInt(MOCK_FLAGS_ACCESS_WRITE)),
    pin('a byte', 'access 1', FIRST + 1n, 1n),
    pin('nothing', 'access 1', FIRST, 0n),
    pin('the last page', 'access 1', END, PAGE),
    pin('behind the last page', 'access 1', END, 2n * PAGE),
    pin('1 page', 'access 2', FIRST, PAGE),
    unpin('pin 1'),
    unpin('pin 2'),
    copies('reads 1 page', FIRST, PAGE),
    copies('writes 1 page', FIRST, PAGE, MOCK_ACCESS_RW_WRITE),
    copies('writes 2 pages by what is pinned', FIRST, 2n * PAGE, WRITES_SLOWLY),
    copies('reads nothing', FIRST, 0n),
    move('ioas 1'),
    move('ioas 2'),
    test('move access 1 to nothing', 'ACCESS_REPLACE_IOAS', { id: handle('access 1') }),
    test(
      'mock device on ioas 1',
      'MOCK_DOMAIN',
      { id: handle('ioas 1') },
      { unless: ['selftest 1'] },
    ),
    native('destroy the mock device', 'IOMMU_DESTROY', { id: handle('selftest 1') }),
    native('destroy ioas 1', 'IOMMU_DESTROY', { id: handle('ioas 1') }),
    native('destroy ioas 2', 'IOMMU_DESTROY', { id: handle('ioas 2') }),
    close('access 1'),
    close('access 2'),
    close('iommufd 1'),
  ],
};
