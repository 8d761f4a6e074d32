// SPDX-License-Identifier: MIT
// Colours by what they mean. Formatters take a palette and know of no terminal.

export type Paint = (text: string) => string;

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

const same: Paint = (text) => text;

export const PLAIN: Palette = {
  title: same,
  name: same,
  good: same,
  bad: same,
  doubtful: same,
  faint: same,
};
