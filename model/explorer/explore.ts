// Each state once, breadth first unless told otherwise: then the first way that is found into a state is a shortest one. A
// broken law is told with that way. Exploration can be stopped between two states and go on later from where it stood.

import type { Key, Law, Model } from './model.ts';

export type Bounds = {
  /** Actions from the start, at most. */
  readonly depth: number;
  /** Distinct states, at most. */
  readonly states: number;
};

export const UNBOUNDED: Bounds = {
  depth: Number.POSITIVE_INFINITY,
  states: Number.POSITIVE_INFINITY,
};

export type Counts = {
  /** States met, the same one more than once: those at the start and each that a step led to. */
  readonly generated: number;
  readonly distinct: number;
  /** Actions from the start to the states that are looked at now. */
  readonly depth: number;
  /** States that were met and not looked at yet. */
  readonly frontier: number;
};

export type Broken<State, Action> = {
  readonly law: string;
  readonly state: State;
  /** A shortest way from a start to the state. */
  readonly actions: readonly Action[];
};

export type Explored<State, Action> = {
  readonly counts: Counts;
  readonly broken: Broken<State, Action> | undefined;
  /** Why it ended: everything was visited, a bound was reached, a law is broken, or it was told to stop. */
  readonly ended: 'whole' | 'depth' | 'states' | 'broken' | 'stopped';
};

/** Where exploration stands. */
type Visit<State, Action> = {
  readonly state: State;
  readonly from: Visit<State, Action> | undefined;
  readonly action: Action | undefined;
  /** Actions from the start. */
  readonly depth: number;
};

const wayTo = <State, Action>(visit: Visit<State, Action>): readonly Action[] => {
  const actions: Action[] = [];
  for (let at: Visit<State, Action> | undefined = visit; at !== undefined; at = at.from) {
    if (at.action !== undefined) actions.push(at.action);
  }
  return actions.reverse();
};

/** States looked at between two looks at whether to stop. */
const BETWEEN_LOOKS = 4096;

export type Options<State> = {
  readonly laws?: readonly Law<State>[];
  readonly bounds?: Bounds;
  /** Which of the states that were met is looked at next: the earliest, or the latest. */
  readonly order?: 'breadth' | 'depth';
  /** Called now and then; exploration stops where it answers false. */
  readonly onProgress?: (counts: Counts) => boolean;
};

export class Exploration<State, Action> {
  readonly #model: Model<State, Action>;
  readonly #options: Options<State>;
  readonly #seen = new Set<Key>();
  #level: Visit<State, Action>[] = [];
  #next: Visit<State, Action>[] = [];
  #position = 0;
  #depth = 0;
  #generated = 0;
  #broken: Broken<State, Action> | undefined;
  #isFull = false;
  /** A state was not looked at because of its depth. */
  #isBounded = false;

  constructor(model: Model<State, Action>, options: Options<State> = {}) {
    this.#model = model;
    this.#options = options;
    for (const state of model.start()) this.#meet(state, undefined, undefined);
  }

  get counts(): Counts {
    return {
      generated: this.#generated,
      distinct: this.#seen.size,
      depth: this.#depth,
      frontier: this.#level.length - this.#position + this.#next.length,
    };
  }

  /** Goes on until something ends it; called again after a stop, it goes on from there. */
  run(): Explored<State, Action> {
    const { depth } = this.#options.bounds ?? UNBOUNDED;
    let sinceLook = 0;
    for (;;) {
      if (this.#broken !== undefined) return this.#ended('broken');
      if (this.#isFull) return this.#ended('states');
      const visit = this.#options.order === 'depth' ? this.#next.pop() : this.#earliest();
      if (visit === undefined) return this.#ended(this.#isBounded ? 'depth' : 'whole');
      this.#depth = visit.depth;
      if (visit.depth < depth) this.#visit(visit);
      else this.#isBounded = true;
      sinceLook += 1;
      if (sinceLook < BETWEEN_LOOKS) continue;
      sinceLook = 0;
      if (this.#options.onProgress?.(this.counts) === false) return this.#ended('stopped');
    }
  }

  #ended(ended: Explored<State, Action>['ended']): Explored<State, Action> {
    return { counts: this.counts, broken: this.#broken, ended };
  }

  #earliest(): Visit<State, Action> | undefined {
    if (this.#position === this.#level.length) {
      this.#level = this.#next;
      this.#next = [];
      this.#position = 0;
    }
    const visit = this.#level[this.#position];
    if (visit !== undefined) this.#position += 1;
    return visit;
  }

  #visit(visit: Visit<State, Action>): void {
    for (const action of this.#model.enabled(visit.state)) {
      const state = this.#model.step(visit.state, action);
      if (state !== undefined) this.#meet(state, visit, action);
      if (this.#broken !== undefined || this.#isFull) return;
    }
  }

  #meet(state: State, from: Visit<State, Action> | undefined, action: Action | undefined): void {
    this.#generated += 1;
    const key = this.#model.canonical(state);
    const { size } = this.#seen;
    if (size >= (this.#options.bounds ?? UNBOUNDED).states) {
      this.#isFull ||= !this.#seen.has(key);
      return;
    }
    this.#seen.add(key);
    if (this.#seen.size === size) return;
    const visit = { state, from, action, depth: from === undefined ? 0 : from.depth + 1 };
    const law = this.#options.laws?.find(({ holds }) => !holds(state));
    if (law !== undefined) this.#broken = { law: law.name, state, actions: wayTo(visit) };
    this.#next.push(visit);
  }
}

/** Explores a model to its end, or to its bounds. */
export const explore = <State, Action>(
  model: Model<State, Action>,
  options: Options<State> = {},
): Explored<State, Action> => new Exploration(model, options).run();
