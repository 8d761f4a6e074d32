// SPDX-License-Identifier: MIT
// A command line with options that contradict each other.

import { visible } from '../text/visible.ts';

/** The message is one line, with control characters in names escaped. */
export class BadUse extends Error {
  constructor(message: string) {
    super(visible(message));
  }
}
