// SPDX-License-Identifier: MIT
// Two IOAS, a mock device that moves between them, maps, copies, unmaps, allowed ranges and options.

import { ARRAY_OFFSET } from '../../../model/programs/arena.ts';
import type { Value } from '../../../model/programs/program.ts';
import {
  HWPT_ALLOC_DIRTY_TRACKING,
  MAP_FIXED_IOVA,
  MAP_READABLE,
  MAP_WRITEABLE,
  OPTION_HUGE_PAGES,
  OPTION_OP_SET,
} from '../../../spec/abi/native.ts';
import type { Action, ActionSet, Handle } from '../actions.ts';
import { close, handle, MOST, native, open, PAGE, test } from '../calls.ts';
import {
  APERTURE_END,
  DATA,
  END,
  FIRST,
  memoryFor,
  NO_ACCESS,
  READ_ONLY,
  SECOND,
} from './memory-ranges.ts';

const BOTH = BigInt(MAP_READABLE | MAP_WRITEABLE);
const FIXED = BigInt(MAP_FIXED_IOVA);

const map = (
  name: string,
  ioas: Handle,
  iova: bigint,
  length: bigint,
  flags: bigint = FIXED | BOTH,
  user_va: Value = DATA,
): Action =>
  native(`map ${name} in ${ioas}`, 'IOMMU_IOAS_MAP', {
    flags,
    ioas_id: handle(ioas),
    user_va,
    length,
    iova,
  });

const unmap = (name: string, ioas: Handle, iova: bigint, length: bigint): Action =>
  native(`unmap ${name} in ${ioas}`, 'IOMMU_IOAS_UNMAP', { ioas_id: handle(ioas), iova, length });

const copy = (name: string, from: Handle, to: Handle, src: bigint, dst: bigint, length: bigint) =>
  native(`copy ${name} from ${from} to ${to}`, 'IOMMU_IOAS_COPY', {
    flags: FIXED | BOTH,
    dst_ioas_id: handle(to),
    src_ioas_id: handle(from),
    length,
    dst_iova: dst,
    src_iova: src,
  });

const RANGES: Value = { arena: ARRAY_OFFSET };

const allow = (name: string, ranges: readonly (readonly [bigint, bigint])[]): Action =>
  native(
    `allow ${name} in ioas 1`,
    'IOMMU_IOAS_ALLOW_IOVAS',
    { ioas_id: handle('ioas 1'), num_iovas: BigInt(ranges.length), allowed_iovas: RANGES },
    { also: [{ at: RANGES, words: ranges.flat() }] },
  );

const largePages = (on: bigint): Action =>
  native(`large pages ${on === 0n ? 'off' : 'on'} in ioas 1`, 'IOMMU_OPTION', {
    option_id: BigInt(OPTION_HUGE_PAGES),
    op: BigInt(OPTION_OP_SET),
    object_id: handle('ioas 1'),
    val64: on,
  });

const destroy = (what: Handle): Action =>
  native(`destroy ${what}`, 'IOMMU_DESTROY', { id: handle(what) });

const mock = (ioas: Handle): Action =>
  test(`mock device on ${ioas}`, 'MOCK_DOMAIN', { id: handle(ioas) }, { unless: ['selftest 1'] });

const move = (to: Handle): Action =>
  test(`move device to ${to}`, 'MOCK_DOMAIN_REPLACE', {
    id: handle('selftest 1'),
    pt_id: handle(to),
  });

const hwpt = (name: string, ioas: Handle, flags: bigint): Action =>
  native(
    `${name} hwpt in ${ioas}`,
    'IOMMU_HWPT_ALLOC',
    { flags, dev_id: handle('device 1'), pt_id: handle(ioas) },
    { unless: ['hwpt 2'] },
  );

