// SPDX-License-Identifier: MIT
// For each Linux defect the shortest program that shows it, written by hand.

import type { HistoricalName } from '../../model/emulator/defects.ts';
import { DATA_LENGTH, DATA_OFFSET } from '../../model/programs/arena.ts';
import type { Operation } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { accessFd, IOVA, MIXED, MOCK, PAGE, VTD } from '../corpus/example.ts';
import {
  arena,
  close,
  mmap,
  native,
  open,
  out,
  test,
  vfio,
  vfioPlain,
} from '../helpers/operations.ts';
import { settingOf } from '../helpers/settings.ts';
import type { ShownDefect } from './shown-defect.ts';
import {
  ALL,
  access,
  allow,
  attached,
  bind,
  compat,
  detach,
  info,
  ioas,
  map,
  mock,
  opened,
  ownFile,
  pin,
  ranges,
  unmapDma,
  version1,
} from './shown-operations.ts';
import * as type1 from './shown-type1-operations.ts';

const shown = (
  defect: HistoricalName,
  program: readonly Operation[],
  setting: Setting = MOCK,
): ShownDefect => ({ defect, setting, program });

const END = 1n << 64n;
const BEHIND_DATA = DATA_OFFSET + DATA_LENGTH;
const otherIoas = native('other', 'iommufd', 'IOMMU_IOAS_ALLOC', {});
const otherId = out('other', 'out_ioas_id');

