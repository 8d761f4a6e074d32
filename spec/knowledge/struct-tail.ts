// SPDX-License-Identifier: MIT
// The bytes beyond the struct that a release knows, if a program passes a longer one: copy_struct_from_user() in
// include/linux/uaccess.h.

import type { Memory } from '../state/memory.ts';
import type { IoctlCall } from '../terms/call.ts';
import { readablePrefix } from './user-copy.ts';

const CHUNK = 4096;

/**
 * Whether the bytes of the struct from `known` to `userSize` (exclusive) are all 0. 'fault' if one cannot be read and
 * those before it are 0.
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
