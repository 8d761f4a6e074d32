// SPDX-License-Identifier: MIT
// Ranges that tests, devices and domains reserve, mock devices with every flag, and maps next to them.

import { ARRAY_OFFSET } from '../../../model/programs/arena.ts';
import type { Value } from '../../../model/programs/program.ts';
import {
  HWPT_ALLOC_DIRTY_TRACKING,
  MAP_FIXED_IOVA,
  MAP_READABLE,
  MAP_WRITEABLE,
} from '../../../spec/abi/native.ts';
import {
  MOCK_FLAGS_DEVICE_HUGE_IOVA,
  MOCK_FLAGS_DEVICE_NO_DIRTY,
  MOCK_FLAGS_DEVICE_PASID,
} from '../../../spec/abi/test.ts';
import type { Action, ActionSet } from '../actions.ts';
import { close, handle, MOST, native, open, PAGE, test } from '../calls.ts';
import { APERTURE_END, DATA, END, FIRST, memoryFor, SECOND } from './memory-ranges.ts';

const BOTH = BigInt(MAP_READABLE | MAP_WRITEABLE);
const FIXED = BigInt(MAP_FIXED_IOVA);
const RANGES: Value = { arena: ARRAY_OFFSET };

const reserve = (name: string, start: bigint, length: bigint): Action =>
  test(
    `reserve ${name}`,
    'ADD_RESERVED',
    { id: handle('ioas 1'), start, length },
    { unless: ['reserved range 2'] },
  );

const map = (name: string, iova: bigint, length: bigint, flags = FIXED | BOTH, va = DATA): Action =>
  native(`map ${name}`, 'IOMMU_IOAS_MAP', {
    flags,
    ioas_id: handle('ioas 1'),
    user_va: va,
    length,
    iova,
  });

const mock = (name: string, flags: number): Action =>
  test(
    `mock device ${name}`,
    'MOCK_DOMAIN_FLAGS',
    { id: handle('ioas 1'), dev_flags: BigInt(flags) },
    { unless: ['selftest 1'] },
  );

const destroy = (what: string): Action =>
  native(`destroy ${what}`, 'IOMMU_DESTROY', { id: handle(what) });

export const RESERVED: ActionSet = {
  name: 'reserved',
  says: 'Ranges that tests, devices and domains reserve, mock devices with every flag, and maps next to them.',
  platform: 'mock',
  depth: 7,
  actions: [
    open('open', '/dev/iommu', 'iommufd 1'),
    native('IOAS', 'IOMMU_IOAS_ALLOC', {}, { unless: ['ioas 1'] }),
    reserve('the first page', FIRST, PAGE),
    reserve('the second page', SECOND, PAGE),
    reserve('a byte', FIRST, 1n),
    reserve('around the end of the aperture', APERTURE_END - PAGE, 2n * PAGE),
    reserve('the last page', END, PAGE),
    reserve('behind the last page', END, 2n * PAGE),
    reserve('nothing', FIRST, 0n),
    map('1 page', FIRST, PAGE),
    map('2 pages', FIRST, 2n * PAGE),
    map('the second page', SECOND, PAGE, FIXED | BOTH, memoryFor(SECOND)),
    map('2048 bytes', FIRST, PAGE / 2n),
    map('anywhere', 0n, PAGE, BOTH),
    map('the last page', END, PAGE),
    native('unmap everything', 'IOMMU_IOAS_UNMAP', { ioas_id: handle('ioas 1'), length: MOST }),
    native(
      'allow 2 pages',
      'IOMMU_IOAS_ALLOW_IOVAS',
      { ioas_id: handle('ioas 1'), num_iovas: 1n, allowed_iovas: RANGES },
      { also: [{ at: RANGES, words: [FIRST, FIRST + 2n * PAGE - 1n] }] },
    ),
    native('allow everything', 'IOMMU_IOAS_ALLOW_IOVAS', { ioas_id: handle('ioas 1') }),
    native('which ranges are usable', 'IOMMU_IOAS_IOVA_RANGES', {
      ioas_id: handle('ioas 1'),
      num_iovas: 8n,
      allowed_iovas: RANGES,
    }),
    mock('without flags', 0),
    mock('that cannot track', MOCK_FLAGS_DEVICE_NO_DIRTY),
    mock('with huge pages', MOCK_FLAGS_DEVICE_HUGE_IOVA),
    mock('with PASIDs', MOCK_FLAGS_DEVICE_PASID),
    mock('with an unknown flag', 8),
    native(
      'hwpt that tracks',
      'IOMMU_HWPT_ALLOC',
      {
        flags: BigInt(HWPT_ALLOC_DIRTY_TRACKING),
        dev_id: handle('device 1'),
        pt_id: handle('ioas 1'),
      },
      { unless: ['hwpt 2'] },
    ),
    test('move device to hwpt 2', 'MOCK_DOMAIN_REPLACE', {
      id: handle('selftest 1'),
      pt_id: handle('hwpt 2'),
    }),
    destroy('selftest 1'),
    destroy('hwpt 1'),
    destroy('ioas 1'),
    close('iommufd 1'),
  ],
};
