// SPDX-License-Identifier: MIT
// The legacy container with two groups behind VT-d: maps, unmaps of every kind, dirty pages, groups that come and go.

import { ARRAY_OFFSET } from '../../../model/programs/arena.ts';
import type { Value } from '../../../model/programs/program.ts';
import * as vfio from '../../../spec/abi/vfio.ts';
import type { Action, ActionSet } from '../actions.ts';
import { close, type Fields, MOST, open, PAGE, plain, vfioCall } from '../calls.ts';
import { DATA, END, FIRST, NO_ACCESS, READ_ONLY, SECOND } from './memory-ranges.ts';
import { deviceActions, groupActions } from './vfio.ts';

const ON = 'container 1';
const READ_AND_WRITE = BigInt(vfio.VFIO_DMA_MAP_FLAG_READ | vfio.VFIO_DMA_MAP_FLAG_WRITE);
const VADDR = BigInt(vfio.VFIO_DMA_MAP_FLAG_VADDR);
/** The interrupt range of VT-d. */
const INTERRUPTS = 0xfee0_0000n;
const APERTURE_END = 1n << 48n;

const map = (name: string, iova: bigint, size: bigint, flags = READ_AND_WRITE, vaddr = DATA) =>
  vfioCall(`map ${name}`, ON, 'VFIO_IOMMU_MAP_DMA', { flags, vaddr, iova, size });

const unmap = (name: string, iova: bigint, size: bigint, flags = 0): Action =>
  vfioCall(`unmap ${name}`, ON, 'VFIO_IOMMU_UNMAP_DMA', { flags: BigInt(flags), iova, size });

const BITMAP: Value = { arena: ARRAY_OFFSET };

const bitmap = (prefix: string): Fields => ({
  [`${prefix}pgsize`]: PAGE,
  [`${prefix}size`]: 8n,
  [`${prefix}data`]: BITMAP,
});

const dirty = (name: string, flags: number): Action =>
  vfioCall(name, ON, 'VFIO_IOMMU_DIRTY_PAGES', { flags: BigInt(flags) });

export const TYPE1: ActionSet = {
  name: 'type1',
  says: 'The legacy container with two groups behind VT-d: maps, unmaps of every kind, dirty pages, groups that come and go.',
  platform: 'vtd',
  depth: 10,
  actions: [
    open('open', '/dev/vfio/vfio', 'container 1'),
    ...groupActions(4, ON),
    ...groupActions(5, ON),
    ...deviceActions(4, '0000:00:04.0'),
    plain('v1', ON, vfio.VFIO_SET_IOMMU, vfio.VFIO_TYPE1_IOMMU),
    plain('v2', ON, vfio.VFIO_SET_IOMMU, vfio.VFIO_TYPE1v2_IOMMU),
    plain('nesting', ON, vfio.VFIO_SET_IOMMU, vfio.VFIO_TYPE1_NESTING_IOMMU),
    plain('extension unmap all', ON, vfio.VFIO_CHECK_EXTENSION, vfio.VFIO_UNMAP_ALL),
    vfioCall('info', ON, 'VFIO_IOMMU_GET_INFO', { argsz: 152n }, { tail: '00'.repeat(128) }),
    map('1 page', FIRST, PAGE),
    map('4 pages', FIRST, 4n * PAGE),
    map('the second page', SECOND, PAGE),
    map('to read', FIRST, PAGE, BigInt(vfio.VFIO_DMA_MAP_FLAG_READ)),
    map('for nothing', FIRST, PAGE, 0n),
    map('with an unknown flag', FIRST, PAGE, 8n),
    map('with a new address', FIRST, PAGE, VADDR, READ_ONLY),
    map('with a new address, 4 pages', FIRST, 4n * PAGE, VADDR, DATA),
    map('memory that is read only', FIRST, PAGE, READ_AND_WRITE, READ_ONLY),
    map('memory without access', FIRST, PAGE, READ_AND_WRITE, NO_ACCESS),
    map('half a page', FIRST, PAGE / 2n),
    map('nothing', FIRST, 0n),
    map('where interrupts are sent', INTERRUPTS, PAGE),
    map('at the end of the aperture', APERTURE_END - PAGE, PAGE),
    map('around the end of the aperture', APERTURE_END - PAGE, 2n * PAGE),
    map('behind the last page', END, 2n * PAGE),
    unmap('1 page', FIRST, PAGE),
    unmap('the second page', SECOND, PAGE),
    unmap('the middle', SECOND, 2n * PAGE),
    unmap('4 pages', FIRST, 4n * PAGE),
    unmap('half a page', FIRST, PAGE / 2n),
    unmap('nothing', FIRST, 0n),
    unmap('behind the last page', END, 2n * PAGE),
    unmap('all but the last byte', 0n, MOST),
    unmap('all', 0n, 0n, vfio.VFIO_DMA_UNMAP_FLAG_ALL),
    unmap('all of a range', FIRST, PAGE, vfio.VFIO_DMA_UNMAP_FLAG_ALL),
    unmap('the address of 1 page', FIRST, PAGE, vfio.VFIO_DMA_UNMAP_FLAG_VADDR),
    unmap(
      'the address of all',
      0n,
      0n,
      vfio.VFIO_DMA_UNMAP_FLAG_VADDR | vfio.VFIO_DMA_UNMAP_FLAG_ALL,
    ),
    vfioCall('unmap 1 page with its bitmap', ON, 'VFIO_IOMMU_UNMAP_DMA with bitmap', {
      flags: BigInt(vfio.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP),
      iova: FIRST,
      size: PAGE,
      ...bitmap('bitmap_'),
    }),
    dirty('track dirty pages', vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_START),
    dirty('track no more', vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP),
    dirty('track and not', 3),
    vfioCall('dirty pages of 1 page', ON, 'VFIO_IOMMU_DIRTY_PAGES with bitmap', {
      flags: BigInt(vfio.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP),
      iova: FIRST,
      size: PAGE,
      ...bitmap('bitmap_'),
    }),
    close(ON),
  ],
};
