// SPDX-License-Identifier: MIT
// Examples of unmapping: whole areas, parts of them, what v1 cuts, and the size that is reported.

import { DATA_OFFSET, READ_ONLY_STRUCT_OFFSET, STRUCT_LENGTH } from '../../model/programs/arena.ts';
import type { Value } from '../../model/programs/program.ts';
import { arena, native, out, test, vfio, vfioPlain } from '../helpers/operations.ts';
import {
  ACCESS,
  ATTACHED,
  accessFd,
  COMPAT,
  example,
  IOAS,
  IOVA,
  ioasId,
  PAGE,
  VERSION1,
} from './example.ts';

const U64_MAX = (1n << 64n) - 1n;

const map = (label: string, iova: bigint, length: bigint) =>
  native(label, 'iommufd', 'IOMMU_IOAS_MAP', {
    flags: 7n,
    ioas_id: ioasId,
    user_va: arena(DATA_OFFSET),
    length,
    iova,
  });

const unmap = (label: string, iova: bigint, length: bigint, at: Value = arena(0n)) =>
  native(label, 'iommufd', 'IOMMU_IOAS_UNMAP', { ioas_id: ioasId, iova, length }, { at });

const unmapDma = (label: string, iova: bigint, size: bigint, flags = 0n, at: Value = arena(0n)) =>
  vfio(label, 'iommufd', 'VFIO_IOMMU_UNMAP_DMA', { flags, iova, size }, { at });

const MAPS = 'ioas-map/maps';

export const UNMAPPING = [
  example('an unmap takes whole areas, and those before one that it would cut', [
    IOAS,
    [map('first', IOVA, PAGE), MAPS],
    [map('second', IOVA + PAGE, 2n * PAGE), MAPS],
    [unmap('part', IOVA, 2n * PAGE), 'unmapping/cuts-area'],
    [unmap('first again', IOVA, PAGE), 'ioas-unmap/nothing-mapped'],
    [unmap('rest', IOVA, 8n * PAGE), 'ioas-unmap/unmaps'],
    [unmap('everything', 0n, U64_MAX), 'ioas-unmap/unmaps-all'],
    [unmap('zero', IOVA, 0n), 'unmapping/zero-length'],
    [unmap('wraps', U64_MAX - PAGE, 2n * PAGE), 'unmapping/wraps'],
    [unmap('greatest', U64_MAX, PAGE), 'ioas-unmap/u64-max'],
  ]),
  example('an unmap whose reply cannot be written takes effect', [
    IOAS,
    [map('map', IOVA, PAGE), MAPS],
    [unmap('unmap', IOVA, PAGE, arena(READ_ONLY_STRUCT_OFFSET)), 'ioas-unmap/reply-fault'],
    [unmap('again', IOVA, PAGE), 'ioas-unmap/nothing-mapped'],
  ]),
  example('v2 unmaps whole maps, and accepts an empty range', [
    COMPAT,
    [vfioPlain('type', 'iommufd', 'VFIO_SET_IOMMU', 3n), 'compat-set-iommu/v2'],
    [map('map', IOVA, 3n * PAGE), MAPS],
    [unmapDma('middle', IOVA + PAGE, PAGE), 'unmapping/cuts-area'],
    [unmapDma('empty', IOVA + 16n * PAGE, PAGE), 'compat-unmap-dma/unmaps'],
    [unmapDma('whole', IOVA, 3n * PAGE), 'compat-unmap-dma/unmaps'],
    [unmapDma('all with a range', IOVA, PAGE, 2n), 'compat-unmap-dma/all-with-range'],
    [unmapDma('all', 0n, 0n, 2n), 'compat-unmap-dma/unmaps-all'],
    [unmapDma('bitmap', IOVA, PAGE, 1n), 'compat-unmap-dma/unknown-flags'],
    [unmapDma('cut', IOVA, PAGE, 0n, arena(STRUCT_LENGTH - 8n)), 'compat-unmap-dma/struct-fault'],
  ]),
  example('v1 cuts the middle out of a map, in every domain', [
    VERSION1,
    ATTACHED,
    [
      native('second', 'iommufd', 'IOMMU_HWPT_ALLOC', {
        dev_id: out('mock', 'out_idev_id'),
        pt_id: ioasId,
      }),
      'hwpt-alloc/allocates',
    ],
    [map('map', IOVA, 3n * PAGE), MAPS],
    [unmapDma('middle', IOVA + PAGE, PAGE), 'compat-unmap-dma/unmaps'],
    [map('again', IOVA + PAGE, PAGE), MAPS],
    [unmapDma('ends', IOVA, 3n * PAGE), 'compat-unmap-dma/unmaps'],
  ]),
  example('a cut that is refused may come after one that was made', [
    VERSION1,
    [map('map', IOVA, 3n * PAGE), MAPS],
    [unmapDma('misaligned start', IOVA + PAGE - 2048n, PAGE + 2048n), 'cutting/misaligned'],
    [unmapDma('first part', IOVA, 2n * PAGE), 'compat-unmap-dma/unmaps'],
    [unmapDma('last part', IOVA + 2n * PAGE, PAGE), 'compat-unmap-dma/unmaps'],
  ]),
  example('what an access has pinned is not cut', [
    VERSION1,
    ACCESS,
    [map('map', IOVA, 2n * PAGE), MAPS],
    [
      test('pin', 'iommufd', 'ACCESS_PAGES', { id: accessFd, iova: IOVA + PAGE, length: PAGE }),
      'test-access-pages/pins',
    ],
    [unmapDma('first', IOVA, PAGE), 'cutting/accessed'],
    [unmapDma('whole', IOVA, 2n * PAGE), 'compat-unmap-dma/unmaps'],
  ]),
  example('a cut at the end of the range stays if the cut at its start is refused', [
    VERSION1,
    ACCESS,
    [map('first', IOVA, 2n * PAGE), MAPS],
    [map('second', IOVA + 2n * PAGE, 2n * PAGE), MAPS],
    [
      test('pin', 'iommufd', 'ACCESS_PAGES', { id: accessFd, iova: IOVA, length: PAGE }),
      'test-access-pages/pins',
    ],
    [unmapDma('middle', IOVA + PAGE, 2n * PAGE), 'cutting/accessed'],
    [unmapDma('cut', IOVA + 2n * PAGE, PAGE), 'compat-unmap-dma/unmaps'],
  ]),
  example('v1 cannot be set after a map that a domain translates', [
    COMPAT,
    ATTACHED,
    [map('map', IOVA, 2n * PAGE), MAPS],
    [vfioPlain('type', 'iommufd', 'VFIO_SET_IOMMU', 1n), 'large-pages/filled'],
  ]),
  example(
    'an unmap through the compatibility layer takes effect even if its reply cannot be written',
    [
      COMPAT,
      [map('map', IOVA, PAGE), MAPS],
      [
        unmapDma('unmap', IOVA, PAGE, 0n, arena(READ_ONLY_STRUCT_OFFSET)),
        'compat-unmap-dma/reply-fault',
      ],
      [map('again', IOVA, PAGE), MAPS],
    ],
  ),
];
