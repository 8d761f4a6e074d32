// SPDX-License-Identifier: MIT
// What a program can do: a trace's operations and the calls that they were made as have these names.

export const CALL_KINDS = [
  'open',
  'close',
  'ioctl',
  'memfd',
  'mmap',
  'munmap',
  'store',
  'dma',
  'status',
] as const;
