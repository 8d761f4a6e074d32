// SPDX-License-Identifier: MIT
// Whether a file is a syzkaller program, by its first line that is not empty.

/** "r0 = openat$iommufd(", "ioctl$IOMMU_IOAS_ALLOC(r0, ", "mmap(&(0x7f": strace writes addresses and results otherwise. */
const CALL = /^\s*(r\d+\s*=\s*)?[a-z]\w*(\$[\w$]+)?\(/;

/** strace ends a line with the result; a syzkaller program has it before the call. */
const STRACE_RESULT = /\)\s*=\s*(-?\d|0x|\?)|<unfinished/;

/** Comments come first in what syzkaller writes: its options, or where the report is. */
const COMMENT = /^\s*#/;

/** Whether the line begins a syzkaller program. */
export const isSyzLine = (text: string): boolean =>
  COMMENT.test(text) || (CALL.test(text) && !STRACE_RESULT.test(text.replace(/#.*$/, '')));
