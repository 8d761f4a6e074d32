// SPDX-License-Identifier: MIT
// The judge's verdict on one call. Three values for specified calls, and a fourth for others.

import type { DeviationId } from '../../spec/outcome/deviations.ts';
import type { Reply } from '../../spec/outcome/outcome.ts';
import type { World } from '../../spec/state/world.ts';
import type { Call, Observation } from '../../spec/terms/call.ts';
import type { Rule } from '../../spec/terms/rule.ts';

/** How an observation differs from one allowed reply. */
export type Difference =
  | { readonly in: 'result'; readonly expected: string; readonly observed: string }
  /** The bytes at `address`, hexadecimal. */
  | {
      readonly in: 'memory';
      readonly address: bigint;
      readonly expected: string;
      readonly observed: string;
    }
  | { readonly in: 'choice'; readonly what: string; readonly value: bigint; readonly why: string };

/** An allowed reply that the subject did not give. */
export type Rejected = { readonly reply: Reply; readonly differences: readonly Difference[] };

export type Verdict =
  | { readonly kind: 'conforms'; readonly rule: Rule; readonly world: World }
  /** A known deviation of the release. */
  | {
      readonly kind: 'deviation';
      readonly rule: Rule;
      readonly deviation: DeviationId;
      readonly world: World;
    }
  /** The input has too little information. */
  | { readonly kind: 'unknown'; readonly why: string; readonly world: World }
  /** The specification does not cover the call. */
  | { readonly kind: 'unspecified'; readonly what: string; readonly world: World }
  | {
      readonly kind: 'violation';
      readonly call: Call;
      readonly observation: Observation;
      readonly rejected: readonly Rejected[];
      /** The world before the call. */
      readonly world: World;
    };

/** A call with its verdict and everything that a report needs. */
export type JudgedCall = {
  /** Line number in the file, from 1; undefined if there is no file. */
  readonly line: number | undefined;
  /** The operation's label, if a program made the call. */
  readonly label?: string;
  readonly call: Call;
  readonly observation: Observation;
  readonly verdict: Verdict;
  /** Before the call. */
  readonly world: World;
};

export type Violation = Extract<Verdict, { kind: 'violation' }>;

export type VerdictKind = Verdict['kind'];

/** The number of calls by verdict. */
export type VerdictCounts = Readonly<Record<VerdictKind, number>>;

export const NO_VERDICTS: VerdictCounts = {
  conforms: 0,
  deviation: 0,
  unknown: 0,
  unspecified: 0,
  violation: 0,
};

export const addedVerdicts = (a: VerdictCounts, b: VerdictCounts): VerdictCounts => ({
  conforms: a.conforms + b.conforms,
  deviation: a.deviation + b.deviation,
  unknown: a.unknown + b.unknown,
  unspecified: a.unspecified + b.unspecified,
  violation: a.violation + b.violation,
});
