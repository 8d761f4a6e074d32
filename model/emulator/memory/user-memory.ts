// SPDX-License-Identifier: MIT
// Copies to and from the program's memory, which stop at the first byte that the program itself
// could not read or write. arch/x86/lib/copy_user_64.S, lib/usercopy.c.

import { zeroBytes } from '../../../spec/abi/bytes.ts';
import { PAGE_SIZE, PAGE_SIZE_BYTES } from '../../../spec/abi/units.ts';
import { type AddressSpace, type Mapping, TASK_END_BYTES } from './address-space.ts';
import type { Frames } from './frames.ts';

type Use = 'read' | 'write' | 'debug';

const permits = (mapping: Mapping, use: Use): boolean => {
  if (mapping.protection === 'none') return false;
  return use !== 'write' || mapping.protection === 'read-write';
};

export class UserMemory {
  readonly #space: AddressSpace;
  readonly #frames: Frames;

  constructor(space: AddressSpace, frames: Frames) {
    this.#space = space;
    this.#frames = frames;
  }

  /** Bytes of memory, or undefined if not all of them can be read. */
  read(address: bigint, length: number): Uint8Array | undefined {
    const bytes = zeroBytes(length);
    return this.readInto(bytes, address) === length ? bytes : undefined;
  }

  /** Fills `bytes` as far as memory can be read. Returns the count of bytes. */
  readInto(bytes: Uint8Array, address: bigint): number {
    return this.#walk(address, bytes.length, 'read', (frame, offset, done, count) => {
      const contents = this.#frames.contents(frame);
      if (contents !== undefined) bytes.set(contents.subarray(offset, offset + count), done);
      else bytes.fill(0, done, done + count);
    });
  }

  /** Writes up to the first byte that cannot be written. Returns whether all bytes were. */
  write(address: bigint, bytes: Uint8Array): boolean {
    return this.#store(address, bytes, 'write') === bytes.length;
  }

  /** Stores like a debugger: read-only pages are written, too. Returns the count of bytes. */
  store(address: bigint, bytes: Uint8Array): number {
    return this.#store(address, bytes, 'debug');
  }

  /** A copy whose length the compiler does not know checks the whole range first (access_ok). */
  rangeIsUser(address: bigint, length: number): boolean {
    return address + BigInt(length) <= TASK_END_BYTES;
  }

  /**
   * Whether `length` bytes from `address` are zero: 'zero', 'nonzero', or 'fault' if a byte before
   * the first that is not zero cannot be read. Memory is read in words, as check_zeroed_user does.
   */
  zeroed(address: bigint, length: number): 'zero' | 'nonzero' | 'fault' {
    if (length === 0) return 'zero';
    if (!this.rangeIsUser(address, length)) return 'fault';
    let found = false;
    const read = this.#walk(address, length, 'read', (frame, offset, _done, count) => {
      const contents = this.#frames.contents(frame);
      if (contents === undefined) return true;
      for (let at = offset; at < offset + count; at += 1) {
        if (contents[at] !== 0) {
          found = true;
          return false;
        }
      }
      return true;
    });
    if (found) return 'nonzero';
    return read === length ? 'zero' : 'fault';
  }

  #store(address: bigint, bytes: Uint8Array, use: Use): number {
    return this.#walk(address, bytes.length, use, (frame, offset, done, count) => {
      this.#frames.writable(frame).set(bytes.subarray(done, done + count), offset);
    });
  }

  /** Visits memory page by page; ends if the use is not permitted or the visitor returns false. */
  #walk(
    address: bigint,
    length: number,
    use: Use,
    visit: (frame: number, offset: number, done: number, count: number) => boolean | undefined,
  ): number {
    if (address >= TASK_END_BYTES) return 0;
    let page = Number(address / PAGE_SIZE_BYTES);
    let offset = Number(address % PAGE_SIZE_BYTES);
    let done = 0;
    while (done < length) {
      const mapping = this.#space.find(page);
      if (mapping === undefined || !permits(mapping, use)) return done;
      const frame = this.#space.frame(mapping, page);
      if (frame === undefined) return done;
      const count = Math.min(length - done, PAGE_SIZE - offset);
      if (visit(frame, offset, done, count) === false) return done;
      done += count;
      offset = 0;
      page += 1;
    }
    return done;
  }
}
