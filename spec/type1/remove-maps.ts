// SPDX-License-Identifier: MIT
// Removing the maps of a range, or invalidating their vaddrs, by ascending IOVA: the loop of vfio_dma_do_unmap() in
// drivers/vfio/vfio_iommu_type1.c.

import { atOrAfter, drop, put } from '../collections/ordered-map.ts';
import { type DmaNode, dmaLength, type Type1 } from '../state/container.ts';
import type { Memory } from '../state/memory.ts';
import type { Segment } from '../terms/call.ts';
import type { IovaRange } from '../terms/platform.ts';
import { uncharged } from './detach-group.ts';
import { report } from './dirty-bitmap.ts';
import type { Search } from './find-dma.ts';
import type { Type1Request } from './request.ts';

export type Unmapped =
  | {
      /** 'fault': the program's bitmap cannot be read or written. What was done before stays. */
      readonly kind: 'done' | 'fault';
      readonly type1: Type1;
      readonly memory: Memory;
      /** The bytes of the maps. */
      readonly bytes: bigint;
      readonly writes: readonly Segment[];
    }
  | { readonly kind: 'invalid already' };

/** The maps of the range, of which `search` has the first. v1 stops at once if the range starts inside a map. */
function* mapsFrom(
  search: Search,
  { dmas, version }: Type1,
  { start, last }: IovaRange,
): Generator<DmaNode> {
  let node = search.kind === 'found' ? search.node : undefined;
  while (node !== undefined && node.key <= last) {
    if (version === 1 && start > node.key) return;
    yield node;
    node = atOrAfter(dmas, node.value.last + 1n);
  }
}

/** Invalidates the vaddrs of all maps of the range, which must be valid. */
export const invalidateVaddrs = (
  { world, type1 }: Type1Request,
  search: Search,
  range: IovaRange,
): Unmapped => {
  let { dmas, invalidVaddrs } = type1;
  let bytes = 0n;
  for (const node of mapsFrom(search, type1, range)) {
    if (node.value.vaddrInvalid) return { kind: 'invalid already' };
    dmas = put(dmas, node.key, { ...node.value, vaddrInvalid: true });
    invalidVaddrs += 1;
    bytes += dmaLength(node);
  }
  const after = { ...type1, dmas, invalidVaddrs };
  return { kind: 'done', type1: after, memory: world.memory, bytes, writes: [] };
};

/** Removes the maps of the range. With a bitmap, the dirty pages of each map are reported first. */
export const removeMaps = (
  { world, type1, call }: Type1Request,
  search: Search,
  range: IovaRange,
  bitmap: bigint | undefined,
): Unmapped => {
  let { memory } = world;
  let { dmas, available, invalidVaddrs } = type1;
  let bytes = 0n;
  const writes: Segment[] = [];
  const unmapped = (kind: 'done' | 'fault'): Unmapped => {
    const after = { ...type1, dmas, available, invalidVaddrs };
    return { kind, type1: after, memory, bytes, writes };
  };
  for (const node of mapsFrom(search, type1, range)) {
    if (bitmap !== undefined) {
      const reported = report(memory, call, node, { base: range.start, address: bitmap });
      writes.push(...reported.writes);
      memory = reported.memory;
      if (!reported.whole) {
        dmas = put(dmas, node.key, reported.dma);
        return unmapped('fault');
      }
    }
    memory = uncharged(memory, node.value);
    dmas = drop(dmas, node.key);
    available += 1;
    if (node.value.vaddrInvalid) invalidVaddrs -= 1;
    bytes += dmaLength(node);
  }
  return unmapped('done');
};
