// SPDX-License-Identifier: MIT
// A violation in words, without colours: what was observed, what is allowed by which rules, and why.

import type { JudgedCall, Violation } from '../judge/verdict.ts';
import { PLAIN } from '../text/palette.ts';
import type { Verbosity } from '../text/verbosity.ts';
import { reportOf } from './violation.ts';
import { violationText } from './violation-text.ts';

export type ExplainOptions = {
  /** The name of the input in the first line, such as a file. */
  readonly name?: string;
  /** The line number of the call, from 1. */
  readonly line?: number;
  /** The calls before it, in order; the last six are listed. */
  readonly before?: readonly JudgedCall[];
  /** How much of the state is shown; 'brief' by default. */
  readonly verbosity?: Verbosity;
};

/**
 * The text that the command line prints for a violation: the call, what was observed, each allowed reply with its rule
 * and the rule's source, the argument, and the state before the call. Lines of at most 100 characters, joined by "\n".
 */
export const explainViolation = (
  verdict: Violation,
  { name, line, before = [], verbosity = 'brief' }: ExplainOptions = {},
): string => {
  const report = reportOf(verdict, { file: name, line }, before.length, before, verbosity);
  return violationText(report, verbosity, PLAIN).join('\n');
};
