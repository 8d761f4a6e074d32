// SPDX-License-Identifier: MIT
// The calls of a program, and what the program observes. A call carries the user memory that it passes, because much of
// the ABI is there.

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

/** A process, by number. Processes share descriptors and nothing else. */
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
  /** The whole ioctl number: 32 bits. */
  readonly command: number;
  /** The third argument: an address, or for three VFIO calls a value. */
  readonly argument: bigint;
  /** The memory that the call may read, as far as it is known, before the call. */
  readonly memory: readonly Segment[];
};

/** memfd_create() and ftruncate() as one call: a file of `length` zero bytes. */
export type MemfdCall = {
  readonly kind: 'memfd';
  readonly process: Process;
  readonly length: bigint;
};

/** mmap() with MAP_FIXED, which replaces what was mapped there. `address` and `length` are page-aligned. */
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
 * The program starts a transfer by a device: 'read' copies from the IOVA to the start of the device's buffer, 'write'
 * from the start of the buffer to the IOVA.
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
  /** The memory that the program reads before and after the transfer. */
  readonly memory: readonly Segment[];
};

/** VmLck is what the process has locked, VmPin what is pinned for it. */
export type StatusField = 'VmLck' | 'VmPin';

/** The program reads a line of /proc/self/status; the result is its value in pages. */
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

/** What the program observes: the result, and the memory of the call after it. */
export type Observation = {
  /** The return value of the system call; -1 if it failed. */
  readonly result: number;
  /** The error number if it failed, 0 otherwise. */
  readonly errno: number;
  readonly memory: readonly Segment[];
};
