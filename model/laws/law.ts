// SPDX-License-Identifier: MIT
// A law is one statement that must hold in every world that a program reaches, as data: a name, and
// a function that finds a contradiction.

import type { World } from '../../spec/state/world.ts';
import type { Call, Segment } from '../../spec/terms/call.ts';
import type { Rule } from '../../spec/terms/rule.ts';

/** What contradicts a law, as a sentence; undefined if nothing does. */
export type Contradiction = string | undefined;

export type WorldLaw = {
  readonly name: string;
  readonly contradiction: (world: World) => Contradiction;
};

export const law = (name: string, contradiction: WorldLaw['contradiction']): WorldLaw => ({
  name,
  contradiction,
});

/** Two computations that must lead to the same. */
export type Comparison =
  | { readonly kind: 'does not apply' }
  | { readonly kind: 'same' }
  | { readonly kind: 'differs'; readonly how: string };

export const DOES_NOT_APPLY: Comparison = { kind: 'does not apply' };

/** The result of a comparison, whose difference is `how`, if any. */
export const compared = (how: Contradiction): Comparison =>
  how === undefined ? { kind: 'same' } : { kind: 'differs', how };

/** A call, the world before it, and its reply. */
export type Made = {
  readonly before: World;
  readonly call: Call;
  /** Undefined if the call is unspecified. */
  readonly rule: Rule | undefined;
  /** -errno if it failed. */
  readonly result: number;
  readonly after: World;
  /** What the reply wrote to memory, if that is known. */
  readonly writes?: readonly Segment[];
};

/** The first difference between two worlds, as a sentence. */
export type DifferenceOf = (a: World, b: World) => Contradiction;
