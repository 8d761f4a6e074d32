// SPDX-License-Identifier: MIT
// What the legacy container knows of written pages, and how it copies that to the program: update_user_bitmap() in
// drivers/vfio/vfio_iommu_type1.c. No domain of type1 tracks writes, so that every page that a device reaches counts as
// written. Bits are shifted within the kernel's own words, and some that are no page's stay there and are seen later.

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

/** Whether a bitmap for that many bytes of IOVAs can be had. */
export const fitsBitmap = (length: bigint): boolean => pagesIn(length) <= DIRTY_BITMAP_PAGES_MAX;

/** The map with every page counted as written, over whatever its bitmap holds beside. */
export const allDirty = (dma: Dma, length: bigint): Dma => ({
  ...dma,
  dirty: (dma.dirty ?? 0n) | ones(pagesIn(length)),
});

/** `count` bytes of little-endian words, from bit 0 on. */
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
  /** The map after the report, if it stays. */
  readonly dma: Dma;
  readonly writes: readonly Segment[];
  /** With what was written. */
  readonly memory: Memory;
  /** False where the program's bitmap could not be read or written to its end. */
  readonly whole: boolean;
};

/** Bits set for what devices may have written, then moved to where the map lies in the program's bitmap. */
const shifted = (bits: bigint, pages: bigint, shift: bigint): bigint => {
  if (shift === 0n) return bits;
  const width = wordsFor(pages + shift) * WORD_BITS;
  const low = bits & ones(width);
  return (bits - low) | ((low << shift) & ones(width));
};

/**
 * The map's part of a bitmap of the program's at `address` that begins with the page at `base`. What the
 * program had in the word that it shares with what lies before stays there.
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
  // Only as many bits are cleared as there are pages, from where they were before the shift.
  const left = (bits >> pages) << pages;
  return { dma: { ...dma, dirty: left }, writes: [write], memory: after, whole: true };
};

/** Bytes of a bitmap of that many bits, as the kernel computes it with 64 bits. */
export const bitmapBytes = (bits: bigint): bigint =>
  byteLength((BigInt.asUintN(64, bits + WORD_BITS - 1n) / WORD_BITS) * 8n);
