// SPDX-License-Identifier: MIT
// Generates calls about hardware capabilities and dirty tracking: GET_HW_INFO, and the dirty pages
// of a hwpt.

import {
  HW_INFO_FLAG_INPUT_TYPE,
  HWPT_DIRTY_TRACKING_ENABLE,
  HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
} from '../../spec/abi/native.ts';
import { HW_INFO_TYPE_SELFTEST } from '../../spec/abi/test.ts';
import { objectId, U64_MAX } from '../../spec/abi/units.ts';
import { SOFTWARE_IOMMU } from '../../spec/hardware/templates.ts';
import { areaLength, firstOverlapping } from '../../spec/state/area.ts';
import { type Context, deviceAt, hwptAt } from '../../spec/state/context.ts';
import type { Value } from '../programs/program.ts';
import type { GenContext, IommufdDescriptor } from './gen-context.ts';
import { send as sendNative } from './native.ts';
import { send as sendTest } from './test-commands.ts';
import {
  generateAreaRange,
  generateArrayAddress,
  generateIova,
  generateLength,
  type Range,
} from './values.ts';

const WORD = 8;
const UNTOUCHED = 0xaaaa_aaaa_aaaa_aaaan;

/** Whether the reply for the device's hardware is specified, or is empty. */
const isSpecified = (gen: GenContext, context: Context, device: Value): boolean => {
  const found = deviceAt(context, objectId(Number(gen.builder.valueOf(device))));
  return found === undefined || found.mock !== undefined || found.iommu === SOFTWARE_IOMMU;
};

export const generateHwInfo = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const device = gen.object(on.context, 'device');
  const isInvalid = rng.chance(1, 20);
  const fits = isSpecified(gen, on.context, device);
  const room = rng.of([0, 1, 4, 7, 8, 9, 16, 24]);
  const at = generateArrayAddress(rng, room);
  // A kernel that checks only the first reserved byte, which is part of the reply, accepts the
  // others.
  const reserved = rng.of([0x100n, 0x1_0000n, 0x100_0000n]);
  const flags = rng.of([0, 0, 0, HW_INFO_FLAG_INPUT_TYPE, HW_INFO_FLAG_INPUT_TYPE]);
  sendNative(
    gen,
    on,
    'hwInfo',
    'IOMMU_GET_HW_INFO',
    40,
    {
      size: rng.chance(1, 8) ? 32n : 40n,
      flags: fits && !isInvalid ? BigInt(flags) : rng.of([2n, 3n]),
      dev_id: device,
      data_len: BigInt(room),
      data_uptr: at,
      out_data_type: BigInt(rng.of([0, 0, 1, HW_INFO_TYPE_SELFTEST])),
      __reserved: rng.chance(1, 20) ? reserved : rng.of([0n, 7n]),
    },
    [{ at, words: Array.from({ length: Math.ceil(room / WORD) }, () => UNTOUCHED) }],
  );
};

export const generateSetTracking = (gen: GenContext, on: IommufdDescriptor): void =>
  sendNative(gen, on, 'track', 'IOMMU_HWPT_SET_DIRTY_TRACKING', 16, {
    flags: gen.rng.chance(1, 15)
      ? gen.rng.of([2n, 3n])
      : BigInt(gen.rng.chance(2, 3) ? HWPT_DIRTY_TRACKING_ENABLE : 0),
    hwpt_id: gen.object(on.context, 'hwpt'),
    __reserved: gen.rng.of([0n, 0n, 1n]),
  });

/** A range of the hwpt's IOAS: mostly a mapped one. */
const generateRange = (gen: GenContext, context: Context, hwpt: Value): Range => {
  const { rng } = gen;
  const found = hwptAt(context, objectId(Number(gen.builder.valueOf(hwpt))));
  const table = found === undefined ? undefined : gen.table(context, BigInt(found.ioas));
  const range = table !== undefined && rng.chance(2, 3) ? generateAreaRange(rng, table) : undefined;
  return range ?? { iova: generateIova(rng, table), length: generateLength(rng) };
};

export const generateGetBitmap = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const hwpt = gen.object(on.context, 'hwpt');
  const { iova, length } = generateRange(gen, on.context, hwpt);
  const at = generateArrayAddress(rng, 2 * WORD);
  sendNative(
    gen,
    on,
    'bitmap',
    'IOMMU_HWPT_GET_DIRTY_BITMAP',
    48,
    {
      hwpt_id: hwpt,
      flags: rng.chance(1, 15)
        ? rng.of([2n, 3n])
        : BigInt(rng.chance(1, 3) ? HWPT_GET_DIRTY_BITMAP_NO_CLEAR : 0),
      __reserved: rng.chance(1, 25) ? 1n : 0n,
      iova,
      length: rng.chance(1, 12) ? 0n : length,
      page_size: rng.of([4096n, 4096n, 4096n, 2048n, 8192n, 0n, 1n, 3n, 0x800n + 1n, U64_MAX]),
      data: at,
    },
    [{ at, words: [UNTOUCHED, UNTOUCHED] }],
  );
};

const ONES = U64_MAX;
/** Of a mock domain. */
const LEAST_PAGE = 2048n;

/** Whole areas that a test makes dirty: for parts it is unspecified which pages become dirty. */
export const writeAreas = (
  gen: GenContext,
  on: IommufdDescriptor,
  hwpt: Value,
  { iova, length }: Range,
): void => {
  const at = generateArrayAddress(gen.rng, WORD * 8);
  const words = new Array<bigint>(8).fill(ONES);
  const fields = { id: hwpt, iova, length, page_size: LEAST_PAGE, uptr: at };
  sendTest(gen, on, 'written', 'DIRTY', fields, [{ at, words }]);
};

/** What a test makes dirty: whole areas if it can. */
export const generateWritten = (gen: GenContext, on: IommufdDescriptor): void => {
  const { rng } = gen;
  const hwpt = gen.object(on.context, 'hwpt');
  const found = hwptAt(on.context, objectId(Number(gen.builder.valueOf(hwpt))));
  const refused = found === undefined || !found.tracking;
  const { iova, length } = generateRange(gen, on.context, hwpt);
  const table = found === undefined ? undefined : gen.table(on.context, BigInt(found.ioas));
  const area = table === undefined ? undefined : firstOverlapping(table.areas, iova, U64_MAX);
  if (!refused && gen.release.has.mockPageTables && area !== undefined && rng.chance(5, 6)) {
    writeAreas(gen, on, hwpt, { iova: area.key, length: areaLength(area) });
    return;
  }
  const size = refused ? rng.of([4096n, 2048n, 8192n, 1n, 3n, 0n]) : 0n;
  sendTest(gen, on, 'written', 'DIRTY', {
    id: hwpt,
    iova,
    length: rng.chance(1, 8) ? rng.of([0n, U64_MAX, (1n << 27n) + 1n, 1n << 27n]) : length,
    page_size: size,
    uptr: rng.chance(1, 10) ? 0n : generateArrayAddress(rng, WORD),
  });
};
