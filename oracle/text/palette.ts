// SPDX-License-Identifier: MIT
// Colours by their meaning. Formatters take a palette and do not depend on a terminal.

export type Paint = (text: string) => string;

export type Palette = {
  /** Titles of sections. */
  readonly title: Paint;
  /** Names of calls and rules. */
  readonly name: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly doubtful: Paint;
  /** Details. */
  readonly faint: Paint;
};

const same: Paint = (text) => text;

export const PLAIN: Palette = {
  title: same,
  name: same,
  good: same,
  bad: same,
  doubtful: same,
  faint: same,
};
