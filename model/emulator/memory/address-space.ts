// The process's address space: mappings in ascending order, each with the frames behind it. mm/mmap.c,
// mm/memory.c. Private mappings of a file that can be written have copies of its pages from the start; those
// that can only be read get one when they are pinned or stored to.

import { ERRNO } from '../../../spec/abi/errno.ts';
import { PAGE_SIZE, PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import type { Protection } from '../../../spec/call.ts';
import type { Frames } from './frames.ts';
import type { Memfd } from './memfd.ts';

/** The first address that no process has (TASK_SIZE_MAX on x86-64), in bytes and in pages. */
export const TASK_END = 0x7fff_ffff_f000;
export const TASK_END_BYTES = BigInt(TASK_END);
export const TASK_END_PAGE = TASK_END / PAGE_SIZE;

const HUGE_PAGE_BYTES = 0x20_0000n;
const PAGES_OF_HUGE = 512;

/** What stands behind a mapping: frames of its own in a row, or a file from some page on. */
export type Store =
  | { readonly kind: 'frames'; readonly first: number }
  | { readonly kind: 'device'; readonly first: number }
  | { readonly kind: 'file'; readonly file: Memfd; readonly page: number };

/** Pages from `start` up to but without `end`, both page numbers. */
export type Mapping = {
  readonly start: number;
  readonly end: number;
  readonly protection: Protection;
  readonly shared: boolean;
  readonly store: Store;
  /** Made of huge pages. */
  readonly huge: boolean;
};

const shifted = (store: Store, pages: number): Store =>
  store.kind === 'file'
    ? { ...store, page: store.page + pages }
    : { ...store, first: store.first + pages };

export class AddressSpace {
  readonly #frames: Frames;
  readonly #mappings: Mapping[] = [];
  /** Pages of private file mappings that have been copied: page number to frame. */
  readonly #copies = new Map<number, number>();
  #recent: Mapping | undefined;

  constructor(frames: Frames) {
    this.#frames = frames;
  }

  /** The mapping that holds a page. */
  find(page: number): Mapping | undefined {
    const recent = this.#recent;
    if (recent !== undefined && recent.start <= page && page < recent.end) return recent;
    const mapping = this.#mappings[this.#search(page)];
    if (mapping === undefined || mapping.start > page) return undefined;
    this.#recent = mapping;
    return mapping;
  }

  /** The frame at a page of a mapping, or undefined behind the end of its file. */
  frame(mapping: Mapping, page: number): number | undefined {
    const { store } = mapping;
    if (store.kind !== 'file') return store.first + (page - mapping.start);
    if (!mapping.shared) {
      const copy = this.#copies.get(page);
      if (copy !== undefined) return copy;
    }
    return store.file.frame(store.page + (page - mapping.start));
  }

  /** The same, but never a page that a private mapping still shares with its file. */
  ownFrame(mapping: Mapping, page: number): number | undefined {
    const frame = this.frame(mapping, page);
    if (frame === undefined || mapping.shared || mapping.store.kind !== 'file') return frame;
    if (this.#copies.has(page)) return frame;
    const copy = this.#copyOf(frame);
    this.#copies.set(page, copy);
    return copy;
  }

  /** Puts a mapping over what is there. 0, or -errno. Address and length in bytes. */
  map(
    address: bigint,
    length: bigint,
    protection: Protection,
    shared: boolean,
    store: Store | 'anonymous' | 'device' | 'huge',
  ): number {
    const bad = this.#checkRange(address, length);
    if (bad !== 0) return bad;
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
      shared,
      store: this.#materialise(store, end - start),
      huge,
    };
    if (mapping.store.kind === 'file') mapping.store.file.hold();
    this.#mappings.splice(this.#search(start), 0, mapping);
    if (mapping.store.kind === 'file' && !shared && protection === 'read-write') {
      for (let page = start; page < end; page += 1) this.ownFrame(mapping, page);
    }
    return 0;
  }

  /** 0, or -errno. */
  unmap(address: bigint, length: bigint): number {
    const bad = this.#checkRange(address, length);
    if (bad !== 0) return bad === -ERRNO.ENOMEM ? -ERRNO.EINVAL : bad;
    const start = Number(address / PAGE_SIZE_BYTES);
    const end = start + Number(length / PAGE_SIZE_BYTES);
    if (!this.#isBorder(start) || !this.#isBorder(end)) return -ERRNO.EINVAL;
    this.#cut(start, end);
    return 0;
  }

  #checkRange(address: bigint, length: bigint): number {
    if (address % PAGE_SIZE_BYTES !== 0n || length % PAGE_SIZE_BYTES !== 0n) return -ERRNO.EINVAL;
    if (length === 0n) return -ERRNO.EINVAL;
    return address + length > TASK_END_BYTES ? -ERRNO.ENOMEM : 0;
  }

  /** Whether mappings can be cut before the page: huge pages stay whole. */
  #isBorder(page: number): boolean {
    return page % PAGES_OF_HUGE === 0 || this.find(page)?.huge !== true;
  }

  #materialise(store: Store | 'anonymous' | 'device' | 'huge', pages: number): Store {
    if (store === 'anonymous' || store === 'huge')
      return { kind: 'frames', first: this.#frames.allocate(pages) };
    if (store === 'device') {
      return { kind: 'device', first: this.#frames.allocateRegisters(pages) };
    }
    return store;
  }

  #copyOf(frame: number): number {
    const copy = this.#frames.allocate(1);
    const contents = this.#frames.contents(frame);
    if (contents !== undefined) this.#frames.writable(copy).set(contents);
    return copy;
  }

  /** Index of the first mapping that ends behind the page. */
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

  /** Takes the pages away from every mapping that has some of them. */
  #cut(start: number, end: number): void {
    this.#recent = undefined;
    const index = this.#search(start);
    let count = 0;
    const rest: Mapping[] = [];
    for (let at = index; at < this.#mappings.length; at += 1) {
      const mapping = this.#mappings[at] as Mapping;
      if (mapping.start >= end) break;
      count += 1;
      this.#forget(mapping, Math.max(start, mapping.start), Math.min(end, mapping.end));
      if (mapping.start < start) rest.push(this.#part(mapping, mapping.start, start));
      if (mapping.end > end) rest.push(this.#part(mapping, end, mapping.end));
      if (mapping.store.kind === 'file') mapping.store.file.put();
    }
    if (count > 0) this.#mappings.splice(index, count, ...rest);
  }

  #part(mapping: Mapping, start: number, end: number): Mapping {
    const store = shifted(mapping.store, start - mapping.start);
    if (store.kind === 'file') store.file.hold();
    return { ...mapping, start, end, store };
  }

  #forget(mapping: Mapping, start: number, end: number): void {
    const { store } = mapping;
    if (store.kind !== 'file') {
      this.#frames.release(store.first + (start - mapping.start), end - start);
      return;
    }
    if (mapping.shared || this.#copies.size === 0) return;
    for (let page = start; page < end; page += 1) {
      const copy = this.#copies.get(page);
      if (copy === undefined) continue;
      this.#frames.release(copy, 1);
      this.#copies.delete(page);
    }
  }
}
