// The last line of a recording of version 3: without it the file is cut, and it says where the recorder itself had to end.

import { BadInput } from './bad-input.ts';
import { Fields, parseObject } from './fields.ts';
import type { RecordingHeader } from './recording.ts';
import { shown } from './shown.ts';

/** How the line begins: no other line does. */
const START = '{"call":"end"';

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
    throw new BadInput(this.#file, line, 'there is a line behind the one that ends the recording');
  }

  /** Whether the line, behind the first, is the last one. Throws BadInput where it is, and not as it should be. */
  take(line: number, text: string): boolean {
    if (!this.#isAsked || !text.startsWith(START)) return false;
    const fields = new Fields(this.#file, line, parseObject(this.#file, line, text));
    fields.integer('exit');
    const lines = fields.integer('lines');
    if (lines !== line - 2) fields.fail(`"lines" is ${lines}, and there are ${line - 2} before it`);
    this.#cut = fields.has('cut') ? shown(fields.text('cut')) : undefined;
    this.#hasEnded = true;
    return true;
  }

  /** Behind the last line of the file. Throws BadInput where the recording is not whole. */
  end(line: number): void {
    if (!this.#isAsked) return;
    if (!this.#hasEnded) {
      throw new BadInput(this.#file, line, 'the recording is cut short: its last line is missing');
    }
    if (this.#cut !== undefined) {
      const what = `the recording ends here, before the program did: ${this.#cut}`;
      throw new BadInput(this.#file, line, what);
    }
  }
}
