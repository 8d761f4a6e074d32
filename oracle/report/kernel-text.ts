// SPDX-License-Identifier: MIT
// The kernel's log during a program as text: a warning, or the last lines before it died.

import { indented } from '../text/lines.ts';
import type { Palette } from '../text/palette.ts';
import { count } from '../text/quantities.ts';
import { logLinesShown, type Verbosity } from '../text/verbosity.ts';
import { visible, visibleLines } from '../text/visible.ts';

const logText = (lines: readonly string[], verbosity: Verbosity): readonly string[] => {
  const shown = lines.slice(0, logLinesShown(verbosity));
  const rest = lines.length - shown.length;
  return indented(
    [...shown.map(visible), ...(rest === 0 ? [] : [`... and ${count(rest, 'more line')}`])],
    '  ',
  );
};

/** A warning is a violation even if every reply conforms. */
export const complaintText = (
  lines: readonly string[],
  verbosity: Verbosity,
  palette: Palette,
): readonly string[] => [
  `${palette.bad('VIOLATION')}  every reply is allowed, but the kernel logged a complaint while the program ran`,
  '',
  palette.title("The kernel's log"),
  ...logText(lines, verbosity),
];

export const deathText = (
  said: string,
  verbosity: Verbosity,
  palette: Palette,
): readonly string[] => [
  `${palette.bad('VIOLATION')}  the kernel died or hung while the program ran`,
  '',
  palette.title('What it said last'),
  ...logText(visibleLines(said.trimEnd()), verbosity),
];
