// SPDX-License-Identifier: MIT
// Transfers by a device behind VT-d: inside a map, partly outside, attached and not attached.

import type { Value } from '../../../model/programs/program.ts';
import { MAP_FIXED_IOVA, MAP_READABLE, MAP_WRITEABLE } from '../../../spec/abi/native.ts';
import type { DmaDirection } from '../../../spec/terms/call.ts';
import { type Action, type ActionSet, action } from '../actions.ts';
import { close, handle, MOST, native, open, PAGE, vfioCall } from '../calls.ts';
import { DATA, FIRST } from './memory-ranges.ts';
import { attachAction } from './vfio.ts';

const READ = BigInt(MAP_READABLE);
const WRITE = BigInt(MAP_WRITEABLE);

/** The device that can make transfers. */
const NAME = '0000:00:04.0';
const ON = `cdev ${NAME} 1`;

const map = (name: string, length: bigint, flags: bigint): Action =>
  native(`map ${name}`, 'IOMMU_IOAS_MAP', {
    flags: BigInt(MAP_FIXED_IOVA) | flags,
    ioas_id: handle('ioas 1'),
    user_va: DATA,
    length,
    iova: FIRST,
  });

const unmap = (name: string, iova: bigint, length: bigint): Action =>
  native(`unmap ${name}`, 'IOMMU_IOAS_UNMAP', { ioas_id: handle('ioas 1'), iova, length });

const dma = (direction: DmaDirection, name: string, iova: bigint, length: bigint): Action =>
  action(`device ${direction}s ${name}`, [ON], (label, [fd]) => ({
    op: 'dma',
    label,
    fd: fd as Value,
    direction,
    iova,
    length: Number(length),
  }));

const attach = (to: string): Action => attachAction(`attach to ${to}`, ON, to);

export const TRANSFERS: ActionSet = {
  name: 'transfers',
  says: 'Transfers by a device behind VT-d: inside a map, partly outside, attached and not attached.',
  platform: 'vtd',
  depth: 9,
  actions: [
    open('open', '/dev/iommu', 'iommufd 1'),
    native('IOAS', 'IOMMU_IOAS_ALLOC', {}, { unless: ['ioas 2'] }),
    map('1 page', PAGE, READ | WRITE),
    map('2 pages', 2n * PAGE, READ | WRITE),
    map('to read', PAGE, READ),
    map('to write', PAGE, WRITE),
    unmap('1 page', FIRST, PAGE),
    unmap('everything', 0n, MOST),
    open('file of the device', '/dev/vfio/devices/vfio0', ON),
    vfioCall('bind', ON, 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: handle('iommufd 1') }),
    attach('ioas 1'),
    attach('ioas 2'),
    vfioCall('detach', ON, 'VFIO_DEVICE_DETACH_IOMMUFD_PT', {}),
    dma('read', 'half a page', FIRST, PAGE / 2n),
    dma('read', '1 page', FIRST, PAGE),
    dma('read', 'across pages', FIRST + PAGE / 2n, PAGE),
    dma('write', 'half a page', FIRST, PAGE / 2n),
    dma('write', '1 page', FIRST, PAGE),
    dma('write', 'across pages', FIRST + PAGE / 2n, PAGE),
    native('destroy ioas 1', 'IOMMU_DESTROY', { id: handle('ioas 1') }),
    close(ON),
    close('iommufd 1'),
  ],
};
