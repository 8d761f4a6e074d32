// What a program may do on a real machine, whoever wrote it: a fixed list of files, ioctls of one type, and
// addresses that are either the arena's or nobody's. Everything else is refused before any system call.

import { IOMMUFD_TYPE } from '../../../spec/abi/native.ts';
import { VFIO_GET_API_VERSION, VFIO_SET_IOMMU } from '../../../spec/abi/vfio.ts';

/** A program asked for something that it must not have. Nothing was done. */
export class UnsafeCall extends Error {
  override readonly name = 'UnsafeCall';
}

const PATHS =
  /^\/dev\/(iommu|vfio\/(vfio|(noiommu-)?[0-9]{1,6}|devices\/(noiommu-)?vfio[0-9]{1,6}))$/;

export const mayOpen = (path: string): boolean => PATHS.test(path);

/** Type ';' and nothing in the size and direction bits: what VFIO and iommufd define. */
export const mayCommand = (command: number): boolean => command >>> 8 === IOMMUFD_TYPE >>> 8;

/** CHECK_EXTENSION's and SET_IOMMU's argument is a value, and GET_API_VERSION's is not looked at. */
export const takesValue = (command: number): boolean =>
  command >= VFIO_GET_API_VERSION && command <= VFIO_SET_IOMMU;

/** The arena lies in this stretch, and nothing else does: it is reserved (hole.ts). */
export const HOLE_START = 0x6000_0000_0000n;
export const HOLE_END = 0x7800_0000_0000n;
/** In bytes. What is mapped for a device or an access is followed no further than this from an address in the hole. */
export const LONGEST_MAPPING = 0x100_0000_0000n;

const upperHalf = (address: bigint): number => Number(address >> 32n);
const FREE_START = upperHalf(HOLE_START);
const FREE_END = upperHalf(HOLE_END);
const USER_END = 0x8000;
const LOWEST_MAPPABLE = 4096;

/**
 * Whether an access from this address on, as the halves of a u64, cannot reach anything but the arena before it meets a
 * hole.
 */
export const isSafeHalves = (high: number, low: number): boolean => {
  const top = high >>> 0;
  if (top === 0) return low >>> 0 < LOWEST_MAPPABLE;
  return top >= USER_END || (top >= FREE_START && top < FREE_END);
};
