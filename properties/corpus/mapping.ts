// SPDX-License-Identifier: MIT
// Examples of mapping: fixed and chosen IOVAs, files, copies, and what prevents a map.

import { DATA_OFFSET, READ_ONLY_STRUCT_OFFSET, STRUCT_LENGTH } from '../../model/programs/arena.ts';
import type { Value } from '../../model/programs/program.ts';
import { arena, memfd, mmap, native, out, test, vfio } from '../helpers/operations.ts';
import { LIMITED, settingOf } from '../helpers/settings.ts';
import { ATTACHED, COMPAT, example, IOAS, IOVA, ioasId, PAGE } from './example.ts';

const FIXED = 1n;
const WRITEABLE = 2n;
const READABLE = 4n;
const ALL = FIXED | WRITEABLE | READABLE;

const map = (
  label: string,
  iova: bigint,
  length: bigint,
  {
    flags = ALL,
    address = arena(DATA_OFFSET),
    at = arena(0n),
  }: {
    readonly flags?: bigint;
    readonly address?: Value;
    readonly at?: Value;
  } = {},
) =>
  native(
    label,
    'iommufd',
    'IOMMU_IOAS_MAP',
    { flags, ioas_id: ioasId, user_va: address, length, iova },
    { at },
  );

const copy = (label: string, from: bigint, to: bigint, length: bigint, flags = ALL) =>
  native(label, 'iommufd', 'IOMMU_IOAS_COPY', {
    flags,
    dst_ioas_id: ioasId,
    src_ioas_id: ioasId,
    length,
    dst_iova: to,
    src_iova: from,
  });

const LAST_PAGE = 0xffff_ffff_ffff_f000n;
/** The greatest length that is not refused for itself. */
const WRAPPING = LAST_PAGE - 1n;

