// SPDX-License-Identifier: MIT
// What the judge says of one call. Three-valued where the specification speaks, and a fourth where it does not.

import type { DeviationId } from '../../spec/outcome/deviations.ts';
import type { Reply } from '../../spec/outcome/outcome.ts';
import type { World } from '../../spec/state/world.ts';
import type { Call, Observation } from '../../spec/terms/call.ts';
import type { Rule } from '../../spec/terms/rule.ts';

/** How an observation differs from one allowed reply. */
export type Difference =
  | { readonly in: 'result'; readonly expected: string; readonly observed: string }
  /** Bytes from `address` on, hexadecimal. */
  | {
      readonly in: 'memory';
      readonly address: bigint;
      readonly expected: string;
      readonly observed: string;
    }
  | { readonly in: 'choice'; readonly what: string; readonly value: bigint; readonly why: string };

/** An allowed reply that was not given. */
export type Rejected = { readonly reply: Reply; readonly differences: readonly Difference[] };

export type Verdict =
  | { readonly kind: 'conforms'; readonly rule: Rule; readonly world: World }
  /** The release is known to answer so. */
  | {
      readonly kind: 'deviation';
      readonly rule: Rule;
      readonly deviation: DeviationId;
      readonly world: World;
    }
  /** The input does not say enough. */
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

/** A call with its verdict and all that a report of it needs. */
export type JudgedCall = {
  /** Line number in the file, from 1; undefined where the call comes from no file. */
  readonly line: number | undefined;
  /** The operation's label, where a program made the call. */
  readonly label?: string;
  readonly call: Call;
  readonly observation: Observation;
  readonly verdict: Verdict;
  /** Before the call. */
  readonly world: World;
};

export type Violation = Extract<Verdict, { kind: 'violation' }>;

export type VerdictKind = Verdict['kind'];

/** How many calls were judged so, of each kind. */
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
