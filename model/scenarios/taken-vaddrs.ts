// SPDX-License-Identifier: MIT
// Maps of a legacy container whose vaddr becomes invalid and is set again: until all are valid, no
// group can join.

import * as vfio from '../../spec/abi/vfio.ts';
import type { GenContext } from '../generate/gen-context.ts';
import { mapPages } from '../generate/type1.ts';
import { MAP_DMA, UNMAP_DMA } from '../generate/vfio-call.ts';
import { DATA_OFFSET } from '../programs/arena.ts';
import type { Value } from '../programs/program.ts';

const PAGE = 4096n;
const FIRST_IOVA = 0x100_0000n;
const VADDR = BigInt(vfio.VFIO_DMA_UNMAP_FLAG_VADDR);
const ALL = BigInt(vfio.VFIO_DMA_UNMAP_FLAG_ALL);
/** Pages of each map. */
const PAGES = 2n;

const take = (gen: GenContext, container: Value, flags: bigint, iova: bigint, size: bigint): void =>
  gen.call('unmapDma', container, UNMAP_DMA, {
    argsz: 24n,
    flags,
    iova,
    size,
  });

const give = (gen: GenContext, container: Value, iova: bigint, pages: bigint): void =>
  gen.call('mapDma', container, MAP_DMA, {
    argsz: 32n,
    flags: BigInt(vfio.VFIO_DMA_MAP_FLAG_VADDR),
    vaddr: { arena: DATA_OFFSET + 8n * PAGE },
    iova,
    size: pages * PAGE,
  });

/**
 * Two maps; the vaddr of the second or of both becomes invalid, mostly also by a call that is
 * refused.
 */
export const generateTakenAddresses = (gen: GenContext, container: Value): void => {
  const { rng } = gen;
  const second = FIRST_IOVA + PAGES * PAGE;
  for (const iova of [FIRST_IOVA, second]) mapPages(gen, container, iova, PAGES);
  if (rng.chance(1, 4)) take(gen, container, VADDR | ALL, 0n, 0n);
  else take(gen, container, VADDR, second, PAGES * PAGE);
  if (rng.chance(2, 3)) take(gen, container, VADDR | ALL, 0n, 0n);
  if (rng.chance(1, 3)) give(gen, container, second, rng.of([1n, 3n]));
  if (rng.chance(2, 3)) give(gen, container, second, PAGES);
};
