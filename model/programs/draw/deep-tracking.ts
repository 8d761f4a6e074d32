// Dirty pages of a mock domain, drawn: areas side by side and apart, which a test writes, the program asks for, unmaps and
// maps again.

import { HWPT_ALLOC_DIRTY_TRACKING } from '../../../spec/abi/native.ts';
import { ARRAY_OFFSET, DATA_OFFSET, READ_ONLY_OFFSET } from '../arena.ts';
import type { Label, Value } from '../program.ts';
import type { Range } from '../values.ts';
import { mapMemory } from './deep-tables.ts';
import { allocate, attach, open } from './first-calls.ts';
import { nativeCall } from './native-call.ts';
import type { Scene } from './scene.ts';
import { writeAreas } from './tracking.ts';

const PAGE = 4096n;
const HALF = PAGE / 2n;
const LOW = 0x100_0000n;
const UNTOUCHED = 0xaaaa_aaaa_aaaa_aaaan;
/** Of a bitmap that does not leave its page. */
const MOST_BITS = 4096n;
/** Words of it that are not zero before. */
const WORDS = 12;

type Tracked = { readonly fd: Value; readonly ioas: Value; readonly hwpt: Value };

const track = (scene: Scene, { fd, hwpt }: Tracked, flags: bigint): Label =>
  nativeCall(scene, 'track', fd, 'IOMMU_HWPT_SET_DIRTY_TRACKING', { hwpt_id: hwpt, flags });

/** Areas from LOW on, some without a gap between them: their ranges. */
const mapAreas = (scene: Scene, { fd, ioas }: Tracked): readonly Range[] => {
  const { dice } = scene;
  const ranges: Range[] = [];
  let at = LOW + dice.of([0n, 0n, HALF]);
  for (let count = dice.number(1, 5); count > 0; count -= 1) {
    const length = dice.of([PAGE, PAGE, 2n * PAGE, 3n * PAGE, 9n * PAGE, HALF, 3n * HALF]);
    const from = DATA_OFFSET + BigInt(dice.number(0, 40)) * PAGE + dice.of([0n, 0n, HALF]);
    mapMemory(scene, fd, ioas, from, length, at);
    ranges.push({ iova: at, length });
    at += length + dice.of([0n, 0n, PAGE, HALF]);
  }
  return ranges;
};

/** From one of the areas to the end of it or of a later one, now and then a page less or more. */
const spanOf = (scene: Scene, areas: readonly Range[]): Range => {
  const { dice } = scene;
  const first = dice.number(0, areas.length - 1);
  const last = dice.chance(1, 2) ? first : dice.number(first, areas.length - 1);
  const [from, to] = [areas[first] as Range, areas[last] as Range];
  const iova = from.iova - (dice.chance(1, 12) ? PAGE : 0n);
  return { iova, length: to.iova + to.length - iova + (dice.chance(1, 12) ? PAGE : 0n) };
};

const ask = (scene: Scene, { fd, hwpt }: Tracked, { iova, length }: Range): void => {
  const { dice } = scene;
  const both = iova | length;
  const sizes = [HALF, HALF, PAGE, 2n * PAGE, 512n, 1n].filter(
    (size) => both % size === 0n && length / size <= MOST_BITS,
  );
  const place = ARRAY_OFFSET + BigInt(dice.of([0, 0, 8, 1, 5, 4096 - 16]));
  const at = { arena: dice.chance(1, 20) ? READ_ONLY_OFFSET : place };
  const flags = dice.chance(1, 3) ? 1n : 0n;
  const fields = { hwpt_id: hwpt, flags, iova, length, page_size: dice.of(sizes), data: at };
  const words = new Array<bigint>(WORDS).fill(dice.of([0n, UNTOUCHED]));
  const place8 = { arena: ARRAY_OFFSET };
  nativeCall(scene, 'bitmap', fd, 'IOMMU_HWPT_GET_DIRTY_BITMAP', fields, [{ at: place8, words }]);
};

const write = (scene: Scene, { fd, hwpt }: Tracked, range: Range): void => {
  if (scene.release !== '7.3.4') return;
  const number = scene.draft.valueOf(fd);
  const on = scene.iommufds().find((one) => BigInt(one.fd) === number);
  if (on !== undefined) writeAreas(scene, on, hwpt, range);
};

/** The area goes, and often comes again, with nothing written in it. */
const renew = (scene: Scene, { fd, ioas }: Tracked, range: Range): void => {
  nativeCall(scene, 'unmap', fd, 'IOMMU_IOAS_UNMAP', { ioas_id: ioas, ...range });
  const from = DATA_OFFSET + (range.iova & HALF);
  if (scene.dice.chance(2, 3)) mapMemory(scene, fd, ioas, from, range.length, range.iova);
};

export const beginTracking = (scene: Scene): void => {
  const { dice } = scene;
  const fd = open(scene);
  const ioas = allocate(scene, fd);
  attach(scene, fd, ioas);
  const device = scene.draft.operations.at(-1)?.label ?? '';
  const label = nativeCall(scene, 'hwpt', fd, 'IOMMU_HWPT_ALLOC', {
    flags: BigInt(HWPT_ALLOC_DIRTY_TRACKING),
    dev_id: { from: device, out: 'out_idev_id' },
    pt_id: ioas,
  });
  const tracked = { fd, ioas, hwpt: { from: label, out: 'out_hwpt_id' } };
  const areas = mapAreas(scene, tracked);
  track(scene, tracked, 1n);
  write(scene, tracked, dice.of(areas));
  for (let count = dice.number(3, 9); count > 0; count -= 1) {
    const kind = dice.number(1, 12);
    if (kind <= 4) write(scene, tracked, dice.of(areas));
    else if (kind <= 9) ask(scene, tracked, spanOf(scene, areas));
    else if (kind <= 10) track(scene, tracked, dice.of([0n, 1n, 1n]));
    else renew(scene, tracked, dice.of(areas));
  }
};
