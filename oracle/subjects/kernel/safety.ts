// What a program may do on a real machine, whoever wrote it: a fixed list of files, ioctls of one type, and
// addresses that are either the arena's or nobody's. Everything else is refused before any system call.

import { IOMMUFD_TYPE } from '../../../spec/abi/native.ts';
import { VFIO_GET_API_VERSION, VFIO_SET_IOMMU } from '../../../spec/abi/vfio.ts';

/** A program asked for something that it must not have. Nothing was done. */
export class UnsafeCall extends Error {
  override readonly name = 'UnsafeCall';
}

const PATHS = /^\/dev\/(iommu|vfio\/(vfio|(noiommu-)?[0-9]{1,6}|devices\/vfio[0-9]{1,6}))$/;

export const mayOpen = (path: string): boolean => PATHS.test(path);

/** Type ';' and nothing in the size and direction bits: what VFIO and iommufd define. */
export const mayCommand = (command: number): boolean => command >>> 8 === IOMMUFD_TYPE >>> 8;

/** CHECK_EXTENSION's and SET_IOMMU's argument is a value, and GET_API_VERSION's is not looked at. */
export const takesValue = (command: number): boolean =>
  command >= VFIO_GET_API_VERSION && command <= VFIO_SET_IOMMU;

/** The arena may lie in this stretch; nothing else does, and a kernel puts nothing here by itself. */
const FREE_START = 0x6000_0000_0000n;
const FREE_END = 0x7800_0000_0000n;
const LOWEST_MAPPABLE = 4096n;
const USER_END = 0x8000_0000_0000n;

/** Whether an access from this address on cannot reach anything but the arena before it meets a hole. */
export const isSafeAddress = (address: bigint): boolean =>
  address < LOWEST_MAPPABLE || address >= USER_END || (address >= FREE_START && address < FREE_END);

/** The same for the halves of a u64, without bigints. */
export const isSafeHalves = (high: number, low: number): boolean => {
  const top = high >>> 0;
  return top === 0 ? low >>> 0 < 4096 : top >= 0x8000 || (top >= 0x6000 && top < 0x7800);
};
