// SPDX-License-Identifier: MIT
// What a program runs on: the emulator and a real kernel both implement this. Numbers are those
// that a kernel returns: negative for -errno.

import type { Backing, DmaDirection, Protection, StatusField } from '../../spec/terms/call.ts';

/** Thrown by a machine whose kernel cannot continue: like a BUG of Linux, it ends the program. */
export class MachineDied extends Error {}

export interface Machine {
  /** A descriptor, or -errno. */
  open(path: string): number;
  close(fd: number): number;
  /** The result, or -errno. `argument` is a u64. */
  ioctl(fd: number, command: number, argument: bigint): number;
  /** A descriptor of a new memfd of `length` zero bytes, or -errno. */
  memfd(length: bigint): number;
  /** mmap with MAP_FIXED and all pages present; address and length are whole pages. 0, or -errno. */
  mmap(
    address: bigint,
    length: bigint,
    protection: Protection,
    shared: boolean,
    backing: Backing,
  ): number;
  munmap(address: bigint, length: bigint): number;
  /**
   * Up to `length` bytes of the program's memory from `address`; ends before the first unreadable
   * byte.
   */
  load(address: bigint, length: number): Uint8Array;
  /**
   * Puts bytes into the program's memory, read-only pages included (like a debugger); ends before
   * the first byte that is not mapped or has no access. Returns the count of bytes stored.
   */
  store(address: bigint, bytes: Uint8Array): number;
  /** Makes the device of the descriptor transfer `length` bytes, and waits for it. 0, or -errno. */
  dma(fd: number, direction: DmaDirection, iova: bigint, length: number): number;
  /** A line of /proc/self/status, in pages, minus its value before the program began. */
  status(field: StatusField): number;
}

/** One span of a domain's translation that is within one page of memory. */
export type Translation = {
  readonly iova: bigint;
  /** Bytes. */
  readonly length: number;
  /** Identifies a page of memory: comparable between entries of one machine only. */
  readonly frame: number;
  /** Offset in that page. */
  readonly offset: number;
  readonly readable: boolean;
  readonly writable: boolean;
};

export type DomainState = {
  /** The descriptor of the iommufd that owns it, and its object id there. */
  readonly fd: number;
  readonly hwpt: number;
  /** In ascending order of iova. */
  readonly translations: readonly Translation[];
};

/** A domain of a legacy container, which may have no open descriptor. */
export type ContainerDomainState = {
  /** Numbers of the VFIO groups that are attached to it, ascending. No group is in two domains. */
  readonly groups: readonly number[];
  /** In ascending order of iova. */
  readonly translations: readonly Translation[];
};

/** What an IOAS requires of maps. */
export type TableState = {
  readonly fd: number;
  readonly ioas: number;
  /** Bytes. */
  readonly alignment: bigint;
};

/** What no reply shows. */
export type HiddenState = {
  /** In ascending order of fd, then ioas. */
  readonly tables: readonly TableState[];
  /** In ascending order of fd, then hwpt. */
  readonly domains: readonly DomainState[];
  /** Of legacy containers, in ascending order of their first group. */
  readonly containerDomains: readonly ContainerDomainState[];
  /** Every page of memory that is pinned, and how often. */
  readonly pins: readonly { readonly frame: number; readonly count: number }[];
  /** Pages charged: the process's locked_vm (VmLck), its pinned_vm (VmPin), its user's locked_vm. */
  readonly locked: {
    readonly process: number;
    readonly pinned: number;
    readonly user: number;
  };
};

/** A machine whose hidden state can be read. */
export interface InspectableMachine extends Machine {
  hiddenState(): HiddenState;
}
