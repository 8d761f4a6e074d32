// SPDX-License-Identifier: MIT
// Whether a line is one of a log of strace.

import { withoutPrefix } from './line-prefix.ts';
import { splitCall } from './split-call.ts';
import { resultIn } from './values.ts';

export const UNFINISHED = /\s*<unfinished \.\.\.>\s*$/;
export const RESUMED = /^<\.\.\. ([a-z_][a-z0-9_]{0,63}) resumed>/;
/** "--- SIGCHLD {...} ---", "--- stopped by SIGSTOP ---" */
export const SIGNAL = /^--- .* ---$/;
/** "+++ exited with 0 +++", "+++ killed by SIGKILL (core dumped) +++", "+++ superseded by execve in pid 7 +++" */
export const ENDED = /^\+\+\+ .* \+\+\+$/;
export const ATTACHED = /(?:strace: )?[Pp]rocess (\d{1,7}) (?:attached|detached)/;

/** Longer texts are no first line of a log. */
const LONGEST = 65_536;

export const isStraceLine = (text: string): boolean => {
  if (text.length > LONGEST || text.startsWith('{')) return false;
  const { rest } = withoutPrefix(text.trimEnd());
  if (SIGNAL.test(rest) || ENDED.test(rest) || RESUMED.test(rest)) return true;
  if (/^strace: Process \d+ attached/.test(rest)) return true;
  const call = splitCall(rest);
  if (call === undefined) return false;
  if (call.result !== undefined) return resultIn(call.result) !== undefined;
  return UNFINISHED.test(rest);
};
