// Maps of a legacy container that lose the address of their memory and get one again: until all have one, no group joins.

import * as vfio from '../../../spec/abi/vfio.ts';
import { DATA_OFFSET } from '../arena.ts';
import type { Value } from '../program.ts';
import type { Scene } from './scene.ts';
import { mapPages } from './type1.ts';

const PAGE = 4096n;
const FIRST_IOVA = 0x100_0000n;
const VADDR = BigInt(vfio.VFIO_DMA_UNMAP_FLAG_VADDR);
const ALL = BigInt(vfio.VFIO_DMA_UNMAP_FLAG_ALL);
/** Pages of each map. */
const PAGES = 2n;

const take = (scene: Scene, container: Value, flags: bigint, iova: bigint, size: bigint): void =>
  scene.call('unmapDma', container, vfio.VFIO_IOMMU_UNMAP_DMA, 'VFIO_IOMMU_UNMAP_DMA', 24, {
    argsz: 24n,
    flags,
    iova,
    size,
  });

const give = (scene: Scene, container: Value, iova: bigint, pages: bigint): void =>
  scene.call('mapDma', container, vfio.VFIO_IOMMU_MAP_DMA, 'VFIO_IOMMU_MAP_DMA', 32, {
    argsz: 32n,
    flags: BigInt(vfio.VFIO_DMA_MAP_FLAG_VADDR),
    vaddr: { arena: DATA_OFFSET + 8n * PAGE },
    iova,
    size: pages * PAGE,
  });

/** Two maps, of which the second or both lose their address, mostly also to a call that is refused for it. */
export const drawTakenAddresses = (scene: Scene, container: Value): void => {
  const { dice } = scene;
  const second = FIRST_IOVA + PAGES * PAGE;
  for (const iova of [FIRST_IOVA, second]) mapPages(scene, container, iova, PAGES);
  if (dice.chance(1, 4)) take(scene, container, VADDR | ALL, 0n, 0n);
  else take(scene, container, VADDR, second, PAGES * PAGE);
  if (dice.chance(2, 3)) take(scene, container, VADDR | ALL, 0n, 0n);
  if (dice.chance(1, 3)) give(scene, container, second, dice.of([1n, 3n]));
  if (dice.chance(2, 3)) give(scene, container, second, PAGES);
};
