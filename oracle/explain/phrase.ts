// SPDX-License-Identifier: MIT
// A message of a program, recognized by a part of its text, and what it says.

import type { ErrnoName } from '../../spec/abi/errno.ts';
import type { CallName } from './calls.ts';
import type { CauseId } from './cause-id.ts';
import type { Hint, Program } from './clue.ts';
import type { Path } from './path.ts';

export type Phrase = {
  readonly pattern: RegExp;
  readonly program?: Program;
  readonly calls?: readonly CallName[];
  /** The error that the message means, if it does not print one. */
  readonly errno?: ErrnoName;
  readonly paths?: readonly Path[];
  readonly hints?: readonly Hint[];
  readonly causes?: readonly CauseId[];
};
