// SPDX-License-Identifier: MIT
// The dirty bitmaps of maps, and how the kernel copies them to the program: update_user_bitmap() in
// drivers/vfio/vfio_iommu_type1.c. No domain of type1 tracks writes, so every page that devices reach counts as dirty.
// The kernel shifts the bits within its own bitmap: bits that belong to no page can stay there, and a later report has
// them.

import { u64At } from '../abi/bytes.ts';
import { bytesOfHex } from '../abi/bytes-text.ts';
import { byteLength, PAGE_SIZE_BYTES, userAddress } from '../abi/units.ts';
import { DIRTY_BITMAP_PAGES_MAX } from '../abi/vfio.ts';
import { nodesOf } from '../collections/ordered-map.ts';
import { load, writableLength } from '../knowledge/user-copy.ts';
import { storedAt } from '../memory/contents.ts';
import { type Dma, type DmaNode, dmaLength, type Type1 } from '../state/container.ts';
import type { FileId } from '../state/files.ts';
import type { Memory } from '../state/memory.ts';
import type { World } from '../state/world.ts';
import type { IoctlCall, Segment } from '../terms/call.ts';
import { untracked } from './untracked.ts';

const WORD_BITS = 64n;
const WORD_BYTES = 8n;

const pagesIn = (length: bigint): bigint => length / PAGE_SIZE_BYTES;

const ones = (count: bigint): bigint => (1n << count) - 1n;

const wordsFor = (bits: bigint): bigint => (bits + WORD_BITS - 1n) / WORD_BITS;

/** Whether the kernel can allocate a bitmap for a map of that many bytes. */
export const fitsBitmap = (length: bigint): boolean => pagesIn(length) <= DIRTY_BITMAP_PAGES_MAX;

/** The bitmaps of larger maps, in bytes, are not followed: 512 GiB, whose bitmap has 16 MiB. */
const FOLLOWED_MAX = 1n << 39n;

/** The length in bytes of the longest map that devices reach; 0 without one. */
export const longestReached = ({ dmas }: Pick<Type1, 'dmas'>): bigint => {
  let longest = 0n;
  for (const node of nodesOf(dmas)) {
    const length = dmaLength(node);
    if (node.value.reached !== undefined && length > longest) longest = length;
  }
  return longest;
};

/** The container becomes untracked if devices reach a map whose bitmap is too large to be followed. */
export const untrackedIfTooLarge = (world: World, file: FileId, reached: bigint): World =>
  reached > FOLLOWED_MAX
    ? untracked(world, file, 'the dirty bitmap of a map above 512 GiB')
    : world;

/** The map with every page dirty. Other bits of its bitmap stay. */
export const allDirty = (dma: Dma, length: bigint): Dma => ({
  ...dma,
  dirty: (dma.dirty ?? 0n) | ones(pagesIn(length)),
});

/** The low `count` bytes of the bits, as little-endian words. */
const bytesOf = (bits: bigint, count: number): Uint8Array<ArrayBuffer> => {
  const low = BigInt.asUintN(count * 8, bits);
  if (low === 0n) return new Uint8Array(count);
  const digits = low.toString(16).padStart(count * 2, '0');
  return (bytesOfHex(digits) as Uint8Array<ArrayBuffer>).reverse();
};

/** bitmap_shift_left() of the words that have `width` bits. Bits of other words stay. */
const shiftedLeft = (bits: bigint, shift: bigint, width: bigint): bigint => {
  if (bits === 0n) return bits;
  const words = ones(wordsFor(width) * WORD_BITS);
  return (bits & ~words) | ((bits << shift) & words);
};

/** bitmap_clear() of the first `count` bits. */
const withoutFirst = (bits: bigint, count: bigint): bigint => (bits >> count) << count;

/** The program's bitmap: its address, and the IOVA of the page of bit 0. */
export type Destination = { readonly address: bigint; readonly base: bigint };

export type Reported = {
  /** The map after the report, for maps that stay. */
  readonly dma: Dma;
  readonly writes: readonly Segment[];
  /** The memory after the writes. */
  readonly memory: Memory;
  /** False if the program's bitmap could not be read, or not be written to its end. */
  readonly whole: boolean;
};

/** Reports one map: update_user_bitmap(), and what its callers do with the map's own bitmap. */
export const report = (
  memory: Memory,
  call: IoctlCall,
  node: DmaNode,
  { address, base }: Destination,
): Reported => {
  const dma = node.value;
  const pages = pagesIn(dmaLength(node));
  const offset = pagesIn(node.key - base);
  const shift = offset % WORD_BITS;
  const at = BigInt.asUintN(64, address + (offset / WORD_BITS) * WORD_BYTES);

  let bits = dma.reached === undefined ? (dma.dirty ?? 0n) : (dma.dirty ?? 0n) | ones(pages);
  if (shift > 0n) {
    bits = shiftedLeft(bits, shift, pages + shift);
    // The map starts inside a word. The bits that the program has there stay.
    const leftover = load(memory, { ...call, memory: [] }, at, Number(WORD_BYTES));
    if (leftover.kind === 'fault') {
      return { dma: { ...dma, dirty: bits }, writes: [], memory, whole: false };
    }
    if (leftover.kind === 'bytes') bits |= u64At(leftover.bytes, 0);
  }
  const length = Number(wordsFor(pages + shift) * WORD_BYTES);
  const writable = writableLength(memory, call.process, at, length);
  const whole = writable === length;
  const written = { address: userAddress(at), bytes: bytesOf(bits, writable) };
  return {
    // The bits of the pages are cleared at their position before the shift.
    dma: { ...dma, dirty: whole ? withoutFirst(bits, pages) : bits },
    writes: [written],
    memory: storedAt(memory, call.process, at, written.bytes),
    whole,
  };
};

/** The size in bytes of a bitmap of that many bits, in the kernel's 64-bit arithmetic. */
export const bitmapBytes = (bits: bigint): bigint =>
  byteLength((BigInt.asUintN(64, bits + WORD_BITS - 1n) / WORD_BITS) * WORD_BYTES);
