// SPDX-License-Identifier: MIT
// Removing the maps of a range, or invalidating their vaddrs, by ascending IOVA: the loop of vfio_dma_do_unmap() in
// drivers/vfio/vfio_iommu_type1.c.

import { atOrAfter, drop, put } from '../collections/ordered-map.ts';
import { type DmaNode, type Dmas, dmaLength, firstDmaIn, type Type1 } from '../state/container.ts';
import type { Memory } from '../state/memory.ts';
import type { IoctlCall, Segment } from '../terms/call.ts';
import { uncharged } from './detach-group.ts';
import { report } from './dirty-bitmap.ts';

export type Type1AndMemory = { readonly type1: Type1; readonly memory: Memory };

export type Unmapped =
  | (Type1AndMemory & {
      /** 'fault': the program's bitmap cannot be read or written. What was done before stays. */
      readonly kind: 'done' | 'fault';
      /** The bytes of the maps. */
      readonly bytes: bigint;
      readonly writes: readonly Segment[];
    })
  | { readonly kind: 'invalid already' };

/** The maps of the range, ascending. v1 stops at once if the range starts inside a map. */
function* mapsIn({ dmas, version }: Type1, start: bigint, last: bigint): Generator<DmaNode> {
  let node: DmaNode | undefined = firstDmaIn(dmas, start, last);
  while (node !== undefined && node.key <= last) {
    if (version === 1 && start > node.key) return;
    yield node;
    node = atOrAfter(dmas, node.value.last + 1n);
  }
}

/** Invalidates the vaddrs of all maps of the range, which must be valid. */
export const invalidateVaddrs = (state: Type1AndMemory, start: bigint, last: bigint): Unmapped => {
  let { dmas, invalidVaddrs } = state.type1;
  let bytes = 0n;
  for (const node of mapsIn(state.type1, start, last)) {
    if (node.value.vaddrInvalid) return { kind: 'invalid already' };
    dmas = put(dmas, node.key, { ...node.value, vaddrInvalid: true });
    invalidVaddrs += 1;
    bytes += dmaLength(node);
  }
  const type1 = { ...state.type1, dmas, invalidVaddrs };
  return { type1, memory: state.memory, kind: 'done', bytes, writes: [] };
};

/** Removes the maps of the range. With a bitmap, the dirty pages of each map are reported first. */
export const removeMaps = (
  state: Type1AndMemory,
  call: IoctlCall,
  start: bigint,
  last: bigint,
  bitmap: bigint | undefined,
): Unmapped => {
  let { memory } = state;
  let dmas: Dmas = state.type1.dmas;
  let { available, invalidVaddrs } = state.type1;
  let bytes = 0n;
  const writes: Segment[] = [];
  let isWhole = true;
  for (const node of mapsIn(state.type1, start, last)) {
    if (bitmap !== undefined) {
      const reported = report(memory, call, node, start, bitmap);
      writes.push(...reported.writes);
      memory = reported.memory;
      isWhole = reported.whole;
      if (!isWhole) {
        dmas = put(dmas, node.key, reported.dma);
        break;
      }
    }
    memory = uncharged(memory, node.value);
    dmas = drop(dmas, node.key);
    available += 1;
    if (node.value.vaddrInvalid) invalidVaddrs -= 1;
    bytes += dmaLength(node);
  }
  const type1 = { ...state.type1, dmas, available, invalidVaddrs };
  return { type1, memory, kind: isWhole ? 'done' : 'fault', bytes, writes };
};
