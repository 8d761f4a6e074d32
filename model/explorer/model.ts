// SPDX-License-Identifier: MIT
// What can be explored: four pure methods. A state is never changed; what it leads to is made anew.

export interface Model<State, Action> {
  /** Where exploration begins. */
  start(): readonly State[];
  /** What can be done in a state, in a fixed order. */
  enabled(state: State): readonly Action[];
  /** The state after the action: the same one where nothing changes; undefined where the action leads nowhere. */
  step(state: State, action: Action): State | undefined;
  /** A name that equal states share, and no two others: states that differ only in names of handles may be equal. */
  canonical(state: State): Key;
}

/**
 * Names of states: whole numbers from 0 to 2^53 - 1, or bytes, of one kind in a model. Bytes are copied where they are
 * kept, so that a model may use one buffer again and again.
 */
export type Key = number | Uint8Array;

/** Something that must be true of every state. */
export type Law<State> = {
  readonly name: string;
  /** What contradicts it, in words; undefined where nothing does. */
  readonly contradiction: (state: State) => string | undefined;
};
