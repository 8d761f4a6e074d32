// SPDX-License-Identifier: MIT
// The process's address space: mappings in ascending order, each with its frames. mm/mmap.c,
// mm/memory.c. A private mapping of a file is like a shared one: its contents are not specified,
// and no generated program has one.

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE, PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import type { Protection } from '../../../spec/terms/call.ts';
import type { Frames } from './frames.ts';
import type { Memfd } from './memfd.ts';

/** The first address above user space (TASK_SIZE_MAX on x86-64), in bytes and in pages. */
export const TASK_END = 0x7fff_ffff_f000;
export const TASK_END_BYTES = BigInt(TASK_END);
export const TASK_END_PAGE = TASK_END / PAGE_SIZE;

const HUGE_PAGE_BYTES = 0x20_0000n;
const PAGES_OF_HUGE = 512;

/**
 * The backing of a mapping: anonymous frames in spans, contiguous frames, or a file. Each is given
 * as if the mapping began at page 0 of the address space, so that all parts of a mapping have the
 * same.
 */
export type Store =
  | { readonly kind: 'frames'; readonly base: number }
  | { readonly kind: 'row' | 'device'; readonly base: number }
  | { readonly kind: 'file'; readonly file: Memfd; readonly base: number };

/** A file, from one of its pages. */
export type FileStore = { readonly file: Memfd; readonly page: number };

/** Pages [start, end), as page numbers. */
export type Mapping = {
  readonly start: number;
  readonly end: number;
  readonly protection: Protection;
  readonly store: Store;
  /** Made of huge pages. */
  readonly huge: boolean;
};

/**
 * Pages of anonymous memory whose frames are contiguous; a frame is left out between two such
 * spans.
 */
const CONTIGUOUS_PAGES = 8;

/** How many frames a span from page 0 up to `page` has before that page's. */
const framesBefore = (page: number): number => page + Math.floor(page / CONTIGUOUS_PAGES);

export class AddressSpace {
  readonly #frames: Frames;
  readonly #mappings: Mapping[] = [];

  constructor(frames: Frames) {
    this.#frames = frames;
  }

  /** The mapping of a page. */
  find(page: number): Mapping | undefined {
    const mapping = this.#mappings[this.#search(page)];
    return mapping === undefined || mapping.start > page ? undefined : mapping;
  }

  /** The frame of a page of a mapping, or undefined after the end of its file. */
  frame({ store }: Mapping, page: number): number | undefined {
    if (store.kind === 'file') return store.file.frame(store.base + page);
    return store.base + (store.kind === 'frames' ? framesBefore(page) : page);
  }

  /** Maps over what is mapped there. 0, or -errno. Address and length in bytes. */
  map(
    address: bigint,
    length: bigint,
    protection: Protection,
    store: FileStore | 'anonymous' | 'device' | 'huge',
  ): number {
    const huge = store === 'huge';
    if (huge && (address | length) % HUGE_PAGE_BYTES !== 0n) return -ERRNO.EINVAL;
    const start = Number(address / PAGE_SIZE_BYTES);
    const end = start + Number(length / PAGE_SIZE_BYTES);
    if (!this.#isBorder(start) || !this.#isBorder(end)) return -ERRNO.EINVAL;
    this.#cut(start, end);
    const mapping = {
      start,
      end,
      protection,
      store: this.#materialise(store, start, end),
      huge,
    };
    this.#mappings.splice(this.#search(start), 0, mapping);
    return 0;
  }

  /** 0, or -errno. */
  unmap(address: bigint, length: bigint): number {
    const start = Number(address / PAGE_SIZE_BYTES);
    const end = start + Number(length / PAGE_SIZE_BYTES);
    if (!this.#isBorder(start) || !this.#isBorder(end)) return -ERRNO.EINVAL;
    this.#cut(start, end);
    return 0;
  }

  /** Whether mappings can be cut before the page: huge pages stay whole. */
  #isBorder(page: number): boolean {
    return page % PAGES_OF_HUGE === 0 || this.find(page)?.huge !== true;
  }

  #materialise(
    store: FileStore | 'anonymous' | 'device' | 'huge',
    start: number,
    end: number,
  ): Store {
    if (store === 'device') {
      return { kind: 'device', base: this.#frames.allocateBar(end - start) - start };
    }
    if (store === 'huge') {
      return { kind: 'row', base: this.#frames.allocate(end - start) - start };
    }
    if (store === 'anonymous') {
      const before = framesBefore(start);
      return { kind: 'frames', base: this.#frames.allocate(framesBefore(end) - before) - before };
    }
    return { kind: 'file', file: store.file, base: store.page - start };
  }

  /** Index of the first mapping that ends after the page. */
  #search(page: number): number {
    let low = 0;
    let high = this.#mappings.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#mappings[middle] as Mapping).end <= page) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Removes the pages from every mapping that has some of them. */
  #cut(start: number, end: number): void {
    const index = this.#search(start);
    let count = 0;
    const rest: Mapping[] = [];
    for (let at = index; at < this.#mappings.length; at += 1) {
      const mapping = this.#mappings[at] as Mapping;
      if (mapping.start >= end) break;
      count += 1;
      if (mapping.start < start) rest.push({ ...mapping, end: start });
      if (mapping.end > end) rest.push({ ...mapping, start: end });
    }
    this.#mappings.splice(index, count, ...rest);
  }
}
