// SPDX-License-Identifier: MIT
// For each invented defect of the emulated legacy container the shortest program that shows it, written by hand.

import type { DefectName } from '../../model/emulator/defects.ts';
import { DATA_LENGTH, DATA_OFFSET } from '../../model/programs/arena.ts';
import type { Operation } from '../../model/programs/program.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { IOVA, MIXED, PAGE, VTD } from '../corpus/example.ts';
import { arena, getDeviceFd } from '../helpers/operations.ts';
import type { ShownDefect } from './shown-defect.ts';
import {
  dirtyBitmap,
  dirtyPages,
  group,
  info,
  leave,
  map,
  ready,
  unmap,
} from './shown-type1-operations.ts';

const shown = (
  defect: DefectName,
  program: readonly Operation[],
  setting: Setting = VTD,
): ShownDefect => ({ defect, setting, program });

export const SHOWN_TYPE1_DEFECTS: readonly ShownDefect[] = [
  shown('type1-wrong-errno-on-overlap', [
    ...ready(4),
    map('map', IOVA, PAGE),
    map('over', IOVA, PAGE),
  ]),
  shown('type1-unmap-takes-cut-mappings', [
    ...ready(4),
    map('map', IOVA, 2n * PAGE),
    unmap('part', IOVA, PAGE),
  ]),
  shown('type1-asked-size-written-back', [...ready(4), unmap('nothing', IOVA, PAGE)]),
  shown('type1-entry-not-returned', [...ready(4), map('fails', IOVA, PAGE, 3n, 0n), info]),
  shown('type1-capabilities-not-shifted', [...ready(4), info]),
  shown('type1-charge-not-returned', [
    ...ready(4),
    map('map', IOVA, PAGE),
    unmap('unmap', IOVA, PAGE),
  ]),
  shown('type1-failed-map-keeps-pins', [
    ...ready(4),
    map('beyond', IOVA, 2n * PAGE, 3n, arena(DATA_OFFSET + DATA_LENGTH - PAGE)),
  ]),
  shown('type1-read-only-mapped-writable', [...ready(4), map('map', IOVA, PAGE, 1n)]),
  shown(
    'type1-second-domain-not-unmapped',
    [...ready(4, 5), map('map', IOVA, PAGE), unmap('unmap', IOVA, PAGE)],
    MIXED,
  ),
  shown('type1-invalid-address-still-counted', [
    ...ready(4),
    map('map', IOVA, PAGE),
    unmap('invalid', IOVA, PAGE, 4n),
    unmap('unmap', IOVA, PAGE),
    ...group(5),
  ]),
  shown('type1-iommu-outlives-groups', [...ready(4), leave, info]),
  shown('type1-leaves-with-open-device', [
    ...ready(4),
    getDeviceFd('device', 'group 4', '0000:00:04.0'),
    leave,
  ]),
  shown('type1-bitmap-not-shifted', [
    ...ready(4),
    map('map', IOVA, PAGE),
    dirtyPages('start', { flags: 1n }),
    dirtyBitmap(IOVA - PAGE, 2n * PAGE),
  ]),
];
