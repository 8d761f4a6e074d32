// SPDX-License-Identifier: MIT
// Reads the frames of a slice of pages: from an access that has them pinned, else from a domain,
// else by pinning the memory. The temporary memory bounds a batch. drivers/iommu/iommufd/pages.c
// (struct pfn_reader).

import { MachineDied } from '../../machine/machine.ts';
import type { Pages } from './pages.ts';

/** A batch has a frame number and a count for each run of contiguous frames. */
const RUN_SIZE = 12;

export class FrameReader {
  readonly pages: Pages;
  readonly first: number;
  readonly last: number;
  /**
   * Frames read, starting at page `first`. Those from `ready` are pinned but not in a batch yet.
   */
  readonly frames: number[] = [];
  ready = 0;
  /** Spans of `frames` that this reader pinned: [from, to). */
  readonly #fresh: { readonly from: number; readonly to: number }[] = [];

  constructor(pages: Pages, first: number, last: number) {
    this.pages = pages;
    this.first = first;
    this.last = last;
  }

  get done(): boolean {
    return this.first + this.ready > this.last;
  }

  /** Reads one more batch. 0, or -errno. */
  next(): number {
    const memory = this.pages.kernel.temporaryMemoryLimit;
    let runs = Math.max(1, Math.floor(memory / RUN_SIZE));
    let previous: number | undefined;
    while (!this.done) {
      if (this.ready === this.frames.length) {
        const error = this.#fetch(this.first + this.ready);
        if (error < 0) return error;
      }
      const frame = this.frames[this.ready];
      if (previous === undefined || frame !== previous + 1) {
        if (runs === 0) return 0;
        runs -= 1;
      }
      previous = frame;
      this.ready += 1;
    }
    return 0;
  }

  /** Reads all batches. 0, or -errno. */
  all(): number {
    while (!this.done) {
      const error = this.next();
      if (error < 0) return error;
    }
    return 0;
  }

  /** Unpins what this reader pinned. */
  release(): void {
    for (const { from, to } of this.#fresh) {
      for (let at = from; at < to; at += 1) this.pages.unpin(this.frames[at] as number);
    }
    this.#fresh.length = 0;
  }

  /** Unpins after a failed map. */
  releaseFailed(): void {
    if (!this.pages.kernel.defects.has('pin-count-leak-on-failed-map')) {
      this.release();
      return;
    }
    for (const { from, to } of this.#fresh) this.pages.pinned -= to - from;
    this.#fresh.length = 0;
  }

  #fetch(index: number): number {
    const { pages, frames, last } = this;
    const pinned = pages.accesses.span(index, last);
    if (pinned.used) {
      for (let at = index; at <= pinned.last; at += 1) frames.push(pinnedFrame(pages, at));
      return 0;
    }
    const mapped = pages.domains.first(index, pinned.last);
    if (mapped !== undefined && mapped.start <= index) {
      const before = frames.length;
      appendDomainFrames(pages, index, Math.min(mapped.last, pinned.last), frames);
      if (frames.length > before) return 0;
    }
    const holeLast = mapped === undefined ? pinned.last : Math.max(index, mapped.start - 1);
    const from = frames.length;
    const count = pages.pinSome(index, holeLast, frames);
    if (count > 0) this.#fresh.push({ from, to: frames.length });
    return count;
  }
}

const pinnedFrame = (pages: Pages, index: number): number => {
  const frame = pages.pinnedFrames.get(index);
  if (frame === undefined) throw new MachineDied('an access covers a page that it has not pinned');
  return frame;
};

/** Appends the frames of pages [first, last], all of which are in one area's domain. */
export const appendDomainFrames = (
  pages: Pages,
  first: number,
  last: number,
  frames: number[],
): void => {
  const area = pages.domains.first(first, first)?.owner;
  for (let index = first; index <= last; index += 1) {
    const frame = area?.storage?.frame(area.iovaOf(index));
    if (frame === undefined) return;
    frames.push(frame);
  }
};

/** Appends the frames of pages [first, last], all of which an access has pinned. */
export const appendPinnedFrames = (
  pages: Pages,
  first: number,
  last: number,
  frames: number[],
): void => {
  for (let index = first; index <= last; index += 1) frames.push(pinnedFrame(pages, index));
};
