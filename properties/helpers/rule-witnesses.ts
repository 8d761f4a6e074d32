// Which rules gave a reply in a test: every suite adds to it, and the last one looks at what is missing.

import type { Verdict } from '../../oracle/judge/verdict.ts';

const witnessed = new Set<string>();

export const witness = (rule: string): void => {
  witnessed.add(rule);
};

export const witnessEach = (rules: Iterable<string>): void => {
  for (const rule of rules) witnessed.add(rule);
};

/** A verdict that accepts names the rule that the reply followed. */
export const witnessVerdict = (verdict: Verdict): void => {
  if (verdict.kind === 'conforms' || verdict.kind === 'deviation') witnessed.add(verdict.rule.id);
};

export const isWitnessed = (rule: string): boolean => witnessed.has(rule);

/** All of them, to hand them on to another process. */
export const witnessedRules = (): readonly string[] => [...witnessed];
