// SPDX-License-Identifier: MIT
// The dirty bitmaps of maps, and how the kernel copies them to the program: update_user_bitmap() in
// drivers/vfio/vfio_iommu_type1.c. No domain of type1 tracks writes, so every page that devices reach counts as dirty.
// The kernel shifts the bits within its own bitmap: bits that belong to no page can stay there, and a later report has
// them.

import { byteLength, PAGE_SIZE_BYTES, userAddress } from '../abi/units.ts';
import { DIRTY_BITMAP_PAGES_MAX } from '../abi/vfio.ts';
import { load, writableLength } from '../knowledge/user-copy.ts';
import { storedAt } from '../memory/contents.ts';
import { type Dma, type DmaNode, dmaLength } from '../state/container.ts';
import type { Memory } from '../state/memory.ts';
import type { IoctlCall, Segment } from '../terms/call.ts';

const WORD_BITS = 64n;

const pagesIn = (length: bigint): bigint => length / PAGE_SIZE_BYTES;

const ones = (count: bigint): bigint => (1n << count) - 1n;

const wordsFor = (bits: bigint): bigint => (bits + WORD_BITS - 1n) / WORD_BITS;

/** Whether the kernel can allocate a bitmap for a map of that many bytes. */
export const fitsBitmap = (length: bigint): boolean => pagesIn(length) <= DIRTY_BITMAP_PAGES_MAX;

/** The map with every page dirty. Other bits of its bitmap stay. */
export const allDirty = (dma: Dma, length: bigint): Dma => ({
  ...dma,
  dirty: (dma.dirty ?? 0n) | ones(pagesIn(length)),
});

/** The low `count` bytes of the bits, as little-endian words. */
const bytesOf = (bits: bigint, count: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(count);
  if (bits === 0n) return bytes;
  const view = new DataView(bytes.buffer);
  const low = BigInt.asUintN(count * 8, bits)
    .toString(16)
    .padStart(count * 2, '0');
  for (let at = 0; at < count; at += 1) {
    const from = low.length - 2 * at - 2;
    view.setUint8(at, Number.parseInt(low.slice(from, from + 2), 16));
  }
  return bytes;
};

const wordOf = (bytes: Uint8Array): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);

export type Reported = {
  /** The map after the report, for maps that stay. */
  readonly dma: Dma;
  readonly writes: readonly Segment[];
  /** The memory after the writes. */
  readonly memory: Memory;
  /** False if the program's bitmap could not be read, or not be written to its end. */
  readonly whole: boolean;
};

/** The bits moved to the position of the map in its first word of the program's bitmap. */
const shifted = (bits: bigint, pages: bigint, shift: bigint): bigint => {
  if (shift === 0n) return bits;
  const width = wordsFor(pages + shift) * WORD_BITS;
  const low = bits & ones(width);
  return (bits - low) | ((low << shift) & ones(width));
};

/**
 * Reports one map to the program's bitmap at `address`, whose first bit is the page at `base`. If the map starts inside
 * a word, the bits that the program has in that word stay.
 */
export const report = (
  memory: Memory,
  call: IoctlCall,
  node: DmaNode,
  base: bigint,
  address: bigint,
): Reported => {
  const dma = node.value;
  const pages = pagesIn(dmaLength(node));
  const offset = pagesIn(node.key - base);
  const shift = offset % WORD_BITS;
  const at = userAddress(BigInt.asUintN(64, address + (offset / WORD_BITS) * 8n));
  const known = (dma.dirty ?? 0n) | (dma.reached === undefined ? 0n : ones(pages));
  let bits = shifted(known, pages, shift);
  if (shift > 0n) {
    const before = load(memory, { ...call, memory: [] }, at, 8);
    if (before.kind === 'fault') {
      return { dma: { ...dma, dirty: bits }, writes: [], memory, whole: false };
    }
    if (before.kind === 'bytes') bits |= wordOf(before.bytes);
  }
  const length = Number(wordsFor(pages + shift) * 8n);
  const writable = writableLength(memory, call.process, at, length);
  const bytes = bytesOf(bits, writable);
  const write = { address: at, bytes };
  const after = storedAt(memory, call.process, at, bytes);
  if (writable < length) {
    return { dma: { ...dma, dirty: bits }, writes: [write], memory: after, whole: false };
  }
  // The kernel clears as many bits as there are pages, at their position before the shift.
  const left = (bits >> pages) << pages;
  return { dma: { ...dma, dirty: left }, writes: [write], memory: after, whole: true };
};

/** The size in bytes of a bitmap of that many bits, in the kernel's 64-bit arithmetic. */
export const bitmapBytes = (bits: bigint): bigint =>
  byteLength((BigInt.asUintN(64, bits + WORD_BITS - 1n) / WORD_BITS) * 8n);
