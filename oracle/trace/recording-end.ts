// SPDX-License-Identifier: MIT
// The last line of a recording of version 3: without it the file is cut, and it says where the recorder itself had to
// end.

import * as v from 'valibot';
import { BadInput } from './bad-input.ts';
import type { RecordingHeader } from './recording.ts';
import { shown } from './shown.ts';
import { exactly, exitStatus, openFields, text, whole } from './values.ts';

/** By its `call`, as the lines before it. */
export const END = openFields({
  call: exactly('end'),
  exit: exitStatus,
  lines: whole(0),
  cut: v.exactOptional(text),
});

export class RecordingEnd {
  readonly #file: string;
  readonly #isAsked: boolean;
  #hasEnded = false;
  #cut: string | undefined;

  constructor(file: string, { hasEnd }: RecordingHeader) {
    this.#file = file;
    this.#isAsked = hasEnd;
  }

  /** Throws BadInput where the last line was taken. */
  requireOpen(line: number): void {
    if (!this.#hasEnded) return;
    throw new BadInput(this.#file, line, 'there is a line after the last one of the recording');
  }

  /** The last line. Throws BadInput where lines are missing before it. */
  take(line: number, { lines, cut }: v.InferOutput<typeof END>): void {
    if (lines !== line - 2) {
      const what = `"lines" is ${lines}, and there are ${line - 2} before it`;
      throw new BadInput(this.#file, line, what);
    }
    this.#cut = cut;
    this.#hasEnded = true;
  }

  /** After the last line of the file. Throws BadInput if the recording is not complete. */
  end(line: number): void {
    if (line === 1) {
      const what = 'the recording is cut short: there is only its header';
      throw new BadInput(this.#file, line, what);
    }
    if (!this.#isAsked) return;
    if (!this.#hasEnded) {
      throw new BadInput(this.#file, line, 'the recording is cut short: its last line is missing');
    }
    if (this.#cut !== undefined) {
      const what = `the recording ends here, before the program did: ${shown(this.#cut)}`;
      throw new BadInput(this.#file, line, what);
    }
  }
}
