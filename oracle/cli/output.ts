// Where the command line writes: results to standard output, everything else to standard error. A reader that goes away
// ends the program quietly.

import { type Palette, paletteFor } from '../report/palette.ts';

export type Output = {
  readonly line: (text: string) => void;
  readonly lines: (texts: readonly string[]) => void;
  readonly error: (text: string) => void;
  readonly palette: Palette;
  readonly errorPalette: Palette;
  /** Whether someone watches standard error. */
  readonly isWatched: boolean;
};

const quietlyEnd = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? 0);
};

/** From now on a reader that goes away ends the program, whatever is being written: results or a verb's help. */
export const endWithoutReader = (): void => {
  process.stdout.on('error', quietlyEnd);
  process.stderr.on('error', quietlyEnd);
};

export const openOutput = (): Output => {
  const { stdout, stderr, env } = process;
  const line = (text: string): void => {
    stdout.write(`${text}\n`);
  };
  return {
    line,
    lines: (texts) => line(texts.join('\n')),
    error: (text) => {
      stderr.write(`${text}\n`);
    },
    palette: paletteFor(stdout.isTTY === true, env),
    errorPalette: paletteFor(stderr.isTTY === true, env),
    isWatched: stderr.isTTY === true,
  };
};
