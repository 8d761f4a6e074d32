// SPDX-License-Identifier: MIT
// The first operations of programs about tables: areas whose memory several tables share, or partly
// unmapped memory.

import { MAP_FIXED_IOVA } from '../../spec/abi/native.ts';
import { PAGE_SIZE_BYTES } from '../../spec/abi/units.ts';
import type { GenContext } from '../generate/gen-context.ts';
import { nativeCall } from '../generate/native-call.ts';
import { DATA_OFFSET } from '../programs/arena.ts';
import type { Label, Value } from '../programs/program.ts';

const PAGE = PAGE_SIZE_BYTES;
const FIRST_IOVA = 0x100_0000n;
const WRITABLE = 7n;
const HALF = PAGE / 2n;
const CHOSEN = WRITABLE & ~BigInt(MAP_FIXED_IOVA);
/** At most so many pages each, contiguous in the program's memory, in a span for every area. */
const MOST_PAGES = 6;

const map = (
  gen: GenContext,
  fd: Value,
  ioas: Value,
  iova: bigint,
  offset: bigint,
  length: bigint,
): Label =>
  nativeCall(gen, 'map', fd, 'IOMMU_IOAS_MAP', {
    flags: WRITABLE,
    ioas_id: ioas,
    user_va: { arena: offset },
    length,
    iova,
  });

const unmapMemory = (gen: GenContext, offset: bigint, length: bigint): void =>
  gen.add({ op: 'munmap', label: gen.builder.label('memory'), offset, length });

/**
 * Two or three adjacent areas in `from`, copied together to `to`. The first must be undone if a
 * later one cannot be pinned: its memory is unmapped, or the limit on locked memory is reached.
 */
export const generateJointCopy = (gen: GenContext, fd: Value, from: Value, to: Value): void => {
  const { rng } = gen;
  const count = rng.number(2, 3);
  let iova = FIRST_IOVA;
  for (let index = 0; index < count; index += 1) {
    const offset = DATA_OFFSET + BigInt(index * 2 * MOST_PAGES) * PAGE;
    const length = BigInt(rng.number(1, MOST_PAGES)) * PAGE;
    map(gen, fd, from, iova, offset, length);
    iova += length;
    if (index > 0 && rng.chance(1, 3)) unmapMemory(gen, offset, length);
  }
  nativeCall(gen, 'copy', fd, 'IOMMU_IOAS_COPY', {
    flags: rng.chance(1, 2) ? WRITABLE : CHOSEN,
    dst_ioas_id: to,
    src_ioas_id: from,
    length: iova - FIRST_IOVA,
    dst_iova: FIRST_IOVA,
    src_iova: FIRST_IOVA,
  });
};

/**
 * An area in `from`, often with a page offset, and pages in its middle copied to `to`: unmapping
 * the area then keeps exactly those.
 */
export const generatePartCopy = (gen: GenContext, fd: Value, from: Value, to: Value): void => {
  const { rng } = gen;
  const inside = rng.of([0n, HALF, HALF]);
  const pages = rng.number(3, MOST_PAGES);
  const first = rng.number(1, pages - 2);
  map(gen, fd, from, FIRST_IOVA, DATA_OFFSET + inside, BigInt(pages) * PAGE);
  nativeCall(gen, 'copy', fd, 'IOMMU_IOAS_COPY', {
    flags: WRITABLE,
    dst_ioas_id: to,
    src_ioas_id: from,
    length: BigInt(rng.number(1, pages - 1 - first)) * PAGE,
    dst_iova: FIRST_IOVA,
    src_iova: FIRST_IOVA + BigInt(first) * PAGE - inside,
  });
};

/** An area whose last pages cannot be pinned any more. */
export const generateBrokenArea = (gen: GenContext, fd: Value, ioas: Value): void => {
  const { rng } = gen;
  const pages = rng.number(2, MOST_PAGES);
  map(gen, fd, ioas, FIRST_IOVA, DATA_OFFSET, BigInt(pages) * PAGE);
  unmapMemory(gen, DATA_OFFSET + BigInt(rng.number(1, pages - 1)) * PAGE, PAGE);
};
