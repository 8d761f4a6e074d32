// SPDX-License-Identifier: MIT
// The palette of a terminal.

import picocolors from 'picocolors';
import { type Palette, PLAIN } from './palette.ts';

const { bold, cyan, green, red, yellow, dim } = picocolors.createColors(true);

export const COLOURED: Palette = {
  title: bold,
  name: cyan,
  good: green,
  bad: (text) => bold(red(text)),
  doubtful: yellow,
  faint: dim,
};

/** Coloured on a terminal, unless NO_COLOR is set to anything; FORCE_COLOR colours always. */
export const paletteFor = (
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Palette => {
  if ((environment.NO_COLOR ?? '') !== '') return PLAIN;
  if ((environment.FORCE_COLOR ?? '') !== '') return COLOURED;
  return isTerminal && environment.TERM !== 'dumb' ? COLOURED : PLAIN;
};
