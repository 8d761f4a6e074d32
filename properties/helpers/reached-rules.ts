// SPDX-License-Identifier: MIT
// Which rules gave a reply in a test: every suite adds to it, and the last one checks what is missing.

import type { Verdict } from '../../oracle/judge/verdict.ts';

const reached = new Set<string>();

export const record = (rule: string): void => {
  reached.add(rule);
};

export const recordEach = (rules: Iterable<string>): void => {
  for (const rule of rules) reached.add(rule);
};

/** A verdict that accepts names the rule that the reply followed. */
export const recordVerdict = (verdict: Verdict): void => {
  if (verdict.kind === 'conforms' || verdict.kind === 'deviation') reached.add(verdict.rule.id);
};

export const isReached = (rule: string): boolean => reached.has(rule);

/** All of them, to hand them on to another process. */
export const reachedRules = (): readonly string[] => [...reached];
