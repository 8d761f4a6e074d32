// SPDX-License-Identifier: MIT
// A mutant of the emulator, and what names it: not its number, which changes with every line above it.

/** What a mutant is known by from one version of the code to the next. */
export type MutantName = {
  /** From the top of the project. */
  readonly file: string;
  /** The kind of mutation, as StrykerJS calls it. */
  readonly mutator: string;
  readonly original: string;
  readonly replacement: string;
  /** Which of those that agree in all this, from 1, in the order of the file. */
  readonly occurrence: number;
};

export type Mutant = MutantName & {
  /** Its switch in the instrumented copy. */
  readonly id: string;
  /** Counted from 1. */
  readonly line: number;
};

/** How a campaign noticed a mutant, or why it did not. */
export type Outcome =
  /** A reply that is not allowed, hidden state that is not the specification's, or the end of the machine. */
  | { readonly kind: 'reply' | 'hidden' | 'death' | 'thrown' | 'endless'; readonly by: Killer }
  /** As many programs as were to be run that reach it, and none showed it. */
  | { readonly kind: 'survived'; readonly programs: number }
  /** No program reaches it. */
  | { readonly kind: 'unreached' };

/** The program that showed a mutant. */
export type Killer = { readonly setting: string; readonly program: number };

export type Judged = Mutant & { readonly outcome: Outcome };

export const isKilled = ({ kind }: Outcome): boolean => kind !== 'survived' && kind !== 'unreached';

/** One text for each name. */
export const keyOf = ({ file, mutator, original, replacement, occurrence }: MutantName): string =>
  JSON.stringify([file, mutator, original, replacement, occurrence]);
