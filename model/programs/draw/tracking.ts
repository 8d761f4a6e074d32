// Calls about what hardware can do and what it tracks, drawn: GET_HW_INFO, and the dirty pages of an hwpt.

import {
  HW_INFO_FLAG_INPUT_TYPE,
  HWPT_DIRTY_TRACKING_ENABLE,
  HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
} from '../../../spec/abi/native.ts';
import { HW_INFO_TYPE_SELFTEST } from '../../../spec/abi/test.ts';
import { objectId, U64_MAX } from '../../../spec/abi/units.ts';
import { SOFTWARE_IOMMU } from '../../../spec/hardware/templates.ts';
import { areaLength, firstMeeting } from '../../../spec/state/area.ts';
import { type Context, deviceAt, hwptAt } from '../../../spec/state/context.ts';
import type { Value } from '../program.ts';
import { drawAreaRange, drawArrayPlace, drawIova, drawLength, type Range } from '../values.ts';
import { send as sendNative } from './native.ts';
import type { IommufdDescriptor, Scene } from './scene.ts';
import { send as sendTest } from './test.ts';

const WORD = 8;
const UNTOUCHED = 0xaaaa_aaaa_aaaa_aaaan;

/** Whether what the device's hardware tells of itself is specified, or that it tells nothing. */
const isSpecified = (scene: Scene, context: Context, device: Value): boolean => {
  const found = deviceAt(context, objectId(Number(scene.draft.valueOf(device))));
  return found === undefined || found.mock !== undefined || found.iommu === SOFTWARE_IOMMU;
};

export const drawHwInfo = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const device = scene.object(on.context, 'device');
  const isOdd = dice.chance(1, 20);
  const fits = isSpecified(scene, on.context, device);
  const room = dice.of([0, 1, 4, 7, 8, 9, 16, 24]);
  const at = drawArrayPlace(dice, room);
  // A kernel that looks no further than the first reserved byte, which is an answer's, takes the others.
  const reserved = dice.of([0x100n, 0x1_0000n, 0x100_0000n]);
  const flags = dice.of([0, 0, 0, HW_INFO_FLAG_INPUT_TYPE, HW_INFO_FLAG_INPUT_TYPE]);
  sendNative(
    scene,
    on,
    'hwInfo',
    'IOMMU_GET_HW_INFO',
    40,
    {
      size: dice.chance(1, 8) ? 32n : 40n,
      flags: fits && !isOdd ? BigInt(flags) : dice.of([2n, 3n]),
      dev_id: device,
      data_len: BigInt(room),
      data_uptr: at,
      out_data_type: BigInt(dice.of([0, 0, 1, HW_INFO_TYPE_SELFTEST])),
      __reserved: dice.chance(1, 20) ? reserved : dice.of([0n, 7n]),
    },
    [{ at, words: Array.from({ length: Math.ceil(room / WORD) }, () => UNTOUCHED) }],
  );
};

export const drawSetTracking = (scene: Scene, on: IommufdDescriptor): void =>
  sendNative(scene, on, 'track', 'IOMMU_HWPT_SET_DIRTY_TRACKING', 16, {
    flags: scene.dice.chance(1, 15)
      ? scene.dice.of([2n, 3n])
      : BigInt(scene.dice.chance(2, 3) ? HWPT_DIRTY_TRACKING_ENABLE : 0),
    hwpt_id: scene.object(on.context, 'hwpt'),
    __reserved: scene.dice.of([0n, 0n, 1n]),
  });

/** A range of the table that the hwpt follows: mostly one that is mapped. */
const drawRange = (scene: Scene, context: Context, hwpt: Value): Range => {
  const { dice } = scene;
  const found = hwptAt(context, objectId(Number(scene.draft.valueOf(hwpt))));
  const table = found === undefined ? undefined : scene.table(context, BigInt(found.ioas));
  const range = table !== undefined && dice.chance(2, 3) ? drawAreaRange(dice, table) : undefined;
  return range ?? { iova: drawIova(dice, table), length: drawLength(dice) };
};

export const drawGetBitmap = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const hwpt = scene.object(on.context, 'hwpt');
  const { iova, length } = drawRange(scene, on.context, hwpt);
  const at = drawArrayPlace(dice, 2 * WORD);
  sendNative(
    scene,
    on,
    'bitmap',
    'IOMMU_HWPT_GET_DIRTY_BITMAP',
    48,
    {
      hwpt_id: hwpt,
      flags: dice.chance(1, 15)
        ? dice.of([2n, 3n])
        : BigInt(dice.chance(1, 3) ? HWPT_GET_DIRTY_BITMAP_NO_CLEAR : 0),
      __reserved: dice.chance(1, 25) ? 1n : 0n,
      iova,
      length: dice.chance(1, 12) ? 0n : length,
      page_size: dice.of([4096n, 4096n, 4096n, 2048n, 8192n, 0n, 1n, 3n, 0x800n + 1n, U64_MAX]),
      data: at,
    },
    [{ at, words: [UNTOUCHED, UNTOUCHED] }],
  );
};

const ONES = U64_MAX;
/** Of a mock domain. */
const LEAST_PAGE = 2048n;

/** Whole areas that a test writes behind an IOMMU's back: of parts it is not said how much is dirty. */
export const writeAreas = (
  scene: Scene,
  on: IommufdDescriptor,
  hwpt: Value,
  { iova, length }: Range,
): void => {
  const at = drawArrayPlace(scene.dice, WORD * 8);
  const words = new Array<bigint>(8).fill(ONES);
  const fields = { id: hwpt, iova, length, page_size: LEAST_PAGE, uptr: at };
  sendTest(scene, on, 'written', 'DIRTY', fields, [{ at, words }]);
};

/** What a test writes behind an IOMMU's back: whole areas where it can. */
export const drawWritten = (scene: Scene, on: IommufdDescriptor): void => {
  const { dice } = scene;
  const hwpt = scene.object(on.context, 'hwpt');
  const found = hwptAt(on.context, objectId(Number(scene.draft.valueOf(hwpt))));
  const refused = found === undefined || !found.tracking;
  const { iova, length } = drawRange(scene, on.context, hwpt);
  const table = found === undefined ? undefined : scene.table(on.context, BigInt(found.ioas));
  const area = table === undefined ? undefined : firstMeeting(table.areas, iova, U64_MAX);
  if (!refused && scene.release === '7.3.4' && area !== undefined && dice.chance(5, 6)) {
    writeAreas(scene, on, hwpt, { iova: area.key, length: areaLength(area) });
    return;
  }
  const size = refused ? dice.of([4096n, 2048n, 8192n, 1n, 3n, 0n]) : 0n;
  sendTest(scene, on, 'written', 'DIRTY', {
    id: hwpt,
    iova,
    length: dice.chance(1, 8) ? dice.of([0n, U64_MAX, (1n << 27n) + 1n, 1n << 27n]) : length,
    page_size: size,
    uptr: dice.chance(1, 10) ? 0n : drawArrayPlace(dice, WORD),
  });
};
