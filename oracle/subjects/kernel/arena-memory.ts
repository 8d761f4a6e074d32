// SPDX-License-Identifier: MIT
// The arena of this process: its mappings and its bytes. It tracks the protection of each page, so that a
// direct access never kills the process.

import type { Region } from '../../../model/programs/arena.ts';
import type { Protection } from '../../../spec/terms/call.ts';
import { reserveHole } from './hole.ts';
import * as libc from './libc.ts';

const PAGE = 4096;
const PAGE_SHIFT = 12;

/** The protection of a page. A page past the end of its file counts as inaccessible. */
const HOLE = 0;
const NO_ACCESS = 1;
const READ_ONLY = 2;
const READ_WRITE = 3;

const PROTECTION: Readonly<Record<Protection, readonly [access: number, bits: number]>> = {
  none: [NO_ACCESS, libc.PROT_NONE],
  read: [READ_ONLY, libc.PROT_READ],
  'read-write': [READ_WRITE, libc.PROT_READ_WRITE],
};

/** Up to so many spans are cleared one by one; with more, all writable pages are cleared. */
const DIRTY_STRETCHES = 64;

/** How a page without a mapping of the program is reserved. For a call it is as if nothing were mapped there. */
const RESERVED = libc.MAP_PRIVATE | libc.MAP_ANONYMOUS | libc.MAP_NORESERVE;

/** The backing of a mapping, as mmap takes it. `length` of the file in bytes, from its start. */
export type MappedFile = {
  readonly fd: number;
  readonly offset: number | bigint;
  readonly length: number | bigint;
};

export class ArenaMemory {
  readonly base: number;
  readonly length: number;
  /** The arena's bytes. Only what `loadable` and `writable` allow may be touched. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  private readonly access: Uint8Array;
  /** Pages that are not as `restore` left them. */
  private readonly changed: Uint8Array;
  private anyChanged = true;
  private readonly dirtyStart = new Int32Array(DIRTY_STRETCHES);
  private readonly dirtyEnd = new Int32Array(DIRTY_STRETCHES);
  private dirtyCount = 0;

  /** `base` and `length` in bytes, whole pages. They lie in the hole. Throws EnvironmentError if the hole is in use. */
  constructor(base: bigint, length: bigint) {
    this.base = Number(base);
    this.length = Number(length);
    reserveHole();
    const memory = libc.memoryAt(base, this.length);
    this.bytes = new Uint8Array(memory);
    this.words = new Int32Array(memory);
    this.access = new Uint8Array(this.length / PAGE);
    this.changed = new Uint8Array(this.length / PAGE).fill(1);
  }

  /** The 32 bits at an offset, which must be readable. */
  wordAt(offset: number): number {
    const { words, bytes } = this;
    if ((offset & 3) === 0) return words[offset >> 2] ?? 0;
    return (
      (bytes[offset] ?? 0) |
      ((bytes[offset + 1] ?? 0) << 8) |
      ((bytes[offset + 2] ?? 0) << 16) |
      ((bytes[offset + 3] ?? 0) << 24)
    );
  }

  /** Maps with MAP_FIXED, every page present. `offset` into the arena and `length` in bytes. 0, or -errno. */
  map(
    offset: number,
    length: number,
    protection: Protection,
    shared: boolean,
    file?: MappedFile,
    huge = false,
  ): number {
    const address = this.base + offset;
    const mapped = libc.mapMemory(
      address,
      length,
      libc.PROT_READ_WRITE,
      (shared ? libc.MAP_SHARED : libc.MAP_PRIVATE) |
        (file === undefined ? libc.MAP_ANONYMOUS : 0) |
        (huge ? libc.MAP_HUGETLB : 0) |
        libc.MAP_FIXED |
        libc.MAP_POPULATE,
      file?.fd ?? -1,
      file?.offset ?? 0,
    );
    if (Number(mapped) !== address) {
      const result = -libc.errno();
      this.reserveGaps(offset, length);
      return result;
    }
    this.note(offset, length, READ_WRITE);
    if (protection !== 'read-write') this.protect(offset, length, protection);
    if (file !== undefined) {
      const present = Math.max(0, Number(file.length) - Number(file.offset));
      const whole = Math.ceil(present / PAGE) * PAGE;
      if (whole < length) this.note(offset + whole, length - whole, NO_ACCESS);
    }
    return 0;
  }

  protect(offset: number, length: number, protection: Protection): void {
    const [access, bits] = PROTECTION[protection];
    libc.protectMemory(this.base + offset, length, bits);
    this.note(offset, length, access);
  }

  /** 0, or -errno. The pages are reserved again at once, so that nothing else gets their addresses. */
  unmap(offset: number, length: number): number {
    const address = this.base + offset;
    const flags = RESERVED | libc.MAP_FIXED;
    const taken = libc.mapMemory(address, length, libc.PROT_NONE, flags, -1, 0);
    if (Number(taken) !== address) {
      // munmap itself returns the errno of a refusal.
      if (libc.unmapMemory(address, length) < 0) return -libc.errno();
      this.reserveGaps(offset, length);
    }
    this.note(offset, length, HOLE);
    return 0;
  }

  /** How many of `length` bytes from the offset on can be read before the first that cannot. */
  loadable(offset: number, length: number): number {
    return this.reach(offset, length, READ_ONLY);
  }

