// SPDX-License-Identifier: MIT
// What a program does to the kernel, one call at a time, and what it sees. A call carries the bytes that
// are in user memory when it is made, because much of the ABI is in them.

import type { Fd, UserAddress } from '../abi/units.ts';

/** Bytes of a process's memory. */
export type Segment = {
  readonly address: UserAddress;
  readonly bytes: Uint8Array;
};

export type Protection = 'none' | 'read' | 'read-write';

/** The backing of a mapping. `fd` is a memfd of the same process; `offset` is in bytes. */
export type Backing =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'memfd'; readonly fd: Fd; readonly offset: bigint }
  /** Memory that cannot be pinned: a device's BAR. */
  | { readonly kind: 'device' }
  /** Anonymous memory in huge pages of 2 MiB. */
  | { readonly kind: 'huge' };

/** A process is named by its number; it shares nothing but descriptors with others. */
export type Process = number;

export type OpenCall = {
  readonly kind: 'open';
  readonly process: Process;
  readonly path: string;
};

export type CloseCall = { readonly kind: 'close'; readonly process: Process; readonly fd: Fd };

export type IoctlCall = {
  readonly kind: 'ioctl';
  readonly process: Process;
  readonly fd: Fd;
  /** The whole ioctl number, as the kernel gets it: 32 bits. */
  readonly command: number;
  /** The third argument: an address, or for three VFIO calls a value. */
  readonly argument: bigint;
  /** What is known of the memory that the call may read, as it is when the call is made. */
  readonly memory: readonly Segment[];
};

/** memfd_create and ftruncate in one: a file of `length` bytes, all zero. */
export type MemfdCall = {
  readonly kind: 'memfd';
  readonly process: Process;
  readonly length: bigint;
};

/** mmap with MAP_FIXED (what was mapped there is gone); `address` and `length` are whole pages. */
export type MmapCall = {
  readonly kind: 'mmap';
  readonly process: Process;
  readonly address: UserAddress;
  readonly length: bigint;
  readonly protection: Protection;
  readonly shared: boolean;
  readonly backing: Backing;
};

export type MunmapCall = {
  readonly kind: 'munmap';
  readonly process: Process;
  readonly address: UserAddress;
  readonly length: bigint;
};

/** A store by the program itself into memory that it may write. */
export type StoreCall = {
  readonly kind: 'store';
  readonly process: Process;
  readonly memory: Segment;
};

export type DmaDirection = 'read' | 'write';

/**
 * The program has a device move memory: 'read' from the IOVA into the device's own buffer, from the buffer's start;
 * 'write' from there to the IOVA.
 */
export type DmaCall = {
  readonly kind: 'dma';
  readonly process: Process;
  /** Of the device. */
  readonly fd: Fd;
  readonly direction: DmaDirection;
  readonly iova: bigint;
  /** Bytes. */
  readonly length: number;
  /** Where the program reads memory before and after it. */
  readonly memory: readonly Segment[];
};

/** VmLck is what the process has locked, VmPin what is pinned for it. */
export type StatusField = 'VmLck' | 'VmPin';

/** The program reads a line of its /proc/self/status, in pages; the result is that number. */
export type StatusCall = {
  readonly kind: 'status';
  readonly process: Process;
  readonly field: StatusField;
};

export type Call =
  | OpenCall
  | CloseCall
  | IoctlCall
  | MemfdCall
  | MmapCall
  | MunmapCall
  | StoreCall
  | DmaCall
  | StatusCall;

/** The memory that is read before and after the call. */
export const memoryRead = (call: Call): readonly Segment[] =>
  call.kind === 'ioctl' || call.kind === 'dma' ? call.memory : NO_MEMORY;

const NO_MEMORY: readonly Segment[] = [];

/** What the program saw: the result, and the same spans of memory after the call. */
export type Observation = {
  /** What the system call returned; -1 where it failed. */
  readonly result: number;
  /** The error number where it failed, 0 where not. */
  readonly errno: number;
  readonly memory: readonly Segment[];
};
