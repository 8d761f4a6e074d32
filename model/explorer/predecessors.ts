// SPDX-License-Identifier: MIT
// How each state was reached: its predecessor, and the index of the action. States that are not
// numbers are not stored but computed again from the start; neighbours share most of their path, so
// that this takes about one step each.

import { BadSaved } from './bad-saved.ts';
import { Column } from './column.ts';
import type { Model } from './model.ts';

/** The action index of a start state. */
export const START = 0xffff_ffff;
const MOST_ACTIONS = 0x1_0000;

export class Predecessors<State, Action> {
  readonly #model: Model<State, Action>;
  readonly #starts: readonly State[];
  /** For a start state, the action column has the number of the start. */
  readonly #parents = new Column((length) => new Uint32Array(length));
  readonly #actions = new Column((length) => new Uint16Array(length));
  /** The states themselves, if they are numbers. */
  readonly #numbers: Column | undefined;
  /** The path that was computed last: indices of its states from the start on, and the states. */
  readonly #indices: number[] = [];
  readonly #states: State[] = [];
  /** Another exploration saved the paths. */
  #isFilled = false;

  constructor(model: Model<State, Action>) {
    this.#model = model;
    this.#starts = model.start();
    this.#numbers =
      typeof this.#starts[0] === 'number'
        ? new Column((length) => new Float64Array(length))
        : undefined;
  }

  get starts(): readonly State[] {
    return this.#starts;
  }

  get length(): number {
    return this.#parents.length;
  }

  /** Adds a state: the result of the action with that index in the state with index `parent`. */
  push(parent: number, action: number, state: State): void {
    if (action >= MOST_ACTIONS) throw new Error('A state has more than 65 536 actions.');
    this.#parents.push(parent);
    this.#actions.push(action);
    this.#numbers?.push(state as number);
  }

  /** Actions from the start. */
  depthOf(index: number): number {
    let depth = 0;
    for (let at = this.#parentOf(index); at !== START; at = this.#parentOf(at)) depth += 1;
    return depth;
  }

  stateAt(index: number): State {
    const number = this.#numbers?.at(index);
    return number === undefined ? this.#recomputed(index) : (number as State);
  }

  /** The actions from a start to the state, and each state on that path, the start's first. */
  pathTo(index: number): {
    readonly actions: readonly Action[];
    readonly states: readonly State[];
  } {
    this.#recomputed(index);
    const actions = this.#indices
      .slice(1)
      .map((at, before) => this.#actionAt(this.#states[before] as State, at));
    return { actions, states: [...this.#states] };
  }

  #parentOf(index: number): number {
    const parent = this.#parents.at(index);
    if (parent === undefined) throw new Error(`There is no state ${index}.`);
    return parent;
  }

  #actionAt(before: State, index: number): Action {
    const action = this.#model.enabled(before)[this.#actions.at(index) as number];
    if (action === undefined) throw this.#otherwise();
    return action;
  }

  #otherwise(): Error {
    return this.#isFilled
      ? new BadSaved('a state is reached by an action that is not there')
      : new Error('The model does not do again what it did.');
  }

  /** Keeps the common part of the last path, and computes the rest. */
  #recomputed(index: number): State {
    const predecessor: number[] = [];
    for (let at = index; at !== START; at = this.#parentOf(at)) predecessor.push(at);
    predecessor.reverse();
    let same = 0;
    while (same < predecessor.length && this.#indices[same] === predecessor[same]) same += 1;
    this.#indices.length = same;
    this.#states.length = same;
    for (const at of predecessor.slice(same)) {
      const state = this.#madeFrom(this.#states.at(-1), at);
      this.#indices.push(at);
      this.#states.push(state);
    }
    return this.#states.at(-1) as State;
  }

  #madeFrom(before: State | undefined, index: number): State {
    const state =
      before === undefined
        ? this.#starts[this.#actions.at(index) as number]
        : this.#model.step(before, this.#actionAt(before, index));
    if (state === undefined) throw this.#otherwise();
    return state;
  }

  *bytes(): Generator<Uint8Array> {
    yield* this.#parents.bytes();
    yield* this.#actions.bytes();
    if (this.#numbers !== undefined) yield* this.#numbers.bytes();
  }

  /** Loads the predecessors of so many states; `read` fills the given bytes. */
  fill(count: number, read: (bytes: Uint8Array) => void): void {
    this.#isFilled = true;
    this.#parents.fill(count, read);
    this.#actions.fill(count, read);
    this.#numbers?.fill(count, read);
    for (let index = 0; index < count; index += 1) {
      const parent = this.#parentOf(index);
      if (parent !== START && parent >= index)
        throw new BadSaved('a state is reached from a later one');
    }
  }
}

/** Skips the predecessors of so many states that are not numbers. */
export const skipPredecessors = (count: number, read: (bytes: Uint8Array) => void): void => {
  read(new Uint8Array(count * (Uint32Array.BYTES_PER_ELEMENT + Uint16Array.BYTES_PER_ELEMENT)));
};
