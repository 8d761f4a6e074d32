// Colours by what they mean. Formatters take a palette and know of no terminal.

import picocolors from 'picocolors';

type Paint = (text: string) => string;

export type Palette = {
  /** What a section is about. */
  readonly title: Paint;
  /** Names of calls and rules. */
  readonly name: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly doubtful: Paint;
  /** What is there for completeness. */
  readonly faint: Paint;
};

const palette = (enabled: boolean): Palette => {
  const { bold, cyan, green, red, yellow, dim } = picocolors.createColors(enabled);
  return {
    title: bold,
    name: cyan,
    good: green,
    bad: (text) => bold(red(text)),
    doubtful: yellow,
    faint: dim,
  };
};

export const PLAIN: Palette = palette(false);
export const COLOURED: Palette = palette(true);

/** Coloured on a terminal, unless NO_COLOR is set to anything; FORCE_COLOR colours always. */
export const paletteFor = (
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Palette => {
  if ((environment.NO_COLOR ?? '') !== '') return PLAIN;
  if ((environment.FORCE_COLOR ?? '') !== '') return COLOURED;
  return isTerminal && environment.TERM !== 'dumb' ? COLOURED : PLAIN;
};
