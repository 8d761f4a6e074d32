// SPDX-License-Identifier: MIT
// Limits of input files, which may come from strangers: what exceeds them is refused with its line. docs/trace-
// format.md has the same table.

const MIB = 1 << 20;

/** Bytes of one line, unpacked, without its end. */
export const LINE_BYTES_MAX = 4 * MIB;

/** Nested objects and lists. */
export const DEPTH_MAX = 16;

/** Operations of a trace. Recordings may have any number of lines: they are read as a stream. */
export const OPERATIONS_MAX = 100_000;

/** Characters of a path, a label, a name. */
export const TEXT_MAX = 4096;

/** Characters of a kernel's log before it dies. */
export const LOG_MAX = 1 * MIB;

/** Bytes of a store, of the tail of a struct, of a span of memory before and after a call. */
export const BYTES_MAX = 1 * MIB;

/** Spans of memory of one call. */
export const SEGMENTS_MAX = 64;

/** Words of 8 bytes that an operation stores at one address. */
export const WORDS_MAX = 4096;

/** Bytes of one transfer by a device. */
export const TRANSFER_MAX = 4096;

/** Rules, differences or lines of a log of one violation. */
export const DIFFERENCES_MAX = 10_000;

/** Deliberate defects that the emulator had. */
export const DEFECTS_MAX = 256;

/** Of a platform. */
export const IOMMUS_MAX = 64;
export const DEVICES_MAX = 256;
/** Of a device. */
export const RESERVED_MAX = 256;

/** Bytes that a recording shows of a call's struct, and of the memory it points at. */
export const STRUCT_MAX = 8192;
export const POINTED_MAX = 4096;

/** Mappings of a program on one line. */
export const MAPPINGS_MAX = 65_536;

/** Bytes of a report of a check, which is one line. */
export const REPORT_BYTES_MAX = 16 * MIB;

/** Settings of one check. */
export const CAMPAIGNS_MAX = 1024;
