// SPDX-License-Identifier: MIT
// Visits each state once, breadth first by default: then the first path to a state is a shortest
// one. A broken law is reported with that path. An exploration can be stopped between two states,
// saved and continued.

import { BadSaved } from './bad-saved.ts';
import { ByteKeys, hashOf } from './byte-keys.ts';
import { Column } from './column.ts';
import type { Key, Law, Model } from './model.ts';
import { Predecessors, START, skipPredecessors } from './predecessors.ts';
import type { Visited } from './visited.ts';
import { visitedFor } from './visited-for.ts';

export { BadSaved };

export type Bounds = {
  /** At most so many actions from the start. */
  readonly depth: number;
  /** At most so many distinct states. */
  readonly states: number;
};

export const UNBOUNDED: Bounds = {
  depth: Number.POSITIVE_INFINITY,
  states: Number.POSITIVE_INFINITY,
};

export type Counts = {
  /** States reached, with repetitions: the start states and the result of each step. */
  readonly generated: number;
  readonly distinct: number;
  /** Actions from the start to the state that is being expanded. */
  readonly depth: number;
  /** States that are not expanded yet. */
  readonly frontier: number;
};

export type Broken<State, Action> = {
  readonly law: string;
  /** What contradicts the law. */
  readonly how: string;
  readonly state: State;
  /** A shortest path from a start to the state, and each state on it, from the start on. */
  readonly actions: readonly Action[];
  readonly states: readonly State[];
};

export type Explored<State, Action> = {
  readonly counts: Counts;
  readonly broken: Broken<State, Action> | undefined;
  /**
   * Why it ended: everything was visited, a bound was reached, a law is broken, or it was
   * interrupted.
   */
  readonly ended: 'whole' | 'depth' | 'states' | 'broken' | 'stopped';
};

/** States reached between two checks of whether to stop. */
const BETWEEN_CHECKS = 1 << 14;

/** The position of an exploration, without the visited states. */
export type Position = {
  readonly distinct: number;
  readonly generated: number;
  readonly depth: number;
  /** The first state that was not expanded. */
  readonly position: number;
  /** The first state of the next level. */
  readonly levelEnd: number;
  /**
   * How many of the generated states every shard generates: those before the level that shards
   * divide.
   */
  readonly common: number;
};

/**
 * One of several explorations with one depth bound that share the work of one. Each expands every
 * state of all levels but the last one, and its part of the last. Parts of earlier levels would
 * mostly lead to the same states. At least one shard reaches each state, as early as a single
 * exploration would.
 */
export type Shard = {
  /** From 0, and less than `of`. */
  readonly index: number;
  readonly of: number;
};

/**
 * An earlier exploration of the same model; `read` fills the given bytes with what `bytes`
 * returned, in order.
 */
export type Saved = { readonly at: Position; readonly read: (bytes: Uint8Array) => void };

export type Options<State> = {
  readonly laws?: readonly Law<State>[];
  readonly bounds?: Bounds;
  /** Which unexpanded state is next: the earliest, or the latest. */
  readonly order?: 'breadth' | 'depth';
  /** Called now and then; exploration stops if it returns false. */
  readonly onProgress?: (counts: Counts) => boolean;
  /** Breadth first only. */
  readonly shard?: Shard;
  /** The exploration to continue; by default a new one starts. */
  readonly saved?: Saved;
};

export class Exploration<State, Action> {
  readonly #model: Model<State, Action>;
  readonly #laws: readonly Law<State>[];
  readonly #bounds: Bounds;
  readonly #onProgress: Options<State>['onProgress'];
  readonly #predecessors: Predecessors<State, Action>;
  readonly #visited: Visited<Key>;
  /**
   * Depth first: the states that are not expanded. Breadth first these are all from `#position` on.
   */
  readonly #pending: Column | undefined;
  #position = 0;
  #levelEnd = 0;
  #depth = 0;
  /** The count of generated states when the present level began. */
  #beforeLevel = 0;
  #generated = 0;
  #broken: Broken<State, Action> | undefined;
  readonly #shard: Shard | undefined;
  #isFull = false;
  /** Depth first: a state was not expanded because of its depth. */
  #isCut = false;

  constructor(model: Model<State, Action>, options: Options<State> = {}) {
    this.#model = model;
    this.#laws = options.laws ?? [];
    this.#bounds = options.bounds ?? UNBOUNDED;
    this.#onProgress = options.onProgress;
    this.#shard = options.shard;
    this.#pending =
      options.order === 'depth' ? new Column((length) => new Uint32Array(length)) : undefined;
    this.#predecessors = new Predecessors(model);
    const [first] = this.#predecessors.starts;
    if (first === undefined) throw new Error('A model has a state to start from.');
    this.#visited = visitedFor(model.canonical(first));
    if (options.saved === undefined) this.#begin();
    else this.#goOnFrom(options.saved);
  }

