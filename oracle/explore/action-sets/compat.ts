// SPDX-License-Identifier: MIT
// VFIO's calls on an iommufd: maps, unmaps in parts, cuts of v1, and what conflicts with them.

import {
  OPTION_HUGE_PAGES,
  OPTION_OP_SET,
  VFIO_IOAS_CLEAR,
  VFIO_IOAS_GET,
  VFIO_IOAS_SET,
} from '../../../spec/abi/native.ts';
import { ACCESS_NEEDS_PIN_PAGES } from '../../../spec/abi/test.ts';
import * as vfio from '../../../spec/abi/vfio.ts';
import type { Action, ActionSet } from '../actions.ts';
import { close, handle, MOST, native, open, PAGE, plain, test, vfioCall } from '../calls.ts';
import { APERTURE_END, DATA, END, FIRST, NO_ACCESS, READ_ONLY, SECOND } from './memory-ranges.ts';

const ON = 'iommufd 1';
const READ_AND_WRITE = BigInt(vfio.VFIO_DMA_MAP_FLAG_READ | vfio.VFIO_DMA_MAP_FLAG_WRITE);

const map = (name: string, iova: bigint, size: bigint, flags = READ_AND_WRITE, vaddr = DATA) =>
  vfioCall(`map ${name}`, ON, 'VFIO_IOMMU_MAP_DMA', { flags, vaddr, iova, size });

const unmap = (name: string, iova: bigint, size: bigint, flags = 0n): Action =>
  vfioCall(`unmap ${name}`, ON, 'VFIO_IOMMU_UNMAP_DMA', { flags, iova, size });

const ioasOf = (name: string, op: number, ioas: Parameters<typeof native>[2]): Action =>
  native(name, 'IOMMU_VFIO_IOAS', { op: BigInt(op), ...ioas });

const info = (argsz: bigint): Action =>
  vfioCall(
    `info of ${argsz} bytes`,
    ON,
    'VFIO_IOMMU_GET_INFO',
    { argsz },
    { tail: '00'.repeat(64) },
  );

const largePages = (on: bigint): Action =>
  native(`large pages ${on === 0n ? 'off' : 'on'}`, 'IOMMU_OPTION', {
    option_id: BigInt(OPTION_HUGE_PAGES),
    op: BigInt(OPTION_OP_SET),
    object_id: handle('ioas 1'),
    val64: on,
  });

export const COMPAT: ActionSet = {
  name: 'compat',
  says: "VFIO's calls on an iommufd, of both versions: maps, unmaps in parts, cuts, a mock device and an access.",
  platform: 'mock',
  depth: 9,
  actions: [
    open('open', '/dev/iommu', 'iommufd 1'),
    native('IOAS', 'IOMMU_IOAS_ALLOC', {}, { unless: ['ioas 1'] }),
    ioasOf('use ioas 1', VFIO_IOAS_SET, { ioas_id: handle('ioas 1') }),
    ioasOf('use nothing', VFIO_IOAS_CLEAR, {}),
    ioasOf('which is used', VFIO_IOAS_GET, {}),
    plain('v1', ON, vfio.VFIO_SET_IOMMU, vfio.VFIO_TYPE1_IOMMU),
    plain('v2', ON, vfio.VFIO_SET_IOMMU, vfio.VFIO_TYPE1v2_IOMMU),
    plain('no version', ON, vfio.VFIO_SET_IOMMU, 0n),
    plain('extension unmap all', ON, vfio.VFIO_CHECK_EXTENSION, vfio.VFIO_UNMAP_ALL),
    plain('extension coherency', ON, vfio.VFIO_CHECK_EXTENSION, vfio.VFIO_DMA_CC_IOMMU),
    info(24n),
    info(88n),
    info(15n),
    map('1 page', FIRST, PAGE),
    map('4 pages', FIRST, 4n * PAGE),
    map('the second page', SECOND, PAGE),
    map('to read', FIRST, PAGE, BigInt(vfio.VFIO_DMA_MAP_FLAG_READ)),
    map('to write', FIRST, PAGE, BigInt(vfio.VFIO_DMA_MAP_FLAG_WRITE)),
    map('for nothing', FIRST, PAGE, 0n),
    map('with VADDR', FIRST, PAGE, BigInt(vfio.VFIO_DMA_MAP_FLAG_VADDR)),
    map('memory that is read only', FIRST, PAGE, READ_AND_WRITE, READ_ONLY),
    map('memory without access', FIRST, PAGE, READ_AND_WRITE, NO_ACCESS),
    map('half a page', FIRST, PAGE / 2n),
    map('nothing', FIRST, 0n),
    map('at 0', 0n, PAGE),
    map('at the end of the aperture', APERTURE_END - PAGE, PAGE),
    map('around the end of the aperture', APERTURE_END - PAGE, 2n * PAGE),
    map('the last page', END, PAGE),
    map('behind the last page', END, 2n * PAGE),
    unmap('1 page', FIRST, PAGE),
    unmap('the second page', SECOND, PAGE),
    unmap('the middle', SECOND, 2n * PAGE),
    unmap('4 pages', FIRST, 4n * PAGE),
    unmap('half a page', FIRST, PAGE / 2n),
    unmap('a byte', FIRST, 1n),
    unmap('from within', FIRST + 4n, 4n * PAGE),
    unmap('nothing', FIRST, 0n),
    unmap('the last page', END, PAGE),
    unmap('behind the last page', END, 2n * PAGE),
    unmap('all but the last byte', 0n, MOST),
    unmap('all', 0n, 0n, BigInt(vfio.VFIO_DMA_UNMAP_FLAG_ALL)),
    unmap('all of a range', FIRST, PAGE, BigInt(vfio.VFIO_DMA_UNMAP_FLAG_ALL)),
    unmap('with VADDR', FIRST, PAGE, BigInt(vfio.VFIO_DMA_UNMAP_FLAG_VADDR)),
    largePages(0n),
    largePages(1n),
    test('mock device', 'MOCK_DOMAIN', { id: handle('ioas 1') }, { unless: ['selftest 1'] }),
    native('destroy the mock device', 'IOMMU_DESTROY', { id: handle('selftest 1') }),
    native('destroy ioas 1', 'IOMMU_DESTROY', { id: handle('ioas 1') }),
    test(
      'access',
      'CREATE_ACCESS',
      { id: handle('ioas 1'), flags: BigInt(ACCESS_NEEDS_PIN_PAGES) },
      { unless: ['access 1'] },
    ),
    test(
      'pin the second page',
      'ACCESS_PAGES',
      { id: handle('access 1'), iova: SECOND, length: PAGE },
      { unless: ['pin 1'] },
    ),
    test('let go of the pin', 'DESTROY_ACCESS_PAGES', {
      id: handle('access 1'),
      access_pages_id: handle('pin 1'),
    }),
    close('access 1'),
    close('iommufd 1'),
  ],
};
