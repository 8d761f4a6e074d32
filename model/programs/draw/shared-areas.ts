// What programs about tables begin with: areas whose memory several tables share, or of which a part has gone.

import { MAP_FIXED_IOVA } from '../../../spec/abi/native.ts';
import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import { DATA_OFFSET } from '../arena.ts';
import type { Label, Value } from '../program.ts';
import { nativeCall } from './native-call.ts';
import type { Scene } from './scene.ts';

const PAGE = PAGE_SIZE_BYTES;
const FIRST_IOVA = 0x100_0000n;
const WRITABLE = 7n;
const HALF = PAGE / 2n;
const CHOSEN = WRITABLE & ~BigInt(MAP_FIXED_IOVA);
/** Each has at most so many pages, in a row of the program's memory and of another for every area. */
const MOST_PAGES = 6;

const map = (
  scene: Scene,
  fd: Value,
  ioas: Value,
  iova: bigint,
  offset: bigint,
  length: bigint,
): Label =>
  nativeCall(scene, 'map', fd, 'IOMMU_IOAS_MAP', {
    flags: WRITABLE,
    ioas_id: ioas,
    user_va: { arena: offset },
    length,
    iova,
  });

const unmapMemory = (scene: Scene, offset: bigint, length: bigint): void =>
  scene.add({ op: 'munmap', label: scene.draft.label('memory'), offset, length });

/**
 * Two or three areas side by side in `from`, copied together to `to`. What is done for the first must be undone where a
 * later one cannot be pinned: its memory has gone, or the limit on locked memory is met.
 */
export const drawJointCopy = (scene: Scene, fd: Value, from: Value, to: Value): void => {
  const { dice } = scene;
  const count = dice.number(2, 3);
  let iova = FIRST_IOVA;
  for (let index = 0; index < count; index += 1) {
    const offset = DATA_OFFSET + BigInt(index * 2 * MOST_PAGES) * PAGE;
    const length = BigInt(dice.number(1, MOST_PAGES)) * PAGE;
    map(scene, fd, from, iova, offset, length);
    iova += length;
    if (index > 0 && dice.chance(1, 3)) unmapMemory(scene, offset, length);
  }
  nativeCall(scene, 'copy', fd, 'IOMMU_IOAS_COPY', {
    flags: dice.chance(1, 2) ? WRITABLE : CHOSEN,
    dst_ioas_id: to,
    src_ioas_id: from,
    length: iova - FIRST_IOVA,
    dst_iova: FIRST_IOVA,
    src_iova: FIRST_IOVA,
  });
};

/**
 * An area in `from`, often one that begins inside a page, and pages in its middle copied to `to`: who lets go of the area
 * then keeps those, and nothing else.
 */
export const drawPartCopy = (scene: Scene, fd: Value, from: Value, to: Value): void => {
  const { dice } = scene;
  const inside = dice.of([0n, HALF, HALF]);
  const pages = dice.number(3, MOST_PAGES);
  const first = dice.number(1, pages - 2);
  map(scene, fd, from, FIRST_IOVA, DATA_OFFSET + inside, BigInt(pages) * PAGE);
  nativeCall(scene, 'copy', fd, 'IOMMU_IOAS_COPY', {
    flags: WRITABLE,
    dst_ioas_id: to,
    src_ioas_id: from,
    length: BigInt(dice.number(1, pages - 1 - first)) * PAGE,
    dst_iova: FIRST_IOVA,
    src_iova: FIRST_IOVA + BigInt(first) * PAGE - inside,
  });
};

/** An area whose later pages nobody can pin any more. */
export const drawBrokenArea = (scene: Scene, fd: Value, ioas: Value): void => {
  const { dice } = scene;
  const pages = dice.number(2, MOST_PAGES);
  map(scene, fd, ioas, FIRST_IOVA, DATA_OFFSET, BigInt(pages) * PAGE);
  unmapMemory(scene, DATA_OFFSET + BigInt(dice.number(1, pages - 1)) * PAGE, PAGE);
};
