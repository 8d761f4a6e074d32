// SPDX-License-Identifier: MIT
// The program's memory under its maps: unmapped, replaced, of a file, of huge pages, and with each kind of accounting.

import { DATA_OFFSET, HUGE_OFFSET, HUGE_PAGE } from '../../../model/programs/arena.ts';
import type { Operation, Value } from '../../../model/programs/program.ts';
import {
  MAP_FIXED_IOVA,
  MAP_READABLE,
  MAP_WRITEABLE,
  OPTION_OP_SET,
  OPTION_RLIMIT_MODE,
} from '../../../spec/abi/native.ts';
import { type Action, type ActionSet, action, type Handle } from '../actions.ts';
import { close, handle, MOST, native, open, PAGE, test } from '../calls.ts';
import { DATA, FIRST, SECOND } from './memory-ranges.ts';

const FLAGS = BigInt(MAP_FIXED_IOVA | MAP_READABLE | MAP_WRITEABLE);

const map = (
  name: string,
  user_va: Value,
  iova: bigint,
  length: bigint,
  flags: bigint = FLAGS,
): Action =>
  native(`map ${name}`, 'IOMMU_IOAS_MAP', {
    flags,
    ioas_id: handle('ioas 1'),
    user_va,
    length,
    iova,
  });

const unmap = (name: string, iova: bigint, length: bigint): Action =>
  native(`unmap ${name}`, 'IOMMU_IOAS_UNMAP', { ioas_id: handle('ioas 1'), iova, length });

type Mmap = Extract<Operation, { op: 'mmap' }>;

const mmap = (
  name: string,
  offset: bigint,
  length: bigint,
  protection: Mmap['protection'],
  kind: 'anonymous' | 'device' | 'huge',
): Action =>
  action(name, [], (label) => ({
    op: 'mmap',
    label,
    offset,
    length,
    protection,
    shared: false,
    backing: { kind },
  }));

const munmap = (name: string, offset: bigint, length: bigint): Action =>
  action(name, [], (label) => ({ op: 'munmap', label, offset, length }));

const MEMFD: Handle = 'memfd 1';

const SECOND_OFFSET = DATA_OFFSET + PAGE;

export const MEMORY: ActionSet = {
  name: 'memory',
  says: "The program's memory under its maps: unmapped, replaced, of a file, of huge pages, and with each kind of accounting.",
  platform: 'mock',
  depth: 14,
  actions: [
    open('open', '/dev/iommu', 'iommufd 1'),
    native('IOAS', 'IOMMU_IOAS_ALLOC', {}, { unless: ['ioas 1'] }),
    test('mock device', 'MOCK_DOMAIN', { id: handle('ioas 1') }, { unless: ['selftest 1'] }),
    native('destroy the mock device', 'IOMMU_DESTROY', { id: handle('selftest 1') }),
    native('charge the process', 'IOMMU_OPTION', {
      option_id: BigInt(OPTION_RLIMIT_MODE),
      op: BigInt(OPTION_OP_SET),
      val64: 1n,
    }),
    native('charge the user', 'IOMMU_OPTION', {
      option_id: BigInt(OPTION_RLIMIT_MODE),
      op: BigInt(OPTION_OP_SET),
    }),
    map('2 pages', DATA, FIRST, 2n * PAGE),
    map('the second page', { arena: SECOND_OFFSET }, SECOND, PAGE),
    map('1 page to read', DATA, FIRST, PAGE, FLAGS & ~BigInt(MAP_WRITEABLE)),
    map('a huge page', { arena: HUGE_OFFSET }, FIRST, HUGE_PAGE),
    native('map the file', 'IOMMU_IOAS_MAP_FILE', {
      flags: FLAGS,
      ioas_id: handle('ioas 1'),
      fd: handle(MEMFD),
      length: PAGE,
      iova: FIRST,
    }),
    native('map behind the end of the file', 'IOMMU_IOAS_MAP_FILE', {
      flags: FLAGS,
      ioas_id: handle('ioas 1'),
      fd: handle(MEMFD),
      start: PAGE,
      length: PAGE,
      iova: FIRST,
    }),
    unmap('2 pages', FIRST, 2n * PAGE),
    unmap('everything', 0n, MOST),
    munmap('take the second page', SECOND_OFFSET, PAGE),
    mmap('a new second page', SECOND_OFFSET, PAGE, 'read-write', 'anonymous'),
    mmap('a second page to read', SECOND_OFFSET, PAGE, 'read', 'anonymous'),
    mmap('a BAR as the second page', SECOND_OFFSET, PAGE, 'read-write', 'device'),
    mmap('huge pages', HUGE_OFFSET, HUGE_PAGE, 'read-write', 'huge'),
    munmap('take the huge page', HUGE_OFFSET, HUGE_PAGE),
    action('file', [], (label) => ({ op: 'memfd', label, length: PAGE }), [MEMFD]),
    action('the file as the second page', [MEMFD], (label, [fd]) => ({
      op: 'mmap',
      label,
      offset: SECOND_OFFSET,
      length: PAGE,
      protection: 'read-write',
      shared: false,
      backing: { kind: 'memfd', fd: fd as Value, offset: 0n },
    })),
    close(MEMFD),
    close('iommufd 1'),
  ],
};
