// SPDX-License-Identifier: MIT
// Starting a program so that the kernel does not place its memory at random, where it could lie in the hole around the
// arena.

import * as libc from './libc.ts';

/**
 * Calls a function that starts a program; this process stays as it is. Where a container's seccomp filter forbids it, the
 * program is started as any other, and finds out by itself what lies in the hole.
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
