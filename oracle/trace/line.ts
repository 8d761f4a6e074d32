// SPDX-License-Identifier: MIT
// A line within bytes that hold several, and its text.

import { BadInput } from './bad-input.ts';

export type Line = {
  /** Counts the file's lines from 1. */
  readonly number: number;
  readonly chunk: Uint8Array;
  /** The line's first byte, and its end (exclusive). */
  readonly start: number;
  readonly end: number;
};

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** Throws BadInput where the line is not UTF-8. */
export const textOf = (file: string, { number, chunk, start, end }: Line): string => {
  try {
    return UTF8.decode(chunk.subarray(start, end));
  } catch {
    throw new BadInput(file, number, 'this line is not text in UTF-8');
  }
};