const attachTo = (label: string, ptId: ReturnType<typeof out>) =>
  vfio(label, 'device', 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', { pt_id: ptId });

const mmapBar = (pages: bigint): Operation =>
  mmap('BAR', BEHIND_DATA, pages * PAGE, 'read-write', { kind: 'device' });

const IOMMUFD: readonly ShownDefect[] = [
  shown(
    'type1-reported-without-iommu',
    [
      ...opened,
      open('group', '/dev/vfio/noiommu-0'),
      vfio('join', 'group', 'VFIO_GROUP_SET_CONTAINER', { fd: out('iommufd') }),
      vfioPlain('type1', 'iommufd', 'VFIO_CHECK_EXTENSION', 1n),
    ],
    settingOf('noiommu'),
  ),
  shown('reserved-range-wraps', [
    ...opened,
    test('reserve', 'iommufd', 'ADD_RESERVED', { id: 0n, start: 0n, length: 0n }),
  ]),
  shown(
    'bind-refuses-tokens-as-too-long',
    [
      ownFile,
      vfio('bind', 'device', 'VFIO_DEVICE_BIND_IOMMUFD', {
        argsz: 24n,
        flags: 1n,
        iommufd: 0n,
        token_uuid_ptr: arena(0n),
      }),
    ],
    VTD,
  ),
  shown('empty-unmap-enoent', [...compat, unmapDma(IOVA, PAGE)]),
  shown('map-without-read-write-accepted', [...opened, map('map', IOVA, PAGE, 1n)]),
  shown('unmapped-bytes-not-reported', [
    ...compat,
    map('first', IOVA, PAGE),
    map('second', IOVA + PAGE, 2n * PAGE),
    unmapDma(IOVA, 2n * PAGE),
  ]),
  shown('chosen-iova-wraps', [
    ...ioas,
    allow(0xffff_ffff_ffff_9000n, 0xffff_ffff_ffff_efffn),
    map('chosen', 0n, 5n * PAGE, 6n, arena(DATA_OFFSET)),
  ]),
  shown('user-address-wraps', [...ioas, map('map', IOVA, 2n * PAGE, ALL, (1n << 64n) - PAGE)]),
  shown('info-padding-leak', [...compat, info]),
  shown('stale-interval-after-cut', [
    ...version1,
    mock,
    map('map', IOVA, 2n * PAGE),
    unmapDma(IOVA, PAGE),
  ]),
  shown('pages-not-unpinned-with-access', [
    ...attached,
    map('map', IOVA, 2n * PAGE),
    access(1n),
    pin(IOVA, PAGE),
    detach,
  ]),
  shown('chosen-iova-alignment-unbounded', [...ioas, map('chosen', 0n, END / 2n - 2n, 6n, 0n)]),
  shown(
    'failed-replace-unreserves-the-old',
    [
      ...ioas,
      otherIoas,
      test('mock', 'iommufd', 'MOCK_DOMAIN', { id: otherId }),
      ownFile,
      bind,
      attachTo('attach', out('ioas', 'out_ioas_id')),
      attachTo('move', out('mock', 'out_hwpt_id')),
      ranges,
    ],
    VTD,
  ),
  shown('access-number-overwritten', [
    ...ioas,
    otherIoas,
    native('map', 'iommufd', 'IOMMU_IOAS_MAP', {
      flags: ALL,
      ioas_id: otherId,
      user_va: 0n,
      length: 2048n,
      iova: IOVA,
    }),
    test('first', 'iommufd', 'CREATE_ACCESS', { id: out('ioas', 'out_ioas_id'), flags: 0n }),
    access(1n),
    test('move', 'iommufd', 'ACCESS_REPLACE_IOAS', { id: accessFd, ioas_id: otherId }),
    close('leave', accessFd),
  ]),
  shown('hwpt-data-type-without-data', [
    ...opened,
    native('hwpt', 'iommufd', 'IOMMU_HWPT_ALLOC', { data_type: 1n }),
  ]),
  shown('checked-address-wraps', [
    ...opened,
    test('refs', 'iommufd', 'MD_CHECK_REFS', { length: PAGE, uptr: END - PAGE }),
  ]),
];

const TYPE1: readonly ShownDefect[] = [
  shown(
    'type1-end-of-all-not-seen',
    [
      ...type1.ready(7),
      type1.map('map', type1.LAST_PAGE, PAGE),
      type1.map('over', type1.LAST_PAGE, PAGE),
    ],
    MIXED,
  ),
  shown(
    'type1-overflow-not-reported',
    [...type1.ready(4), type1.unmap('unmap', type1.LAST_PAGE, 2n * PAGE)],
    VTD,
  ),
  shown('type1-capabilities-not-aligned', [...type1.ready(4), type1.info], VTD),
  shown('type1-capability-padding-leak', [...type1.ready(4), type1.info], VTD),
  shown(
    'type1-addresses-move-under-mdevs',
    [...type1.ready(7), vfioPlain('moves', 'container', 'VFIO_CHECK_EXTENSION', 10n)],
    MIXED,
  ),
  shown(
    'type1-leaving-loses-dirty-pages',
    [
      ...type1.ready(7, 4),
      type1.map('map', IOVA, PAGE),
      type1.dirtyPages('start', { flags: 1n }),
      type1.leave,
      type1.dirtyBitmap(IOVA, PAGE),
    ],
    MIXED,
  ),
  shown(
    'type1-bar-taken-for-memory',
    [
      ...type1.ready(4),
      mmapBar(1n),
      type1.map('map', IOVA, 2n * PAGE, 3n, arena(BEHIND_DATA - PAGE)),
    ],
    VTD,
  ),
  shown(
    'type1-failed-join-keeps-pins',
    [
      ...type1.ready(7),
      type1.map('map', IOVA, PAGE),
      type1.map('nowhere', IOVA + PAGE, PAGE, 3n, 0n),
      ...type1.group(4),
    ],
    MIXED,
  ),
  shown(
    'type1-bar-not-looked-up',
    [...type1.ready(4), mmapBar(2n), type1.map('map', IOVA, 2n * PAGE, 3n, arena(BEHIND_DATA))],
    VTD,
  ),
  shown(
    'type1-reserved-not-excluded',
    [...type1.ready(4), type1.map('reserved', 0xfee0_0000n, PAGE)],
    VTD,
  ),
  shown(
    'type1-mappings-not-limited',
    [
      ...type1.ready(4),
      ...Array.from({ length: MIXED.platform.dmaEntryLimit + 1 }, (_, index) =>
        type1.map(`map ${index}`, IOVA + BigInt(index) * PAGE, PAGE),
      ),
    ],
    MIXED,
  ),
  shown(
    'type1-last-page-not-unmapped',
    [...type1.ready(4), type1.unmap('unmap', type1.LAST_PAGE, PAGE)],
    VTD,
  ),
];

export const SHOWN_HISTORY: readonly ShownDefect[] = [...IOMMUFD, ...TYPE1];
