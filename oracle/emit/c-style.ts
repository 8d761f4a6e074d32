// SPDX-License-Identifier: MIT
// How a C file reports its calls: one by one with what is expected, or into a table that holds two runs side by side.

import { type CText, c, cString } from './c-text.ts';

export type CStyle = {
  /** The expression that makes a call, whose value is the result or -errno. */
  readonly report: (text: string, call: CText, expected: CText) => CText;
  /** The same for a file without which the rest means nothing; `path` is an expression. */
  readonly open: (text: string, path: CText) => CText;
  /** The expression of a file's path. */
  readonly path: (path: string) => CText;
  /** The expression of a device's name; undefined if it is in the file as a literal. */
  readonly device: (name: string) => CText | undefined;
  /** The last call is compared with what the trace says of it. */
  readonly concludes: boolean;
};

export const PLAIN_STYLE: CStyle = {
  report: (text, call, expected) => c`report(${cString(text)},\n\t     ${call}, ${expected})`,
  open: (text, path) => c`report_open(${cString(text)}, ${path})`,
  path: cString,
  device: () => undefined,
  concludes: true,
};
