// SPDX-License-Identifier: MIT
// Starts programs without address space randomization, so that no mapping lies in the hole around the arena.

import * as libc from './libc.ts';

/**
 * Calls a function that starts a program; this process is unchanged. If a seccomp filter forbids it, the program starts
 * with randomization, and checks the hole itself.
 */
export const withoutAslr = <Result>(start: () => Result): Result => {
  const before = libc.personality(libc.ASK_PERSONALITY);
  if (before < 0) return start();
  libc.personality(before | libc.ADDR_NO_RANDOMIZE);
  try {
    return start();
  } finally {
    libc.personality(before);
  }
};
