// SPDX-License-Identifier: MIT
// The exit statuses, as docs/command-line.md documents them.

export const FINE = 0;
export const VIOLATION = 1;
/** A file with invalid content, or an invalid command line. */
export const BAD_INPUT = 2;
/** This machine lacks something. */
export const ENVIRONMENT = 3;
/** A defect of this program itself. */
export const DEFECT = 4;
/** Stopped by a signal (SIGINT); the results so far are reported. */
export const INTERRUPTED = 130;
