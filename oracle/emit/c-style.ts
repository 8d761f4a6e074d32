// SPDX-License-Identifier: MIT
// How a C file reports its calls: one by one with the expected result, or in a table of two runs side by side.

import { type CText, c, cString } from './c-text.ts';

export type CStyle = {
  /** An expression that makes a call; its value is the result or -errno. */
  readonly report: (text: string, call: CText, expected: CText) => CText;
  /** The same for opening a file that the other calls need; `path` is an expression. */
  readonly open: (text: string, path: CText) => CText;
  /** The expression of a file's path. */
  readonly path: (path: string) => CText;
  /** The expression of a device's name; undefined if the file has it as a literal. */
  readonly device: (name: string) => CText | undefined;
  /** Whether the file compares the last call with the trace. */
  readonly concludes: boolean;
};

export const PLAIN_STYLE: CStyle = {
  report: (text, call, expected) => c`report(${cString(text)},\n\t     ${call}, ${expected})`,
  open: (text, path) => c`report_open(${cString(text)}, ${path})`,
  path: cString,
  device: () => undefined,
  concludes: true,
};
