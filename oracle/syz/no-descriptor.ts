// SPDX-License-Identifier: MIT
// The descriptor that no program has open: -1, of 32 or 64 bits.

export const NO_DESCRIPTOR = 0xffff_ffffn;

export const NO_DESCRIPTORS: ReadonlySet<bigint> = new Set([NO_DESCRIPTOR, 0xffff_ffff_ffff_ffffn]);
