// SPDX-License-Identifier: MIT
// A law is one statement that must hold in every world that a program reaches, as data: a name, and what contradicts it.

import type { World } from '../../spec/state/world.ts';
import type { Call, Segment } from '../../spec/terms/call.ts';
import type { Rule } from '../../spec/terms/rule.ts';

/** What contradicts a law, in words; undefined where nothing does. */
export type Contradiction = string | undefined;

export type WorldLaw = {
  readonly name: string;
  readonly contradiction: (world: World) => Contradiction;
};

export const law = (name: string, contradiction: WorldLaw['contradiction']): WorldLaw => ({
  name,
  contradiction,
});

/** Two ways that must lead to the same. */
export type Comparison =
  | { readonly kind: 'does not apply' }
  | { readonly kind: 'same' }
  | { readonly kind: 'differs'; readonly how: string };

export const DOES_NOT_APPLY: Comparison = { kind: 'does not apply' };

/** The comparison of two ways of which `how` is the difference, if there is one. */
export const compared = (how: Contradiction): Comparison =>
  how === undefined ? { kind: 'same' } : { kind: 'differs', how };

/** A call, the world in which it was made, and what came of it. */
export type Made = {
  readonly before: World;
  readonly call: Call;
  /** Undefined where the call is not specified. */
  readonly rule: Rule | undefined;
  /** -errno where it failed. */
  readonly result: number;
  readonly after: World;
  /** What the reply wrote to memory, where that is known beside the world. */
  readonly writes?: readonly Segment[];
};

/** The first difference between two worlds, in words. */
export type DifferenceOf = (a: World, b: World) => Contradiction;
