// Physical memory: page frames by number, how often each is pinned, and what it holds. Numbers are never given
// out twice, so that a stale one is recognised. Contents exist once somebody wrote to them. mm/page_alloc.c,
// mm/gup.c (pin counts).

import { PAGE_SIZE } from '../../../spec/abi/units.ts';
import { MachineDied } from '../../machine.ts';

const FRAMES_PER_CHUNK = 512;

class Chunk {
  /** Absent is 0: most chunks have few pins. */
  readonly pins: number[] = [];
  readonly contents: (Uint8Array | undefined)[] = [];
  pinned = 0;
}

/** Frames beyond this number would make physical addresses that a number cannot hold exactly. */
const FRAME_LIMIT = 2 ** 53 / PAGE_SIZE;

export class Frames {
  readonly #chunks = new Map<number, Chunk>();
  readonly #registers: { readonly first: number; readonly end: number }[] = [];
  #next = 1;
  #lastNumber = -1;
  #last: Chunk | undefined;

  /** The first of `count` new frames in a row, all zero. */
  allocate(count: number): number {
    const first = this.#next;
    this.#next += count;
    if (this.#next > FRAME_LIMIT) throw new Error('out of frame numbers: too much memory mapped');
    return first;
  }

  /** The same for a device's registers, which are no memory. */
  allocateRegisters(count: number): number {
    const first = this.allocate(count);
    this.#registers.push({ first, end: first + count });
    return first;
  }

  isRegister(frame: number): boolean {
    return this.#registers.some(({ first, end }) => first <= frame && frame < end);
  }

  pin(frame: number): void {
    const chunk = this.#materialise(frame);
    const slot = frame % FRAMES_PER_CHUNK;
    const count = (chunk.pins[slot] ?? 0) + 1;
    chunk.pins[slot] = count;
    if (count === 1) chunk.pinned += 1;
  }

  unpin(frame: number): void {
    const chunk = this.#chunk(frame);
    const slot = frame % FRAMES_PER_CHUNK;
    const count = (chunk?.pins[slot] ?? 0) - 1;
    if (chunk === undefined || count < 0) {
      throw new MachineDied(`frame ${frame} unpinned more often than pinned: unbalanced unmap`);
    }
    chunk.pins[slot] = count;
    if (count === 0) chunk.pinned -= 1;
  }

  pins(frame: number): number {
    return this.#chunk(frame)?.pins[frame % FRAMES_PER_CHUNK] ?? 0;
  }

  /** What the frame holds, or undefined while it is all zero. */
  contents(frame: number): Uint8Array | undefined {
    return this.#chunk(frame)?.contents[frame % FRAMES_PER_CHUNK];
  }

  /** The frame's bytes, to write to. */
  writable(frame: number): Uint8Array {
    const chunk = this.#materialise(frame);
    const slot = frame % FRAMES_PER_CHUNK;
    let bytes = chunk.contents[slot];
    if (bytes === undefined) {
      bytes = new Uint8Array(PAGE_SIZE);
      chunk.contents[slot] = bytes;
    }
    return bytes;
  }

  /** Nothing maps these frames any more: what is not pinned is forgotten. */
  release(first: number, count: number): void {
    const end = first + count;
    if (count < FRAMES_PER_CHUNK * this.#chunks.size) {
      for (let frame = first; frame < end; ) {
        const number = Math.floor(frame / FRAMES_PER_CHUNK);
        const chunkEnd = Math.min(end, (number + 1) * FRAMES_PER_CHUNK);
        const chunk = this.#chunks.get(number);
        if (chunk !== undefined) this.#releaseIn(chunk, number, frame, chunkEnd);
        frame = chunkEnd;
      }
      return;
    }
    for (const [number, chunk] of this.#chunks) this.#releaseIn(chunk, number, first, end);
  }

  /** Every pinned frame in ascending order. */
  pinned(): { readonly frame: number; readonly count: number }[] {
    const list: { frame: number; count: number }[] = [];
    for (const [number, chunk] of [...this.#chunks].sort(([a], [b]) => a - b)) {
      if (chunk.pinned === 0) continue;
      chunk.pins.forEach((count, slot) => {
        if (count > 0) list.push({ frame: number * FRAMES_PER_CHUNK + slot, count });
      });
    }
    return list;
  }

  #releaseIn(chunk: Chunk, number: number, first: number, end: number): void {
    const base = number * FRAMES_PER_CHUNK;
    const from = Math.max(first - base, 0);
    const to = Math.min(end - base, chunk.contents.length);
    for (let slot = from; slot < to; slot += 1) {
      if ((chunk.pins[slot] ?? 0) === 0) chunk.contents[slot] = undefined;
    }
  }

  #chunk(frame: number): Chunk | undefined {
    const number = Math.floor(frame / FRAMES_PER_CHUNK);
    if (number !== this.#lastNumber) {
      this.#lastNumber = number;
      this.#last = this.#chunks.get(number);
    }
    return this.#last;
  }

  #materialise(frame: number): Chunk {
    const known = this.#chunk(frame);
    if (known !== undefined) return known;
    const chunk = new Chunk();
    this.#chunks.set(this.#lastNumber, chunk);
    this.#last = chunk;
    return chunk;
  }
}
