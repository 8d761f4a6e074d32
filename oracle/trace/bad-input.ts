// SPDX-License-Identifier: MIT
// What is said of a file that cannot be read as what it should be: one line, with the place.

import { visible } from '../text/visible.ts';

/** Exit status 2. `line` counts from 1; 0 where no line is meant. */
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
