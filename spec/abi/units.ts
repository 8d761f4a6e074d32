// SPDX-License-Identifier: MIT
// Branded types for quantities, so that an IOVA is never passed as a user address. At run time they are plain numbers
// and bigints.

declare const unit: unique symbol;

/** A bigint with a unit, from 0 to 2^64 - 1. */
export type Quantity<Name extends string> = bigint & { readonly [unit]: Name };

/** A number with a unit. */
export type Small<Name extends string> = number & { readonly [unit]: Name };

/** An I/O virtual address, in bytes. */
export type Iova = Quantity<'iova'>;
/** An address in a process, in bytes. */
export type UserAddress = Quantity<'user address'>;
/** A length in bytes. */
export type ByteLength = Quantity<'byte length'>;
/** The id of an object within one iommufd; never 0. */
export type ObjectId = Small<'object id'>;
/** A file descriptor within one process. */
export type Fd = Small<'fd'>;
/** The index of a page, from the start of its backing or its pages. At most 2^52, which a number represents exactly. */
export type PageIndex = Small<'page index'>;

export const iova = (value: bigint): Iova => value as Iova;
export const userAddress = (value: bigint): UserAddress => value as UserAddress;
export const byteLength = (value: bigint): ByteLength => value as ByteLength;
export const objectId = (value: number): ObjectId => value as ObjectId;
export const fileDescriptor = (value: number): Fd => value as Fd;
export const pageIndex = (value: number): PageIndex => value as PageIndex;

/** The greatest u64, and the last byte of every address space. */
export const U64_MAX = 0xffff_ffff_ffff_ffffn;
export const U32_MAX = 0xffff_ffff;
/** Every supported platform has 4 KiB pages. */
export const PAGE_SIZE = 4096;
export const PAGE_SIZE_BYTES = 4096n;
