// What can be explored: four pure methods. A state is never changed; what it leads to is made anew.

export interface Model<State, Action> {
  /** Where exploration begins. */
  start(): readonly State[];
  /** What can be done in a state, in a fixed order. */
  enabled(state: State): readonly Action[];
  /** The state after the action; undefined where the action leads nowhere. */
  step(state: State, action: Action): State | undefined;
  /** A name that equal states share, and no two others: states that differ only in names of things may be equal. */
  canonical(state: State): Key;
}

/** Names of states. Numbers are quicker than strings. */
export type Key = string | number;

/** Something that must be true of every state. */
export type Law<State> = {
  readonly name: string;
  readonly holds: (state: State) => boolean;
};
