// SPDX-License-Identifier: MIT
// Requirements on a verb that reads a damaged file.

/** What came of one verb. */
export type Ran = {
  /** The verb's words. */
  readonly words: readonly string[];
  readonly status: number;
  readonly output: string;
  readonly milliseconds: number;
  /** Of the whole process, in bytes. */
  readonly memory: number;
  /** Files in the folder that it ran in, besides those that were there and the one that it was to write. */
  readonly left: readonly string[];
};

const STATUSES: readonly number[] = [0, 1, 2, 3, 130];
const MOST_MILLISECONDS = 20_000;
const MOST_MEMORY = 2 ** 30;

// What a terminal acts on, besides the ends of lines: C0, DEL, C1, and marks of direction. Both ends inclusive.
const CONTROLS: readonly (readonly [number, number])[] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0x061c, 0x061c],
  [0x200e, 0x200f],
  [0x202a, 0x202e],
  [0x2066, 0x2069],
];

/** The first of them in the output. */
const controlIn = (output: string): number | undefined => {
  for (let at = 0; at < output.length; at += 1) {
    const unit = output.charCodeAt(at);
    if (CONTROLS.some(([first, last]) => first <= unit && unit <= last)) return unit;
  }
  return undefined;
};

/** Why the run is wrong; undefined where it is right. */
export const whyWrong = (
  { status, output, milliseconds, memory, left }: Ran,
  isTimed: boolean,
): string | undefined => {
  if (!STATUSES.includes(status)) return `it ended with status ${status}`;
  const control = controlIn(output);
  if (control !== undefined) {
    return `its output holds U+${control.toString(16).padStart(4, '0')} as it is`;
  }
  if (left.length > 0) return `it wrote ${left.join(', ')}`;
  if (!isTimed) return undefined;
  if (milliseconds > MOST_MILLISECONDS) return `it took ${milliseconds} ms`;
  return memory > MOST_MEMORY ? `it took ${memory} bytes of memory` : undefined;
};
