// SPDX-License-Identifier: MIT
// A cause of a failed call: what the rules do not have, which is how likely it is, what confirms it, and what helps.

import type { ErrnoName } from '../../spec/abi/errno.ts';
import type { RuleId } from '../../spec/rules.ts';
import type { CallName } from './calls.ts';
import type { Clue } from './clue.ts';

export type Evidence = {
  readonly when: (clue: Clue) => boolean;
  /** What it adds to the cause's weight; negative if it speaks against the cause. */
  readonly weight: number;
  /** A sentence. */
  readonly why: string;
};

/** Replies that the cause explains and that no rule has: permissions of files, other drivers, allocations. */
export type Beyond = { readonly calls: readonly CallName[]; readonly errnos: readonly ErrnoName[] };

export type Cause = {
  /** A sentence. */
  readonly title: string;
  /** The rules that refuse a call for it. */
  readonly rules: readonly RuleId[];
  readonly beyond?: readonly Beyond[];
  /** How often it is the cause of such a reply, without evidence: 0 to 100. */
  readonly usual: number;
  /** A sentence that says so. */
  readonly why: string;
  readonly evidence?: readonly Evidence[];
  /** Commands and questions that confirm the cause or rule it out. */
  readonly checks: readonly string[];
  /** What is known to help. */
  readonly remedies: readonly string[];
};