export const MAPPING = [
  example('an area may touch others and overlap none', [
    IOAS,
    [map('first', IOVA, 2n * PAGE), 'ioas-map/maps'],
    [map('behind', IOVA + 2n * PAGE, PAGE), 'ioas-map/maps'],
    [map('before', IOVA - PAGE, PAGE), 'ioas-map/maps'],
    [map('into', IOVA + PAGE, 4n * PAGE), 'mapping/overlaps'],
    [map('around', IOVA - 2n * PAGE, 8n * PAGE), 'mapping/overlaps'],
  ]),
  example('without a domain any byte can be mapped, up to the last one', [
    IOAS,
    [map('byte', 1n, 1n, { address: arena(DATA_OFFSET + 5n) }), 'ioas-map/maps'],
    [map('top', LAST_PAGE, PAGE), 'ioas-map/maps'],
    [map('wraps', LAST_PAGE, 2n * PAGE), 'mapping/wraps'],
    [map('greatest', (1n << 64n) - 1n, 1n), 'ioas-map/u64-max'],
  ]),
  example('a length whose page count wraps is refused, and one byte less is not', [
    IOAS,
    [map('wraps', 0n, WRAPPING, { address: 2n }), 'mapping/page-count-wraps'],
    [map('wraps-most', 0n, WRAPPING, { address: PAGE - 1n }), 'mapping/page-count-wraps'],
    [map('fits', 0n, WRAPPING, { address: 1n }), 'ioas-map/maps'],
  ]),
  example('a domain requires its alignment and its aperture', [
    IOAS,
    ATTACHED,
    [map('misaligned', IOVA + 1024n, PAGE), 'mapping/misaligned-iova'],
    [map('length', IOVA, 1024n), 'mapping/misaligned-length'],
    [
      map('offset', IOVA, PAGE, { address: arena(DATA_OFFSET + 1024n) }),
      'mapping/misaligned-offset',
    ],
    [map('below', IOVA - PAGE, 2n * PAGE), 'mapping/reserved'],
    [map('beyond', 0x7fff_f000n, 2n * PAGE), 'mapping/reserved'],
    [map('end', 0x7fff_f000n, PAGE), 'ioas-map/maps'],
  ]),
  example('memory that cannot be pinned for a domain is not mapped', [
    IOAS,
    ATTACHED,
    [
      mmap('device', DATA_OFFSET + 8n * PAGE, PAGE, 'read-write', { kind: 'device' }),
      'program-memory/maps',
    ],
    [map('hole', IOVA, PAGE, { address: arena(12n * PAGE) }), 'pinning/not-mapped'],
    [map('BAR', IOVA, PAGE, { address: arena(DATA_OFFSET + 8n * PAGE) }), 'pinning/not-memory'],
    [map('half way', IOVA, 16n * PAGE), 'pinning/not-memory'],
    [map('readOnly', IOVA, PAGE, { address: arena(128n * PAGE) }), 'pinning/not-writable'],
    [map('noAccess', IOVA, PAGE, { address: arena(144n * PAGE) }), 'pinning/not-accessible'],
    [map('lastPage', IOVA, 2048n, { address: LAST_PAGE }), 'pinning/wraps'],
    [
      map('read', IOVA, PAGE, { address: arena(128n * PAGE), flags: FIXED | READABLE }),
      'ioas-map/maps',
    ],
  ]),
  example(
    'a map that would pass the limit of locked memory leaves nothing pinned',
    [
      IOAS,
      ATTACHED,
      [map('ten', IOVA, 10n * PAGE), 'ioas-map/maps'],
      [map('eleven', IOVA + 16n * PAGE, 11n * PAGE), 'locked-memory/user-limit'],
      [map('again', IOVA + 16n * PAGE, 10n * PAGE), 'ioas-map/maps'],
      [map('one', IOVA + 32n * PAGE, PAGE), 'locked-memory/user-limit'],
      [copy('copy', IOVA, IOVA + 32n * PAGE, 10n * PAGE), 'ioas-copy/copies'],
    ],
    settingOf('mock', LIMITED),
  ),
  example('a map whose reply cannot be written stays', [
    IOAS,
    [map('map', IOVA, PAGE, { at: arena(READ_ONLY_STRUCT_OFFSET) }), 'ioas-map/reply-fault'],
    [map('again', IOVA, PAGE), 'mapping/overlaps'],
  ]),
  example('a copy whose reply cannot be written stays', [
    IOAS,
    [map('map', IOVA, PAGE), 'ioas-map/maps'],
    [
      native(
        'copy',
        'iommufd',
        'IOMMU_IOAS_COPY',
        {
          flags: ALL,
          dst_ioas_id: ioasId,
          src_ioas_id: ioasId,
          length: PAGE,
          dst_iova: IOVA + PAGE,
          src_iova: IOVA,
        },
        { at: arena(READ_ONLY_STRUCT_OFFSET) },
      ),
      'ioas-copy/reply-fault',
    ],
    [copy('again', IOVA, IOVA + PAGE, PAGE), 'mapping/overlaps'],
  ]),
  example('a copy spans areas that touch, and ends at a gap', [
    IOAS,
    [map('first', IOVA, PAGE), 'ioas-map/maps'],
    [map('second', IOVA + PAGE, PAGE), 'ioas-map/maps'],
    [copy('both', IOVA + 2048n, IOVA + 16n * PAGE, PAGE), 'ioas-copy/copies'],
    [copy('gap', IOVA, IOVA + 32n * PAGE, 3n * PAGE), 'ioas-copy/source-not-mapped'],
  ]),
  example('a read-only map cannot be copied as writable', [
    IOAS,
    [map('map', IOVA, PAGE, { flags: FIXED | READABLE }), 'ioas-map/maps'],
    [copy('writable', IOVA, IOVA + PAGE, PAGE), 'mapping/read-only-pages'],
    [copy('readable', IOVA, IOVA + PAGE, PAGE, FIXED | READABLE), 'ioas-copy/copies'],
  ]),
  example('the kernel chooses an IOVA in the allowed ranges, as aligned as the memory', [
    IOAS,
    [
      native(
        'allow',
        'iommufd',
        'IOMMU_IOAS_ALLOW_IOVAS',
        { ioas_id: ioasId, num_iovas: 2n, allowed_iovas: arena(6n * PAGE) },
        {
          also: [
            {
              at: arena(6n * PAGE),
              words: [0x1000n, 0x1ffen, 0x4000n, 0x7fffn],
            },
          ],
        },
      ),
      'ioas-allow-iovas/allows',
    ],
    [map('first', 0n, 2n * PAGE, { flags: WRITEABLE }), 'ioas-map/maps'],
    [map('second', 0n, 2n * PAGE, { flags: READABLE }), 'ioas-map/maps'],
    [map('third', 0n, 2n * PAGE, { flags: READABLE }), 'choosing-iova/no-space'],
    [map('small', 0n, 2048n, { flags: READABLE }), 'ioas-map/maps'],
  ]),
  example('a chosen IOVA is refused for lengths and memory that fit nowhere', [
    IOAS,
    ATTACHED,
    [map('length', 0n, 1n << 63n, { flags: READABLE, address: 0n }), 'choosing-iova/too-long'],
    [
      map('fine', 0n, PAGE, { flags: READABLE, address: arena(DATA_OFFSET + 4n) }),
      'choosing-iova/misaligned-address',
    ],
  ]),
  example('a file is pinned within its length only', [
    IOAS,
    ATTACHED,
    [memfd('file', 2n * PAGE), 'program-memory/creates-file'],
    [mapFile('whole', 0n, 2n * PAGE, IOVA), 'ioas-map-file/maps'],
    [mapFile('beyond', PAGE, 2n * PAGE, IOVA + 4n * PAGE), 'pinning/file-too-short'],
    [mapFile('nothing', PAGE, 0n, IOVA + 4n * PAGE), 'ioas-map-file/zero-length'],
    [mapFile('wraps', (1n << 64n) - PAGE, 2n * PAGE, IOVA + 4n * PAGE), 'ioas-map-file/wraps'],
    [mapFile('closed', 0n, PAGE, IOVA + 4n * PAGE, 77n), 'ioas-map-file/bad-descriptor'],
    [native('process', 'iommufd', 'IOMMU_IOAS_CHANGE_PROCESS', {}), 'ioas-change-process/changes'],
    [map('memory', IOVA + 4n * PAGE, PAGE), 'ioas-map/maps'],
    [
      native('refused', 'iommufd', 'IOMMU_IOAS_CHANGE_PROCESS', {}),
      'ioas-change-process/user-memory',
    ],
  ]),
  example('a file map whose reply cannot be written stays', [
    IOAS,
    [memfd('file', PAGE), 'program-memory/creates-file'],
    [
      native(
        'map',
        'iommufd',
        'IOMMU_IOAS_MAP_FILE',
        { flags: ALL, ioas_id: ioasId, fd: out('file'), length: PAGE, iova: IOVA },
        { at: arena(READ_ONLY_STRUCT_OFFSET) },
      ),
      'ioas-map-file/reply-fault',
    ],
    [map('again', IOVA, PAGE), 'mapping/overlaps'],
  ]),
  example('the compatibility layer maps without permission until a domain checks it', [
    COMPAT,
    [mapDma('none', IOVA, 0n), 'compat-map-dma/maps'],
    [test('attach', 'iommufd', 'MOCK_DOMAIN', { id: ioasId }), 'domains/no-permission'],
    [mapDma('flags', IOVA + PAGE, 8n), 'compat-map-dma/unknown-flags'],
    [
      vfio('cut', 'iommufd', 'VFIO_IOMMU_MAP_DMA', {}, { at: arena(STRUCT_LENGTH - 16n) }),
      'compat-map-dma/struct-fault',
    ],
  ]),
];

function mapFile(
  label: string,
  start: bigint,
  length: bigint,
  iova: bigint,
  fd: Value = out('file'),
) {
  return native(label, 'iommufd', 'IOMMU_IOAS_MAP_FILE', {
    flags: ALL,
    ioas_id: ioasId,
    fd,
    start,
    length,
    iova,
  });
}

function mapDma(label: string, iova: bigint, flags: bigint) {
  return vfio(label, 'iommufd', 'VFIO_IOMMU_MAP_DMA', {
    flags,
    vaddr: arena(DATA_OFFSET),
    iova,
    size: PAGE,
  });
}
