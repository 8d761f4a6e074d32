// SPDX-License-Identifier: MIT
// What any program may do on a real machine: a fixed list of files, ioctls of one type, and addresses in
// the arena or in unmapped memory. Everything else is refused before any system call.

import { IOMMUFD_TYPE } from '../../spec/abi/native.ts';
import { VFIO_GET_API_VERSION, VFIO_SET_IOMMU } from '../../spec/abi/vfio.ts';

/** A refused call of a program. It was not made. */
export class UnsafeCall extends Error {
  override readonly name = 'UnsafeCall';
}

const PATHS =
  /^\/dev\/(iommu|vfio\/(vfio|(noiommu-)?[0-9]{1,6}|devices\/(noiommu-)?vfio[0-9]{1,6}))$/;

export const mayOpen = (path: string): boolean => PATHS.test(path);

/** Throws UnsafeCall. */
export const checkPath = (path: string): void => {
  if (!mayOpen(path)) {
    throw new UnsafeCall(`A program may open /dev/iommu and /dev/vfio/..., not ${path}.`);
  }
};

/** Type ';' and nothing in the size and direction bits: what VFIO and iommufd define. */
export const mayCommand = (command: number): boolean => command >>> 8 === IOMMUFD_TYPE >>> 8;

/** Throws UnsafeCall. */
export const checkCommand = (command: number): void => {
  if (!mayCommand(command)) {
    throw new UnsafeCall(
      `A program may issue ioctls of type ';' (0x3b00 to 0x3bff), not 0x${(command >>> 0).toString(16)}.`,
    );
  }
};

/** CHECK_EXTENSION's and SET_IOMMU's argument is a value, and GET_API_VERSION's is not read. */
export const takesValue = (command: number): boolean =>
  command >= VFIO_GET_API_VERSION && command <= VFIO_SET_IOMMU;

/** Only the arena is in this span: the runner reserves it. */
export const HOLE_START = 0x6000_0000_0000n;
export const HOLE_END = 0x7800_0000_0000n;
/** In bytes. Maps for a device or an access reach no further than this from an address in the hole. */
export const LONGEST_MAPPING = 0x100_0000_0000n;

const upperHalf = (address: bigint): number => Number(address >> 32n);
const FREE_START = upperHalf(HOLE_START);
const FREE_END = upperHalf(HOLE_END);
const USER_END = 0x8000;
const LOWEST_MAPPABLE = 4096;
const PAGE = 4096n;

/**
 * Whether an access from this address on, as the halves of a u64, cannot reach anything but the arena before it meets a
 * hole.
 */
export const isSafeHalves = (high: number, low: number): boolean => {
  const top = high >>> 0;
  if (top === 0) return low >>> 0 < LOWEST_MAPPABLE;
  return top >= USER_END || (top >= FREE_START && top < FREE_END);
};

/** Whether the address lies in the hole, or in the arena. */
export const isInHole = (address: bigint): boolean => address >= HOLE_START && address < HOLE_END;

/** Whether an arena of this length in bytes may begin there: the hole continues after it. */
export const isArenaPlace = (base: bigint, length: bigint): boolean =>
  base % PAGE === 0n && base >= HOLE_START && base + length < HOLE_END;

/** `offset` into the arena and `length` in bytes of what is mapped or unmapped. Throws UnsafeCall. */
export const checkArenaRange = (offset: bigint, length: bigint, arenaLength: bigint): void => {
  if (offset < 0n || length < 0n || offset + length > arenaLength) {
    throw new UnsafeCall(
      `A program may change mappings within its arena, not ${length} bytes at ${offset} from its start.`,
    );
  }
};

/** 256 MiB: with more, the machine may run out of memory. */
const MOST_LOCKED_PAGES = 65_536;

/** Pages that a program has locked before its first call. Throws UnsafeCall. */
export const checkLockedPages = (pages: number): void => {
  if (!Number.isInteger(pages) || pages < 0 || pages > MOST_LOCKED_PAGES) {
    throw new UnsafeCall(
      `A program may have locked 0 to ${MOST_LOCKED_PAGES} pages beforehand, not ${pages}.`,
    );
  }
};

const TRANSFER_LENGTH = 4096;
const TRANSFER_REACH = 1n << 48n;
/** Accesses there are interrupts. */
const INTERRUPTS_START = 0xfee0_0000n;
const INTERRUPTS_END = 0xfef0_0000n;

/** A transfer by a device: `length` bytes from or to an IOVA. Throws UnsafeCall. */
export const checkTransfer = (iova: bigint, length: number): void => {
  const last = iova + BigInt(length);
  if (length < 1 || length > TRANSFER_LENGTH || iova < 0n || last > TRANSFER_REACH) {
    throw new UnsafeCall('The device can move 1 to 4096 bytes at an IOVA of 48 bits.');
  }
  if (iova < INTERRUPTS_END && last > INTERRUPTS_START) {
    throw new UnsafeCall('A transfer there would be an interrupt.');
  }
};
