// SPDX-License-Identifier: MIT
// What is after the struct that a release knows, where a program passes a longer one: copy_struct_from_user() in
// include/linux/uaccess.h.

import type { Memory } from '../state/memory.ts';
import type { IoctlCall } from '../terms/call.ts';
import { readablePrefix } from './user-copy.ts';

const CHUNK = 4096;

/**
 * The bytes from `known` to `userSize` of the struct at the call's argument: all 0, or up to the first that cannot be
 * read, or not.
 */
export const structTail = (
  memory: Memory,
  call: IoctlCall,
  known: number,
  userSize: number,
): 'zero' | 'fault' | 'not zero' => {
  let at = known;
  while (at < userSize) {
    const length = Math.min(CHUNK, userSize - at);
    const { bytes, fault } = readablePrefix(memory, call, call.argument + BigInt(at), length);
    if (bytes.some((byte) => byte !== 0)) return 'not zero';
    if (fault) return 'fault';
    at += length;
  }
  return 'zero';
};
