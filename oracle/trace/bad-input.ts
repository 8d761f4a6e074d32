// SPDX-License-Identifier: MIT
// The error for a file with invalid content: one line, with the position.

import { visible } from '../text/visible.ts';

/** Exit status 2. `line` counts from 1; 0 for the whole file. */
export class BadInput extends Error {
  readonly file: string;
  readonly line: number;
  readonly what: string;

  constructor(file: string, line: number, what: string) {
    super(visible(line > 0 ? `${file}:${line}: ${what}` : `${file}: ${what}`));
    this.name = 'BadInput';
    this.file = file;
    this.line = line;
    this.what = what;
  }
}
