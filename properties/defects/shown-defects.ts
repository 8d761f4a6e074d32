// SPDX-License-Identifier: MIT
// For each deliberate defect of the emulator the shortest program that shows it, written by hand, and where a campaign
// is to find it.

import type { DefectName } from '../../model/emulator/defects.ts';
import { DATA_OFFSET, READ_ONLY_STRUCT_OFFSET, SHARED_OFFSET } from '../../model/programs/arena.ts';
import type { Operation } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { accessFd, IOVA, ioasId, MOCK, PAGE, VTD } from '../corpus/example.ts';
import {
  arena,
  dma,
  native,
  open,
  out,
  store,
  test,
  vfio,
  vfioPlain,
} from '../helpers/operations.ts';
import { LIMITED, settingOf } from '../helpers/settings.ts';
import type { ShownDefect } from './shown-defect.ts';
import { SHOWN_HISTORY } from './shown-history.ts';
import { SHOWN_NOIOMMU_DEFECTS } from './shown-noiommu-defects.ts';
import {
  ALL,
  access,
  allow,
  attached,
  bind,
  compat,
  copy,
  destroy,
  device,
  info,
  ioas,
  map,
  mapDma,
  mock,
  opened,
  ownFile,
  pin,
  READ_FIXED,
  ranges,
  unmap,
  unmapDma,
  version1,
  withGroup,
} from './shown-operations.ts';
import { SHOWN_TYPE1_DEFECTS } from './shown-type1-defects.ts';

const shown = (
  defect: DefectName,
  program: readonly Operation[],
  setting: Setting = MOCK,
): ShownDefect => ({
  defect,
  setting,
  program,
});

const LIMITED_MOCK = settingOf('mock', LIMITED);

export const SHOWN_DEFECTS: readonly ShownDefect[] = [
  shown('wrong-errno-on-overlap', [...ioas, map('map', IOVA, PAGE), map('over', IOVA, PAGE)]),
  shown('cut-off-by-one', [...version1, map('map', IOVA, 3n * PAGE), unmapDma(IOVA, PAGE)]),
  shown('second-domain-not-unmapped', [
    ...attached,
    native('second', 'iommufd', 'IOMMU_HWPT_ALLOC', {
      dev_id: out('mock', 'out_idev_id'),
      pt_id: ioasId,
    }),
    map('map', IOVA, PAGE),
    unmap('unmap', IOVA, PAGE),
  ]),
  shown('size-not-written-back', [...compat, unmapDma(IOVA, PAGE)]),
  shown('aperture-end-off-by-one', [...attached, ranges]),
  shown('copy-does-not-share-pins', [...attached, map('map', IOVA, PAGE), copy(ALL)]),
  shown('reserved-ignored-when-allowed', [
    ...attached,
    allow(IOVA, IOVA + PAGE),
    map('reserved', 0n, PAGE),
  ]),
  shown('unmap-all-stops-at-first-area', [
    ...ioas,
    map('first', IOVA, PAGE),
    map('second', IOVA + PAGE, PAGE),
    unmap('everything', 0n, (1n << 64n) - 1n),
  ]),
  shown('access-not-notified', [
    ...ioas,
    map('map', IOVA, PAGE),
    access(1n),
    pin(IOVA, PAGE),
    unmap('unmap', IOVA, PAGE),
  ]),
  shown('pin-count-leak-on-failed-map', [
    ...attached,
    map('beyond', IOVA, 2n * PAGE, ALL, arena(SHARED_OFFSET + 15n * PAGE)),
  ]),
  // An access whose reply cannot be written is removed, and with it its alignment.
  shown('alignment-not-recalculated', [
    ...ioas,
    test(
      'access',
      'iommufd',
      'CREATE_ACCESS',
      { id: ioasId, flags: 1n },
      { at: arena(READ_ONLY_STRUCT_OFFSET) },
    ),
  ]),
  shown('tail-not-checked', [
    ...opened,
    native('ioas', 'iommufd', 'IOMMU_IOAS_ALLOC', { size: 20n }, { tail: '0000000000000001' }),
  ]),
  shown('coherency-always-yes', [
    ...compat,
    mock,
    vfioPlain('coherent', 'iommufd', 'VFIO_CHECK_EXTENSION', 4n),
  ]),
  shown('compat-ioas-not-cleared-on-destroy', [
    ...compat,
    destroy,
    vfioPlain('coherent', 'iommufd', 'VFIO_CHECK_EXTENSION', 4n),
  ]),
  shown('read-only-mapped-writable', [...attached, map('map', IOVA, PAGE, READ_FIXED)]),
  shown(
    'charge-not-returned',
    [...attached, map('map', IOVA, PAGE), unmap('unmap', IOVA, PAGE)],
    LIMITED_MOCK,
  ),
  shown('unmap-truncates-areas', [...ioas, map('map', IOVA, 2n * PAGE), unmap('part', IOVA, PAGE)]),
  shown('destroy-of-used-object', [...attached, destroy]),
  // The second time the device has another number than 2, which then names nothing.
  shown('ids-not-reused', [
    ...opened,
    test('first', 'iommufd', 'MOCK_DOMAIN', { id: 2n }),
    test('second', 'iommufd', 'MOCK_DOMAIN', { id: 2n }),
  ]),
  shown('copy-ignores-permission', [...ioas, map('map', IOVA, PAGE, READ_FIXED), copy(ALL)]),
  shown('domain-fill-forgets-areas', [...ioas, map('map', IOVA, PAGE), mock]),
  shown('reserved-region-not-enforced', [...withGroup, device, info], VTD),
  shown('allowed-not-consulted', [...ioas, allow(IOVA, IOVA + PAGE), map('chosen', 0n, PAGE, 6n)]),
  shown('second-open-of-group', [open('group', '/dev/vfio/4'), open('again', '/dev/vfio/4')], VTD),
  shown('bind-while-group-open', [open('group', '/dev/vfio/4'), ownFile, bind], VTD),
  shown(
    'unanswered-attach-stays',
    [
      ...ioas,
      ownFile,
      bind,
      vfio(
        'attach',
        'device',
        'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
        { pt_id: ioasId },
        { at: arena(READ_ONLY_STRUCT_OFFSET) },
      ),
    ],
    VTD,
  ),
  shown('capability-chain-cut', [...compat, info]),
  shown('failed-unmap-writes-nothing', [...compat, unmapDma((1n << 64n) - PAGE, 2n * PAGE)]),
  shown('access-write-ignores-permission', [
    ...ioas,
    map('map', IOVA, PAGE),
    copy(READ_FIXED),
    access(0n),
    test('write', 'iommufd', 'ACCESS_RW', {
      id: accessFd,
      iova: IOVA + 16n * PAGE,
      length: 1n,
      uptr: arena(6n * PAGE),
      flags: 1n,
    }),
  ]),
  shown(
    'iotlb-not-flushed',
    [
      ...withGroup,
      device,
      mapDma,
      dma('reach', 'device', 'read', IOVA, 8),
      unmapDma(IOVA, PAGE),
      store('store', DATA_OFFSET, 'ff'),
      dma('again', 'device', 'write', IOVA, 8, DATA_OFFSET),
    ],
    VTD,
  ),
  ...SHOWN_NOIOMMU_DEFECTS,
  ...SHOWN_TYPE1_DEFECTS,
  ...SHOWN_HISTORY,
];