  /** How many of `length` bytes from the offset on the program may write. */
  writable(offset: number, length: number): number {
    return this.reach(offset, length, READ_WRITE);
  }

  /** Copies bytes into the arena, read-only pages included. The count of bytes before the first refused. */
  store(offset: number, bytes: Uint8Array): number {
    const length = this.loadable(offset, bytes.length);
    if (length === 0) return 0;
    this.dirty(offset, length);
    if (this.writable(offset, length) === length) {
      this.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length), offset);
      return length;
    }
    for (let done = 0; done < length; ) {
      const at = offset + done;
      const page = at & -PAGE;
      const part = Math.min(page + PAGE - at, length - done);
      const readOnly = this.access[at >> PAGE_SHIFT] === READ_ONLY;
      if (readOnly) this.protect(page, PAGE, 'read-write');
      this.bytes.set(bytes.subarray(done, done + part), at);
      if (readOnly) this.protect(page, PAGE, 'read');
      done += part;
    }
    return length;
  }

  /** The bytes may be nonzero from now on. Bytes that cannot be written are ignored. */
  dirty(offset: number, length: number): void {
    const last = this.dirtyCount - 1;
    const end = Math.min(offset + length, this.length);
    if (last >= 0 && this.dirtyStart[last] === offset) {
      if (end > (this.dirtyEnd[last] ?? 0)) this.dirtyEnd[last] = end;
    } else if (last + 1 < DIRTY_STRETCHES) {
      this.dirtyStart[last + 1] = offset;
      this.dirtyEnd[last + 1] = end;
      this.dirtyCount += 1;
    } else {
      this.dirtyStart[0] = 0;
      this.dirtyEnd[0] = this.length;
      this.dirtyCount = 1;
    }
  }

  /** Makes the arena as it is at the start of a program: these regions, all zero, and nothing else. */
  restore(regions: readonly Region[]): void {
    if (this.anyChanged) this.remap(regions);
    for (let index = 0; index < this.dirtyCount; index += 1) {
      this.clear(this.dirtyStart[index] ?? 0, this.dirtyEnd[index] ?? 0);
    }
    this.dirtyCount = 0;
  }

  /** Unmaps everything. */
  empty(): void {
    this.unmap(0, this.length);
    this.dirtyCount = 0;
  }

  /** A failed call may have unmapped pages: they are reserved again. */
  private reserveGaps(offset: number, length: number): void {
    const flags = RESERVED | libc.MAP_FIXED_NOREPLACE;
    const end = Math.min(offset + length, this.length);
    for (let page = offset & -PAGE; page < end; page += PAGE) {
      const address = this.base + page;
      const taken = libc.mapMemory(address, PAGE, libc.PROT_NONE, flags, -1, 0);
      if (Number(taken) === address) this.note(page, PAGE, HOLE);
    }
  }

  private note(offset: number, length: number, access: number): void {
    const first = offset >> PAGE_SHIFT;
    const end = first + Math.ceil(length / PAGE);
    this.access.fill(access, first, end);
    this.changed.fill(1, first, end);
    this.anyChanged = true;
  }

  private reach(offset: number, length: number, least: number): number {
    if (!(offset >= 0 && offset < this.length)) return 0;
    const end = Math.min(offset + length, this.length);
    let page = offset >> PAGE_SHIFT;
    while (page << PAGE_SHIFT < end && (this.access[page] ?? HOLE) >= least) page += 1;
    return Math.min(end, Math.max(offset, page << PAGE_SHIFT)) - offset;
  }

  private clear(start: number, end: number): void {
    for (let at = start; at < end; ) {
      const length = this.writable(at, end - at);
      this.bytes.fill(0, at, at + length);
      at = (at + length + PAGE) & -PAGE;
    }
  }

  private remap(regions: readonly Region[]): void {
    let hole = 0;
    for (const region of regions) {
      const start = Number(region.offset);
      const end = start + Number(region.length);
      this.eachChanged(hole, start, (from, length) => this.unmap(from, length));
      this.remapRegion(region, start, end);
      hole = end;
    }
    this.eachChanged(hole, this.length, (from, length) => this.unmap(from, length));
    this.changed.fill(0);
    this.anyChanged = false;
  }

  private remapRegion({ protection, shared }: Region, start: number, end: number): void {
    // The pages of a shared region belong to one object, which is recreated as a whole.
    const runs: [number, number][] = [];
    this.eachChanged(start, end, (from, length) => runs.push([from, length]));
    if (shared && runs.length > 0) runs.splice(0, runs.length, [start, end - start]);
    for (const [from, length] of runs) {
      const result = this.map(from, length, protection, shared);
      if (result < 0) {
        throw new Error(
          `The arena cannot be mapped (errno ${-result}): most likely memory is short.`,
        );
      }
    }
  }

  /** Runs of changed pages between two offsets. */
  private eachChanged(
    start: number,
    end: number,
    visit: (offset: number, length: number) => void,
  ): void {
    for (let at = start; at < end; ) {
      let runEnd = at;
      while (runEnd < end && this.changed[runEnd >> PAGE_SHIFT] === 1) runEnd += PAGE;
      if (runEnd > at) visit(at, runEnd - at);
      at = runEnd + PAGE;
    }
  }
}
