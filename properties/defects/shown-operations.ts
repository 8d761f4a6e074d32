// SPDX-License-Identifier: MIT
// The operations that programs of shown defects are made of: on an iommufd, by native calls, VFIO's and test commands.

import { DATA_OFFSET } from '../../model/programs/arena.ts';
import type { Operation, Value } from '../../model/programs/program.ts';
import {
  type Answered,
  ATTACHED,
  accessFd,
  COMPAT,
  IOAS,
  IOVA,
  ioasId,
  OPENED,
  PAGE,
  VERSION1,
} from '../corpus/example.ts';
import { arena, getDeviceFd, native, open, out, test, vfio } from '../helpers/operations.ts';

export const only = (steps: readonly Answered[]): readonly Operation[] =>
  steps.map(([operation]) => operation);

export const opened = only(OPENED);
export const ioas = only(IOAS);
export const compat = only(COMPAT);
export const version1 = only(VERSION1);
export const attached = only([...IOAS, ATTACHED]);
export const mock = ATTACHED[0];

export const ALL = 7n;
export const READ_FIXED = 5n;

export const map = (
  label: string,
  iova: bigint,
  length: bigint,
  flags = ALL,
  address: Value = arena(DATA_OFFSET),
) =>
  native(label, 'iommufd', 'IOMMU_IOAS_MAP', {
    flags,
    ioas_id: ioasId,
    user_va: address,
    length,
    iova,
  });

export const unmap = (label: string, iova: bigint, length: bigint) =>
  native(label, 'iommufd', 'IOMMU_IOAS_UNMAP', { ioas_id: ioasId, iova, length });

export const copy = (flags: bigint, length = PAGE) =>
  native('copy', 'iommufd', 'IOMMU_IOAS_COPY', {
    flags,
    dst_ioas_id: ioasId,
    src_ioas_id: ioasId,
    length,
    dst_iova: IOVA + 16n * PAGE,
    src_iova: IOVA,
  });

export const unmapDma = (iova: bigint, size: bigint, flags = 0n) =>
  vfio('unmapDma', 'iommufd', 'VFIO_IOMMU_UNMAP_DMA', { flags, iova, size });

export const mapDma = vfio('mapDma', 'iommufd', 'VFIO_IOMMU_MAP_DMA', {
  flags: 3n,
  vaddr: arena(DATA_OFFSET),
  iova: IOVA,
  size: PAGE,
});

export const allow = (start: bigint, last: bigint) =>
  native(
    'allow',
    'iommufd',
    'IOMMU_IOAS_ALLOW_IOVAS',
    { ioas_id: ioasId, num_iovas: 1n, allowed_iovas: arena(6n * PAGE) },
    { also: [{ at: arena(6n * PAGE), words: [start, last] }] },
  );

export const detach = native('detach', 'iommufd', 'IOMMU_DESTROY', {
  id: out('mock', 'out_stdev_id'),
});
export const destroy = native('destroy', 'iommufd', 'IOMMU_DESTROY', { id: ioasId });

export const access = (flags: bigint) =>
  test('access', 'iommufd', 'CREATE_ACCESS', { id: ioasId, flags });
export const pin = (iova: bigint, length: bigint) =>
  test('pin', 'iommufd', 'ACCESS_PAGES', { id: accessFd, iova, length });

export const ranges = native(
  'ranges',
  'iommufd',
  'IOMMU_IOAS_IOVA_RANGES',
  { ioas_id: ioasId, num_iovas: 4n, allowed_iovas: arena(6n * PAGE) },
  { also: [{ at: arena(6n * PAGE), words: [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n] }] },
);

export const info = vfio(
  'info',
  'iommufd',
  'VFIO_IOMMU_GET_INFO',
  { argsz: 256n },
  { tail: 'ff'.repeat(232) },
);

export const withGroup = [
  ...opened,
  open('group', '/dev/vfio/4'),
  vfio('join', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: out('iommufd') }),
];
export const device = getDeviceFd('device', 'group', '0000:00:04.0');

export const ownFile = open('device', '/dev/vfio/devices/vfio0');
export const bind = vfio('bind', 'device', 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: out('iommufd') });
