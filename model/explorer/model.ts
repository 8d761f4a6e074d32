// SPDX-License-Identifier: MIT
// A model to explore: four pure methods. A state is never changed; a step makes a new one.

export interface Model<State, Action> {
  /** The start states. */
  start(): readonly State[];
  /** The actions that are possible in a state, in a fixed order. */
  enabled(state: State): readonly Action[];
  /**
   * The state after the action: the same object if nothing changes; undefined if the action has no
   * successor.
   */
  step(state: State, action: Action): State | undefined;
  /**
   * The key of the state: equal states share it, and no others. States that differ only in names of
   * handles may be equal.
   */
  canonical(state: State): Key;
}

/**
 * Keys of states: integers from 0 to 2^53 - 1, or bytes; one kind per model. Bytes are copied when
 * they are stored, so that a model may reuse one buffer.
 */
export type Key = number | Uint8Array;

/** Something that must hold in every state. */
export type Law<State> = {
  readonly name: string;
  /** What contradicts it, as a sentence; undefined if nothing does. */
  readonly contradiction: (state: State) => string | undefined;
};
