// SPDX-License-Identifier: MIT
// The arena as far as it is known before a program runs: bytes that the program stores, until a call may have changed
// them. Unknown bytes are never assumed.

import { ARENA_LENGTH, REGIONS } from '../../model/programs/arena.ts';
import type { CheckedMemory } from '../safety/call-check.ts';

const PAGE = 4096;
const PAGES = Number(ARENA_LENGTH) / PAGE;

type Page = { readonly bytes: Uint8Array; readonly known: Uint8Array };

/** A page of which nothing is known; nothing is written into it. */
const UNKNOWN: Page = { bytes: new Uint8Array(PAGE), known: new Uint8Array(PAGE) };

/** Bytes of a put; `undefined` for one that is not known. */
export type PutByte = number | undefined;

export class KnownMemory implements CheckedMemory {
  readonly base: number;
  readonly length = Number(ARENA_LENGTH);
  /** Pages of which something else is known than of all others. */
  readonly #pages = new Map<number, Page>();
  /** All others are as they were at the start, zero; false where a call may have changed any. */
  #isFresh = true;
  /** Pages at which something may be mapped. */
  readonly #mapped = new Uint8Array(PAGES);
  /** Pages of files: what is stored in one may show in another. */
  readonly #shared = new Set<number>();
  #changes: (readonly [offset: number, length: number])[] = [];

  constructor(base: bigint) {
    this.base = Number(base);
    for (const { offset, length } of REGIONS) {
      this.#mapped.fill(1, Number(offset) / PAGE, Number(offset + length) / PAGE);
    }
  }

  loadable(offset: number, length: number): number {
    const end = Math.min(offset + length, this.length);
    let at = offset;
    while (at < end && this.#mapped[Math.floor(at / PAGE)] === 1) {
      at = (Math.floor(at / PAGE) + 1) * PAGE;
    }
    return Math.max(0, Math.min(at, end) - offset);
  }

  writable(offset: number, length: number): number {
    return this.loadable(offset, length);
  }

  wordAt(offset: number): number | undefined {
    let word = 0;
    for (let index = 3; index >= 0; index -= 1) {
      const byte = this.#byteAt(offset + index);
      if (byte === undefined) return undefined;
      word = (word << 8) | byte;
    }
    return word;
  }

  /** It is changed when the call is over: see `settle`. */
  dirty(offset: number, length: number, passed = length): void {
    this.#changes.push([offset, Math.min(length, passed)]);
  }

  /** The call is over: what it may have changed is not known any more. */
  settle(): void {
    for (const [offset, length] of this.#changes) this.dropKnown(offset, length);
    this.#changes = [];
  }

  /** The bytes are there. Those of other pages of files may have changed with them. */
  put(offset: number, bytes: readonly PutByte[]): void {
    const touched = this.#pagesIn(offset, bytes.length);
    if (touched.some((page) => this.#shared.has(page))) {
      for (const page of this.#shared) this.#markUnknown(page);
    }
    bytes.forEach((byte, index) => {
      const at = offset + index;
      if (at < 0 || at >= this.length) return;
      const { bytes: stored, known } = this.#page(Math.floor(at / PAGE));
      stored[at % PAGE] = byte ?? 0;
      known[at % PAGE] = byte === undefined ? 0 : 1;
    });
  }

  /** Something may be mapped there from now on, or what was there is still: nothing of it is known. */
  map(offset: number, length: number, ofFile: boolean): void {
    for (const page of this.#pagesIn(offset, length)) {
      this.#mapped[page] = 1;
      if (ofFile) this.#shared.add(page);
      this.#markUnknown(page);
    }
  }

  dropKnown(offset: number, length: number): void {
    if (offset <= 0 && offset + length >= this.length) {
      this.#pages.clear();
      this.#isFresh = false;
      return;
    }
    const touched = this.#pagesIn(offset, length);
    if (touched.some((page) => this.#shared.has(page))) {
      for (const page of this.#shared) this.#markUnknown(page);
    }
    const end = Math.min(offset + length, this.length);
    for (const page of touched) {
      if (this.#pages.get(page) === UNKNOWN) continue;
      const from = Math.max(offset - page * PAGE, 0);
      this.#page(page).known.fill(0, from, Math.min(end - page * PAGE, PAGE));
    }
  }

  #pagesIn(offset: number, length: number): readonly number[] {
    const first = Math.max(0, Math.floor(offset / PAGE));
    const end = Math.min(PAGES, Math.ceil((offset + length) / PAGE));
    return Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
  }

  #byteAt(offset: number): number | undefined {
    if (offset < 0 || offset >= this.length) return undefined;
    const page = this.#pages.get(Math.floor(offset / PAGE));
    if (page === undefined) return this.#isFresh ? 0 : undefined;
    return page.known[offset % PAGE] === 1 ? page.bytes[offset % PAGE] : undefined;
  }

  /** The page, to be changed. */
  #page(number: number): Page {
    const found = this.#pages.get(number);
    if (found !== undefined && found !== UNKNOWN) return found;
    const isFresh = found === undefined && this.#isFresh;
    const page = {
      bytes: new Uint8Array(PAGE),
      known: new Uint8Array(PAGE).fill(isFresh ? 1 : 0),
    };
    this.#pages.set(number, page);
    return page;
  }

  #markUnknown(number: number): void {
    this.#pages.set(number, UNKNOWN);
  }
}
