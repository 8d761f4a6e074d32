// How much a file may ask of its reader. Files come from strangers: what is longer, deeper or more is refused with its
// line. docs/trace-format.md has the same table.

const MIB = 1 << 20;

/** Bytes of one line, unpacked, without its end. */
export const LINE_BYTES_MAX = 4 * MIB;

/** Objects and lists within each other. */
export const DEPTH_MAX = 16;

/** Operations of a trace. Recordings may have any number of lines: they are read as a stream. */
export const OPERATIONS_MAX = 100_000;