export const NATIVE: ActionSet = {
  name: 'native',
  says: 'Two IOAS of an iommufd and a mock device that moves between them: maps, copies, unmaps, allowed ranges, options.',
  platform: 'mock',
  depth: 7,
  actions: [
    open('open', '/dev/iommu', 'iommufd 1'),
    native('IOAS', 'IOMMU_IOAS_ALLOC', {}, { unless: ['ioas 2'] }),
    native('IOAS with flags', 'IOMMU_IOAS_ALLOC', { flags: 1n }, { unless: ['ioas 2'] }),
    map('1 page', 'ioas 1', FIRST, PAGE),
    map('2 pages', 'ioas 1', FIRST, 2n * PAGE),
    map('the second page', 'ioas 1', SECOND, PAGE, FIXED | BOTH, memoryFor(SECOND)),
    map('half a page', 'ioas 1', FIRST, PAGE / 2n),
    map('a byte', 'ioas 1', FIRST, 1n),
    map('to read', 'ioas 1', FIRST, PAGE, FIXED | BigInt(MAP_READABLE)),
    map('to write', 'ioas 1', FIRST, PAGE, FIXED | BigInt(MAP_WRITEABLE)),
    map('for nothing', 'ioas 1', FIRST, PAGE, FIXED),
    map('with an unknown flag', 'ioas 1', FIRST, PAGE, FIXED | BOTH | 8n),
    map('anywhere', 'ioas 1', 0n, PAGE, BOTH),
    map('memory that is read only', 'ioas 1', FIRST, PAGE, FIXED | BOTH, READ_ONLY),
    map('memory without access', 'ioas 1', FIRST, PAGE, FIXED | BOTH, NO_ACCESS),
    map('around the aperture', 'ioas 1', APERTURE_END - PAGE, 2n * PAGE),
    map('at the end of the aperture', 'ioas 1', APERTURE_END - PAGE, PAGE),
    map('the last page', 'ioas 1', END, PAGE),
    map('behind the last page', 'ioas 1', END, 2n * PAGE),
    map('nothing', 'ioas 1', FIRST, 0n),
    map('1 page', 'ioas 2', FIRST, PAGE),
    map('the last page', 'ioas 2', END, PAGE),
    copy('1 page', 'ioas 1', 'ioas 2', FIRST, FIRST, PAGE),
    copy('2 pages', 'ioas 1', 'ioas 2', FIRST, SECOND, 2n * PAGE),
    copy('the last page', 'ioas 1', 'ioas 2', END, FIRST, PAGE),
    copy('beside itself', 'ioas 1', 'ioas 1', FIRST, SECOND, PAGE),
    copy('onto itself', 'ioas 1', 'ioas 1', FIRST, FIRST, PAGE),
    copy('back', 'ioas 2', 'ioas 1', FIRST, FIRST, PAGE),
    unmap('1 page', 'ioas 1', FIRST, PAGE),
    unmap('2 pages', 'ioas 1', FIRST, 2n * PAGE),
    unmap('the second page', 'ioas 1', SECOND, PAGE),
    unmap('everything', 'ioas 1', 0n, MOST),
    unmap('nothing', 'ioas 1', FIRST, 0n),
    unmap('the last page', 'ioas 1', END, PAGE),
    unmap('behind the last page', 'ioas 1', END, 2n * PAGE),
    unmap('1 page', 'ioas 2', FIRST, PAGE),
    unmap('everything', 'ioas 2', 0n, MOST),
    allow('2 pages', [[FIRST, FIRST + 2n * PAGE - 1n]]),
    allow('the ends', [
      [0n, PAGE - 1n],
      [END, MOST],
    ]),
    allow('everything', []),
    allow('a range backwards', [[SECOND, FIRST]]),
    largePages(0n),
    largePages(1n),
    mock('ioas 1'),
    mock('ioas 2'),
    move('ioas 1'),
    move('ioas 2'),
    move('hwpt 2'),
    hwpt('plain', 'ioas 1', 0n),
    hwpt('tracking', 'ioas 2', BigInt(HWPT_ALLOC_DIRTY_TRACKING)),
    destroy('selftest 1'),
    destroy('hwpt 1'),
    destroy('hwpt 2'),
    destroy('device 1'),
    destroy('ioas 1'),
    destroy('ioas 2'),
    close('iommufd 1'),
  ],
};