  #begin(): void {
    this.#predecessors.starts.forEach((state, which) => {
      this.#meet(state, START, which);
    });
    this.#levelEnd = this.#predecessors.length;
    this.#beforeLevel = this.#generated;
  }

  #goOnFrom({ at, read }: Saved): void {
    const { distinct, generated, depth, position, levelEnd, common } = at;
    if (position > levelEnd || levelEnd > distinct)
      throw new BadSaved('its position is after its end');
    if (Math.min(generated, depth, position, common) < 0 || common > generated) {
      throw new BadSaved('its counts contradict each other');
    }
    this.#predecessors.fill(at.distinct, read);
    this.#visited.fill(at.distinct, read);
    if (this.#visited.size !== distinct) throw new BadSaved('a state is there twice');
    this.#generated = at.generated;
    this.#depth = at.depth;
    this.#position = at.position;
    this.#levelEnd = levelEnd;
    this.#beforeLevel = common;
  }

  get counts(): Counts {
    const distinct = this.#predecessors.length;
    const frontier = this.#pending?.length ?? distinct - this.#position;
    return { generated: this.#generated, distinct, depth: this.#depth, frontier };
  }

  get at(): Position {
    const { generated, distinct, depth } = this.counts;
    const isDivided = depth >= this.#bounds.depth - 1;
    return {
      ...{ distinct, generated, depth, position: this.#position, levelEnd: this.#levelEnd },
      common: isDivided ? this.#beforeLevel : generated,
    };
  }

  /**
   * Every visited state, as bytes, from which another exploration can continue. Breadth first only.
   */
  *bytes(): Generator<Uint8Array> {
    if (this.#pending !== undefined) throw new Error('An exploration in depth is not saved.');
    yield* this.#predecessors.bytes();
    yield* this.#visited.bytes();
  }

  /** Explores until something ends it; after a stop, another call continues. */
  run(): Explored<State, Action> {
    let nextCheck = this.#generated + BETWEEN_CHECKS;
    for (;;) {
      if (this.#broken !== undefined) return this.#ended('broken');
      if (this.#isFull) return this.#ended('states');
      const index = this.#pending === undefined ? this.#earliest() : this.#latest(this.#pending);
      if (typeof index === 'string') return this.#ended(index);
      this.#visit(index);
      if (this.#generated < nextCheck) continue;
      nextCheck = this.#generated + BETWEEN_CHECKS;
      if (this.#onProgress?.(this.counts) === false) return this.#ended('stopped');
    }
  }

  #ended(ended: Explored<State, Action>['ended']): Explored<State, Action> {
    return { counts: this.counts, broken: this.#broken, ended };
  }

  /** The first state that is not expanded, or why there is none. */
  #earliest(): number | 'whole' | 'depth' {
    const index = this.#position;
    if (index === this.#predecessors.length) return 'whole';
    if (index === this.#levelEnd) {
      this.#depth += 1;
      this.#levelEnd = this.#predecessors.length;
      if (this.#depth < this.#bounds.depth) this.#beforeLevel = this.#generated;
    }
    if (this.#depth >= this.#bounds.depth) return 'depth';
    this.#position = index + 1;
    return index;
  }

  /** Each state of the last expanded level belongs to one shard, by its key. */
  #isOurs(state: State): boolean {
    if (this.#shard === undefined || this.#depth !== this.#bounds.depth - 1) return true;
    const { index, of } = this.#shard;
    return partOf(this.#model.canonical(state), of) === index;
  }

  #latest(pending: Column): number | 'whole' | 'depth' {
    for (;;) {
      const index = pending.pop();
      if (index === undefined) return this.#isCut ? 'depth' : 'whole';
      this.#depth = this.#predecessors.depthOf(index);
      if (this.#depth < this.#bounds.depth) return index;
      this.#isCut = true;
    }
  }

  #visit(index: number): void {
    const model = this.#model;
    const state = this.#predecessors.stateAt(index);
    if (!this.#isOurs(state)) return;
    const actions = model.enabled(state);
    const generated = this.#generated;
    for (let which = 0; which < actions.length; which += 1) {
      const next = model.step(state, actions[which] as Action);
      if (next === undefined) continue;
      if (next === state) this.#generated += 1;
      else this.#meet(next, index, which);
      if (this.#broken !== undefined) return;
      if (this.#isFull) {
        // It is expanded again, wholly, if exploration continues with a larger bound.
        this.#generated = generated;
        this.#putBack(index);
        return;
      }
    }
  }

  #putBack(index: number): void {
    if (this.#pending === undefined) this.#position = index;
    else this.#pending.push(index);
  }

  #meet(state: State, parent: number, action: number): void {
    this.#generated += 1;
    const key = this.#model.canonical(state);
    const index = this.#predecessors.length;
    if (index >= this.#bounds.states) {
      this.#isFull ||= !this.#visited.has(key);
      return;
    }
    if (!this.#visited.add(key)) return;
    this.#predecessors.push(parent, action, state);
    this.#pending?.push(index);
    for (const law of this.#laws) {
      const how = law.contradiction(state);
      if (how === undefined) continue;
      this.#broken = { law: law.name, how, state, ...this.#predecessors.pathTo(index) };
      return;
    }
  }
}

/** The number of distinct states of several explorations whose keys are bytes. Throws BadSaved. */
export const distinctOf = (all: readonly Saved[]): number => {
  const names = new ByteKeys();
  for (const [which, { at, read }] of all.entries()) {
    try {
      skipPredecessors(at.distinct, read);
      names.fill(at.distinct, read);
    } catch (error) {
      throw error instanceof BadSaved ? new BadSaved(error.message, which) : error;
    }
  }
  return names.size;
};

/** A number from 0 to `count` - 1 that depends on the key alone. */
const partOf = (key: Key, count: number): number =>
  (typeof key === 'number' ? Math.imul(key ^ (key >>> 15), 0x9e37_79b1) >>> 8 : hashOf(key)) %
  count;

/** Explores a model to its end, or to its bounds. */
export const explore = <State, Action>(
  model: Model<State, Action>,
  options: Options<State> = {},
): Explored<State, Action> => new Exploration(model, options).run();
