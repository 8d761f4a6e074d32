// SPDX-License-Identifier: MIT
// The dirty pages of a dma, one bit each, in words like the kernel's: bits that a shift leaves
// after the last page stay there. lib/bitmap.c; drivers/vfio/vfio_iommu_type1.c
// (update_user_bitmap).

const WORD_BITS = 64;
const WORD_BYTES = 8;
const wordsFor = (bits: number): number => Math.ceil(bits / WORD_BITS);

/** The bits of a word that are among the first `bits` of the bitmap. */
const maskOf = (bits: number, index: number): bigint =>
  (1n << BigInt(Math.max(0, Math.min(WORD_BITS, bits - index * WORD_BITS)))) - 1n;

/** Bytes of a bitmap, in whole words. */
export const bitmapBytes = (bits: bigint): bigint => ((bits + 63n) / 64n) * 8n;

export class DirtyBitmap {
  /** By index; missing words are zero. */
  readonly #words = new Map<number, bigint>();

  setFirst(bits: number): void {
    for (let index = 0; index < wordsFor(bits); index += 1) {
      this.#set(index, this.#get(index) | maskOf(bits, index));
    }
  }

  clearFirst(bits: number): void {
    for (const [index, word] of [...this.#words]) this.#set(index, word & ~maskOf(bits, index));
  }

  /** Shifts the words of the first `bits` bits by less than a word. */
  shift(by: number, bits: number): void {
    const count = wordsFor(bits);
    const high = BigInt(WORD_BITS - by);
    for (const index of [...this.#words.keys()].sort((a, b) => b - a)) {
      if (index >= count) continue;
      const word = this.#words.get(index) as bigint;
      if (index + 1 < count) this.#set(index + 1, this.#get(index + 1) | (word >> high));
      this.#set(index, BigInt.asUintN(WORD_BITS, word << BigInt(by)));
    }
  }

  /** ORs into the first word. */
  orFirstWord(word: bigint): void {
    this.#set(0, this.#get(0) | word);
  }

  /** `count` words from `first`. */
  bytes(first: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * WORD_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [index, word] of this.#words) {
      if (index < first || index >= first + count) continue;
      view.setBigUint64((index - first) * WORD_BYTES, word, true);
    }
    return bytes;
  }

  #get(index: number): bigint {
    return this.#words.get(index) ?? 0n;
  }

  #set(index: number, word: bigint): void {
    if (word === 0n) this.#words.delete(index);
    else this.#words.set(index, word);
  }
}
