// SPDX-License-Identifier: MIT
// Physical memory: page frames by number, with their pin counts and contents. A number is never
// reused, so that a stale one is recognised. mm/page_alloc.c, mm/gup.c (pin counts).

import { PAGE_SIZE } from '../../../spec/abi/units.ts';
import { MachineDied } from '../../machine/machine.ts';

export class Frames {
  /** Pin counts of the pinned frames. */
  readonly #pins = new Map<number, number>();
  /** Contents of the frames that were written; the others are all zero. */
  readonly #contents = new Map<number, Uint8Array>();
  readonly #bars: { readonly first: number; readonly end: number }[] = [];
  #next = 1;

  /** Allocates `count` contiguous frames, all zero. Returns the first. */
  allocate(count: number): number {
    const first = this.#next;
    this.#next += count;
    return first;
  }

  /** Like allocate, for a device's BAR, which is not memory. */
  allocateBar(count: number): number {
    const first = this.allocate(count);
    this.#bars.push({ first, end: first + count });
    return first;
  }

  isRegister(frame: number): boolean {
    return this.#bars.some(({ first, end }) => first <= frame && frame < end);
  }

  pin(frame: number): void {
    this.#pins.set(frame, this.pins(frame) + 1);
  }

  unpin(frame: number): void {
    const count = this.pins(frame) - 1;
    if (count < 0) {
      throw new MachineDied(`frame ${frame} unpinned more often than pinned: unbalanced unmap`);
    }
    if (count === 0) this.#pins.delete(frame);
    else this.#pins.set(frame, count);
  }

  pins(frame: number): number {
    return this.#pins.get(frame) ?? 0;
  }

  /** The contents of the frame, or undefined while it is all zero. */
  contents(frame: number): Uint8Array | undefined {
    return this.#contents.get(frame);
  }

  /** The frame's bytes, for writing. */
  writable(frame: number): Uint8Array {
    let bytes = this.#contents.get(frame);
    if (bytes === undefined) {
      bytes = new Uint8Array(PAGE_SIZE);
      this.#contents.set(frame, bytes);
    }
    return bytes;
  }

  /** Every pinned frame. */
  pinned(): { readonly frame: number; readonly count: number }[] {
    return [...this.#pins].map(([frame, count]) => ({ frame, count }));
  }
}
