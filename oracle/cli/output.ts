// SPDX-License-Identifier: MIT
// Where the command line writes: results to standard output, everything else to standard error. A reader that goes away
// ends the program quietly, and a full disk with a word.

import { paletteFor } from '../text/colours.ts';
import { type Palette, PLAIN } from '../text/palette.ts';
import { printable } from '../text/visible.ts';
import { ENVIRONMENT } from './exit-status.ts';

export type Output = {
  readonly line: (text: string) => void;
  readonly lines: (texts: readonly string[]) => void;
  readonly error: (text: string) => void;
  readonly palette: Palette;
  readonly errorPalette: Palette;
  /** Whether someone watches standard error. */
  readonly isWatched: boolean;
};

const end = (error: NodeJS.ErrnoException): never =>
  process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : ENVIRONMENT);

/**
 * From now on a reader that goes away ends the program, whatever is being written: results or a verb's help. What cannot be
 * written for another reason, such as a full disk, is reported.
 */
export const endWithoutReader = (): void => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') {
      writeError(`Standard output cannot be written: ${error.message}.\n`);
    }
    end(error);
  });
  process.stderr.on('error', end);
};

const isColoured = (palette: Palette): boolean => palette !== PLAIN;

/** Of what goes wrong, or of the use of a verb. */
export const writeError = (text: string): void => {
  process.stderr.write(printable(text, false));
};

/** Nothing that is printed makes a terminal do something, whatever files and names it was made from. */
export const openOutput = (): Output => {
  const { stdout, stderr, env } = process;
  const palette = paletteFor(stdout.isTTY === true, env);
  const errorPalette = paletteFor(stderr.isTTY === true, env);
  const line = (text: string): void => {
    stdout.write(`${printable(text, isColoured(palette))}\n`);
  };
  return {
    line,
    lines: (texts) => line(texts.join('\n')),
    error: (text) => {
      stderr.write(`${printable(text, isColoured(errorPalette))}\n`);
    },
    palette,
    errorPalette,
    isWatched: stderr.isTTY === true,
  };
};
