// SPDX-License-Identifier: MIT
// Imported before a program's own modules (node --import): makes a mapping in the hole around the
// arena, as a kernel with many random bits may do.

import * as libc from '../../../oracle/subjects/kernel/libc.ts';

const PLACE = 0x7100_0000_0000;
const LENGTH = 8192;
const FLAGS = libc.MAP_PRIVATE | libc.MAP_ANONYMOUS | libc.MAP_FIXED_NOREPLACE;

if (libc.mapMemory(PLACE, LENGTH, libc.PROT_READ_WRITE, FLAGS, -1, 0) !== PLACE) {
  throw new Error('The mapping could not be made.');
}
