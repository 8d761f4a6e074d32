// SPDX-License-Identifier: MIT
// The command line's output: results go to standard output, the rest to standard error. A closed pipe ends the program
// quietly; a full disk is reported.

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
  /** Whether standard error is a terminal. */
  readonly isWatched: boolean;
};

const end = (error: NodeJS.ErrnoException): never =>
  process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : ENVIRONMENT);

/**
 * From now on a closed pipe ends the program, whether it writes results or help. Another failure, such as a full disk,
 * is reported.
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

/** Prints an error, or a note on usage. */
export const writeError = (text: string): void => {
  process.stderr.write(printable(text, false));
};

/** Escapes control characters, so that no file or name can control the terminal. */
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
