// SPDX-License-Identifier: MIT
// Records the program's own memory: every mapping that it makes, changes or removes.

import { ERRNO } from '../../spec/abi/errno.ts';
import { fileOf, isRecorded, type MappedRange, mappingsOf, pathOf } from './proc-files.ts';
import { hex, type LineFields } from './recording-lines.ts';
import type { AfterCall, Caller } from './tracer.ts';

const PAGE = 4096n;
const MAP_SHARED_BIT = 1n;
const MAP_ANONYMOUS = 0x20n;
const MAP_HUGETLB = 0x4_0000n;
const HUGE_SHIFT = 26n;
const HUGE_PAGE_BITS = 21n;
const MREMAP_DONTUNMAP = 4n;

/** Advice that replaces the memory, or may do so: DONTNEED, FREE, REMOVE, DONTNEED_LOCKED. */
const DISCARDING: ReadonlyMap<bigint, string> = new Map([
  [4n, 'DONTNEED'],
  [8n, 'FREE'],
  [9n, 'REMOVE'],
  [24n, 'DONTNEED_LOCKED'],
]);

const EINVAL = BigInt(ERRNO.EINVAL);

type Arguments = readonly bigint[];

/** Writes down a line of the caller's. */
export type Emit = (caller: Caller, fields: LineFields) => void;

const wholePages = (length: bigint, page = PAGE): bigint => (length + page - 1n) & ~(page - 1n);

const permissions = (protection: bigint, shared: boolean): string =>
  `${protection & 1n ? 'r' : '-'}${protection & 2n ? 'w' : '-'}${protection & 4n ? 'x' : '-'}${shared ? 's' : 'p'}`;

/** Mappings as a recording has them. */
export const mappingLines = (mappings: readonly MappedRange[]): readonly LineFields[] =>
  mappings.map(({ start, end, perm }) => ({ start: hex(start), end: hex(end), perm }));

export class MemoryCalls {
  readonly #emit: Emit;
  /** Numbers for files of memory, the same wherever one is mapped. */
  readonly #files = new Map<string, number>();
  /** Where each process's heap ends. */
  readonly #heaps = new Map<number, bigint>();

  /** All mappings when they were last read; dropped at the next call that may change some. */
  readonly #mappings = new Map<number, readonly MappedRange[]>();

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** A call that may change mappings of some process is about to be made. */
  changing(): void {
    this.#mappings.clear();
  }

  /** The mappings that meet the range, both ends inclusive. Reading them all takes long. */
  meeting(process: number, start: bigint, last: bigint): readonly MappedRange[] {
    const known = this.#mappings.get(process) ?? mappingsOf(process);
    this.#mappings.set(process, known);
    return known.filter((mapping) => mapping.start <= last && mapping.end > start);
  }

  /** The backing of a descriptor, as `backing` and, for memory, `file` and `size`. */
  backing(process: number, fd: number): LineFields {
    const path = pathOf(process, fd);
    if (isRecorded(path)) return { backing: 'device' };
    const found = fileOf(process, fd);
    if (found?.kind !== 'memory-file') return { backing: 'file' };
    const number = this.#files.get(found.identity) ?? this.#files.size;
    this.#files.set(found.identity, number);
    return { backing: 'memory-file', file: number, size: hex(found.size) };
  }

  mmap(caller: Caller, [, length, protection, flags, fd, offset]: Arguments): AfterCall {
    const bits = flags as bigint;
    const isAnonymous = (bits & MAP_ANONYMOUS) !== 0n;
    const descriptor = Number(BigInt.asIntN(32, fd as bigint));
    const backing = isAnonymous
      ? { backing: 'anonymous' }
      : this.backing(caller.process, descriptor);
    const isHuge = (bits & MAP_HUGETLB) !== 0n;
    const page = isHuge ? 1n << ((bits >> HUGE_SHIFT) & 0x3fn || HUGE_PAGE_BITS) : PAGE;
    const fields = {
      length: hex(wholePages(length as bigint, page)),
      perm: permissions(protection as bigint, (bits & MAP_SHARED_BIT) !== 0n),
      ...backing,
      ...(isAnonymous ? {} : { offset: hex(offset as bigint) }),
    };
    return (result) => {
      if (result < 0n) return;
      this.#emit(caller, { call: 'mmap', addr: hex(result), ...fields });
    };
  }

  munmap(caller: Caller, [address, length]: Arguments): AfterCall {
    return (result) => {
      if (result < 0n) return;
      const range = { addr: hex(address as bigint), length: hex(wholePages(length as bigint)) };
      this.#emit(caller, { call: 'munmap', ...range });
    };
  }

  mprotect(caller: Caller, [address, length, protection]: Arguments): AfterCall {
    return (result) => {
      if (result < 0n) return;
      const range = { addr: hex(address as bigint), length: hex(wholePages(length as bigint)) };
      const perm = permissions(protection as bigint, false).slice(0, 3);
      this.#emit(caller, { call: 'mprotect', ...range, perm });
    };
  }

  mremap(caller: Caller, [address, oldLength, length, flags]: Arguments): AfterCall {
    return (result) => {
      if (result < 0n) return;
      this.#emit(caller, {
        call: 'mremap',
        addr: hex(address as bigint),
        length: hex(wholePages(oldLength as bigint)),
        to: hex(result),
        toLength: hex(wholePages(length as bigint)),
        keeps: ((flags as bigint) & MREMAP_DONTUNMAP) !== 0n,
      });
    };
  }

  madvise(caller: Caller, [address, length, advice]: Arguments): AfterCall | undefined {
    const name = DISCARDING.get(BigInt.asUintN(32, advice as bigint));
    if (name === undefined) return undefined;
    return (result) => {
      // Only with EINVAL nothing changed. If a part of the range is not mapped, the rest is changed.
      if (result === -EINVAL) return;
      const range = { addr: hex(address as bigint), length: hex(wholePages(length as bigint)) };
      this.#emit(caller, { call: 'madvise', ...range, advice: name });
    };
  }

  /** The heap grows or shrinks at its end. */
  brk(caller: Caller): AfterCall {
    return (result) => {
      const end = wholePages(result);
      const before = this.#heaps.get(caller.process);
      this.#heaps.set(caller.process, end);
      if (before === undefined || before === end) return;
      const range = before < end ? [before, end - before] : [end, before - end];
      const fields = { addr: hex(range[0] as bigint), length: hex(range[1] as bigint) };
      this.#emit(
        caller,
        before < end
          ? { call: 'mmap', ...fields, perm: 'rw-p', backing: 'anonymous' }
          : { call: 'munmap', ...fields },
      );
    };
  }

  /** A new program: everything that is mapped when it starts. */
  executed(process: number): LineFields {
    this.changing();
    this.#heaps.delete(process);
    return { call: 'exec', vmas: mappingLines(mappingsOf(process)) };
  }

  /** A child's heap ends where its parent's does. */
  forked(parent: number, child: number): void {
    const end = this.#heaps.get(parent);
    if (end !== undefined) this.#heaps.set(child, end);
  }
}
