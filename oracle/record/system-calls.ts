// SPDX-License-Identifier: MIT
// The system calls that the recorder reads, by their numbers on x86-64.

export const NUMBER = {
  open: 2,
  close: 3,
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  brk: 12,
  ioctl: 16,
  mremap: 25,
  madvise: 28,
  dup: 32,
  dup2: 33,
  execve: 59,
  fcntl: 72,
  openat: 257,
  dup3: 292,
  execveat: 322,
  pkeyMprotect: 329,
  closeRange: 436,
  openat2: 437,
} as const;

/** The type of the ioctls of iommufd and VFIO. */
export const IOCTL_TYPE = 0x3b;

export const isIoctlOfInterest = (command: bigint): boolean =>
  Number((command >> 8n) & 0xffn) === IOCTL_TYPE;
