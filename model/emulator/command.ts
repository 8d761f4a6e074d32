// SPDX-License-Identifier: MIT
// The struct of a native call: a copy of its bytes, which can be written back to the program's
// memory. drivers/iommu/iommufd/iommufd_private.h (struct iommufd_ucmd).

import { putU16, putU32, putU64, u16At, u32At, u64At } from '../../spec/abi/bytes.ts';
import { ERRNO } from '../../spec/abi/errno.ts';
import type { Layout } from '../../spec/abi/layout.ts';
import type { UserMemory } from './memory/user-memory.ts';

/** The offset of each field of a struct. */
export type Offsets<L extends Layout> = { readonly [Name in keyof L['table']]: number };

/** The offsets of a struct's fields by name. */
export const offsetsOf = <L extends Layout>(layout: L): Offsets<L> =>
  Object.fromEntries(
    Object.entries(layout.table).map(([name, [, offset]]) => [name, offset]),
  ) as Offsets<L>;

/** A struct's bytes, little-endian. */
export class Struct {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  u16(offset: number): number {
    return u16At(this.bytes, offset);
  }

  u32(offset: number): number {
    return u32At(this.bytes, offset);
  }

  i32(offset: number): number {
    return u32At(this.bytes, offset) | 0;
  }

  u64(offset: number): bigint {
    return u64At(this.bytes, offset);
  }

  setU16(offset: number, value: number): void {
    putU16(this.bytes, offset, value);
  }

  setU32(offset: number, value: number): void {
    putU32(this.bytes, offset, value);
  }

  setU64(offset: number, value: bigint): void {
    putU64(this.bytes, offset, value);
  }
}

export class Command extends Struct {
  readonly #user: UserMemory;
  readonly #address: bigint;
  /** The size that the program gave, in bytes. */
  readonly #size: number;

  constructor(user: UserMemory, address: bigint, size: number, bytes: Uint8Array) {
    super(bytes);
    this.#user = user;
    this.#address = address;
    this.#size = size;
  }

  /** Copies the struct back, at most as many bytes as the program's has. 0, or -EFAULT. */
  respond(): number {
    const bytes = this.#size < this.bytes.length ? this.bytes.subarray(0, this.#size) : this.bytes;
    return this.#user.write(this.#address, bytes) ? 0 : -ERRNO.EFAULT;
  }

  /** Copies one field of eight bytes back. 0, or -EFAULT. */
  respondU64(offset: number): number {
    const bytes = this.bytes.subarray(offset, offset + 8);
    const written = this.#user.write(this.#address + BigInt(offset), bytes);
    return written ? 0 : -ERRNO.EFAULT;
  }
}
