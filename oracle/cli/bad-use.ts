// SPDX-License-Identifier: MIT
// A command line whose parts do not go together.

import { visible } from '../text/visible.ts';

/** The message is one line, whatever the names and texts in it hold. */
export class BadUse extends Error {
  constructor(message: string) {
    super(visible(message));
  }
}
