// What must hold of a verb that reads a damaged file.

/** What came of one verb. */
export type Ran = {
  /** The verb's words. */
  readonly words: readonly string[];
  readonly status: number;
  readonly output: string;
  readonly milliseconds: number;
  /** Of the whole process, in bytes. */
  readonly memory: number;
  /** Files in the folder that it ran in, besides those that were there and the one that it was told to write. */
  readonly left: readonly string[];
};

const STATUSES: readonly number[] = [0, 1, 2, 3, 130];
const MOST_MILLISECONDS = 20_000;
const MOST_MEMORY = 2 ** 30;

// What a terminal acts on, besides the ends of lines: C0, DEL, C1, and marks of direction.
const CONTROL =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** Why the run is wrong; undefined where it is right. */
export const whyWrong = (
  { status, output, milliseconds, memory, left }: Ran,
  isTimed: boolean,
): string | undefined => {
  if (!STATUSES.includes(status)) return `it ended with status ${status}`;
  const control = CONTROL.exec(output);
  if (control !== null) {
    const code = control[0].codePointAt(0) ?? 0;
    return `its output holds U+${code.toString(16).padStart(4, '0')} as it is`;
  }
  if (left.length > 0) return `it wrote ${left.join(', ')}`;
  if (!isTimed) return undefined;
  if (milliseconds > MOST_MILLISECONDS) return `it took ${milliseconds} ms`;
  return memory > MOST_MEMORY ? `it took ${memory} bytes of memory` : undefined;
};
