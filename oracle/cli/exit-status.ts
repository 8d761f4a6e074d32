// SPDX-License-Identifier: MIT
// The exit statuses, as docs/command-line.md documents them.

export const FINE = 0;
export const VIOLATION = 1;
/** A file that cannot be read as what it should be, or a command line that says nothing sensible. */
export const BAD_INPUT = 2;
/** Something that this machine lacks. */
export const ENVIRONMENT = 3;
/** A defect of this program itself. */
export const DEFECT = 4;
/** Stopped by a signal (SIGINT), with what was found until then reported. */
export const INTERRUPTED = 130;
