// SPDX-License-Identifier: MIT
// The kinds of operations and calls in a trace.

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
