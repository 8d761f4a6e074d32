// SPDX-License-Identifier: MIT
// A file in memory: memfd_create and its page cache. mm/shmem.c, mm/memfd.c.

import { PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import { OpenFile } from '../files.ts';
import type { Frames } from './frames.ts';

/**
 * The page cache allocates frames in blocks of this many, so that neighbours in the file are
 * contiguous in memory.
 */
const BLOCK = 512;

export class Memfd extends OpenFile {
  /** Bytes. */
  readonly length: bigint;
  /** Pages with at least one byte of the file. */
  readonly pages: number;
  readonly #frames: Frames;
  readonly #blocks = new Map<number, number>();

  constructor(frames: Frames, length: bigint) {
    super();
    this.#frames = frames;
    this.length = length;
    this.pages = Number((length + PAGE_SIZE_BYTES - 1n) / PAGE_SIZE_BYTES);
  }

  /** The frame of a page of the file, or undefined after its end. */
  frame(page: number): number | undefined {
    if (page >= this.pages) return undefined;
    const number = Math.floor(page / BLOCK);
    let first = this.#blocks.get(number);
    if (first === undefined) {
      first = this.#frames.allocate(BLOCK);
      this.#blocks.set(number, first);
    }
    return first + (page % BLOCK);
  }

  protected override released(): void {}
}
