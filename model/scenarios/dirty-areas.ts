// SPDX-License-Identifier: MIT
// Generates dirty pages of a mock domain: adjacent and separate areas, which a test makes dirty and
// the program reads, unmaps and maps again.

import { HWPT_ALLOC_DIRTY_TRACKING } from '../../spec/abi/native.ts';
import { writeAreas } from '../generate/dirty-tracking.ts';
import type { GenContext } from '../generate/gen-context.ts';
import { nativeCall } from '../generate/native-call.ts';
import type { Range } from '../generate/values.ts';
import { ARRAY_OFFSET, DATA_OFFSET, READ_ONLY_OFFSET } from '../programs/arena.ts';
import type { Label, Value } from '../programs/program.ts';
import { mapMemory } from './areas-and-holes.ts';
import { allocate, attach, open } from './first-calls.ts';

const PAGE = 4096n;
const HALF = PAGE / 2n;
const LOW = 0x100_0000n;
const UNTOUCHED = 0xaaaa_aaaa_aaaa_aaaan;
/** Bits of a bitmap that stays in its page. */
const MOST_BITS = 4096n;
/** Words of the bitmap that are not zero before. */
const WORDS = 12;

type Tracked = { readonly fd: Value; readonly ioas: Value; readonly hwpt: Value };

const track = (gen: GenContext, { fd, hwpt }: Tracked, flags: bigint): Label =>
  nativeCall(gen, 'track', fd, 'IOMMU_HWPT_SET_DIRTY_TRACKING', { hwpt_id: hwpt, flags });

/** Areas from LOW on, some without a gap between them. Returns their ranges. */
const mapAreas = (gen: GenContext, { fd, ioas }: Tracked): readonly Range[] => {
  const { rng } = gen;
  const ranges: Range[] = [];
  let at = LOW + rng.of([0n, 0n, HALF]);
  for (let count = rng.number(1, 5); count > 0; count -= 1) {
    const length = rng.of([PAGE, PAGE, 2n * PAGE, 3n * PAGE, 9n * PAGE, HALF, 3n * HALF]);
    const from = DATA_OFFSET + BigInt(rng.number(0, 40)) * PAGE + rng.of([0n, 0n, HALF]);
    mapMemory(gen, fd, ioas, from, length, at);
    ranges.push({ iova: at, length });
    at += length + rng.of([0n, 0n, PAGE, HALF]);
  }
  return ranges;
};

/** From one of the areas to the end of it or of a later one, sometimes a page less or more. */
const spanOf = (gen: GenContext, areas: readonly Range[]): Range => {
  const { rng } = gen;
  const first = rng.number(0, areas.length - 1);
  const last = rng.chance(1, 2) ? first : rng.number(first, areas.length - 1);
  const [from, to] = [areas[first] as Range, areas[last] as Range];
  const iova = from.iova - (rng.chance(1, 12) ? PAGE : 0n);
  return { iova, length: to.iova + to.length - iova + (rng.chance(1, 12) ? PAGE : 0n) };
};

const ask = (gen: GenContext, { fd, hwpt }: Tracked, { iova, length }: Range): void => {
  const { rng } = gen;
  const both = iova | length;
  const sizes = [HALF, HALF, PAGE, 2n * PAGE, 512n, 1n].filter(
    (size) => both % size === 0n && length / size <= MOST_BITS,
  );
  const offset = ARRAY_OFFSET + BigInt(rng.of([0, 0, 8, 1, 5, 4096 - 16]));
  const at = { arena: rng.chance(1, 20) ? READ_ONLY_OFFSET : offset };
  const flags = rng.chance(1, 3) ? 1n : 0n;
  const fields = { hwpt_id: hwpt, flags, iova, length, page_size: rng.of(sizes), data: at };
  const words = new Array<bigint>(WORDS).fill(rng.of([0n, UNTOUCHED]));
  const address = { arena: ARRAY_OFFSET };
  nativeCall(gen, 'bitmap', fd, 'IOMMU_HWPT_GET_DIRTY_BITMAP', fields, [{ at: address, words }]);
};

const write = (gen: GenContext, { fd, hwpt }: Tracked, range: Range): void => {
  if (!gen.release.has.mockPageTables) return;
  const number = gen.builder.valueOf(fd);
  const on = gen.iommufds().find((one) => BigInt(one.fd) === number);
  if (on !== undefined) writeAreas(gen, on, hwpt, range);
};

/** Unmaps the area, and often maps it again, clean. */
const renew = (gen: GenContext, { fd, ioas }: Tracked, range: Range): void => {
  nativeCall(gen, 'unmap', fd, 'IOMMU_IOAS_UNMAP', { ioas_id: ioas, ...range });
  const from = DATA_OFFSET + (range.iova & HALF);
  if (gen.rng.chance(2, 3)) mapMemory(gen, fd, ioas, from, range.length, range.iova);
};

export const beginTracking = (gen: GenContext): void => {
  const { rng } = gen;
  const fd = open(gen);
  const ioas = allocate(gen, fd);
  attach(gen, fd, ioas);
  const device = gen.builder.operations.at(-1)?.label ?? '';
  const label = nativeCall(gen, 'hwpt', fd, 'IOMMU_HWPT_ALLOC', {
    flags: BigInt(HWPT_ALLOC_DIRTY_TRACKING),
    dev_id: { from: device, out: 'out_idev_id' },
    pt_id: ioas,
  });
  const tracked = { fd, ioas, hwpt: { from: label, out: 'out_hwpt_id' } };
  const areas = mapAreas(gen, tracked);
  track(gen, tracked, 1n);
  write(gen, tracked, rng.of(areas));
  for (let count = rng.number(3, 9); count > 0; count -= 1) {
    const kind = rng.number(1, 12);
    if (kind <= 4) write(gen, tracked, rng.of(areas));
    else if (kind <= 9) ask(gen, tracked, spanOf(gen, areas));
    else if (kind <= 10) track(gen, tracked, rng.of([0n, 1n, 1n]));
    else renew(gen, tracked, rng.of(areas));
  }
};
