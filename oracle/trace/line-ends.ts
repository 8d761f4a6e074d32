// SPDX-License-Identifier: MIT
// Where lines end in bytes that hold whole lines.

const NEWLINE = 0x0a;

/** The end (exclusive) of the line that begins at `start`: its newline, or the end of the bytes. */
export const lineEnd = (bytes: Uint8Array, start: number): number => {
  const found = bytes.indexOf(NEWLINE, start);
  return found < 0 ? bytes.length : found;
};

/** Calls back with the bounds of each line: its first byte, and its end (exclusive). */
export const eachLine = (bytes: Uint8Array, take: (start: number, end: number) => void): void => {
  let start = 0;
  while (start < bytes.length) {
    const end = lineEnd(bytes, start);
    take(start, end);
    start = end + 1;
  }
};
