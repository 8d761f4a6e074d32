// SPDX-License-Identifier: MIT
// The specification as a model for the explorer. States are worlds; worlds that differ only in numbers are one state. Actions
// are those of an action set. Where the kernel is free to choose, the model chooses as known kernels do.

import type { Model } from '../../model/explorer/model.ts';
import { CHANGES_THOUGH_REFUSED } from '../../model/laws/changes-though-refused.ts';
import type { Contradiction, Made } from '../../model/laws/law.ts';
import { REFINEMENTS } from '../../model/laws/refinement.ts';
import { ARENA_BASE } from '../../model/programs/arena.ts';
import { startOfProgram } from '../../model/programs/builder.ts';
import type { Operation } from '../../model/programs/program.ts';
import { callOf, dmaCallOf, type Execution, prepare, resolve } from '../../model/programs/run.ts';
import { sameBytes } from '../../spec/abi/bytes.ts';
import { fileDescriptor } from '../../spec/abi/units.ts';
import { VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA } from '../../spec/abi/vfio.ts';
import type { Outcome, Reply } from '../../spec/outcome/outcome.ts';
import { withStored } from '../../spec/state/memory.ts';
import { type World, withMemory } from '../../spec/state/world.ts';
import { step as stepOfSpecification } from '../../spec/step.ts';
import type { Call } from '../../spec/terms/call.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import type { Action } from './actions.ts';
import { type Handles, handlesIn } from './handles.ts';
import { NO_ORDER, type Order, orderAfter, PROCESS } from './order.ts';
import { WorldKey } from './world-key.ts';

/** A world, the order in which its program got its handles, and the law of steps that its last call broke. */
export type State = {
  readonly world: World;
  readonly order: Order;
  readonly broken: { readonly law: string; readonly how: string } | undefined;
};

export type Step = (world: World, call: Call) => readonly Outcome[];

export type WorldModelOptions = {
  readonly setting: Setting;
  readonly actions: readonly Action[];
  /** The specification; tests inject defects into it. */
  readonly step?: Step;
  /** Called for each call: the rule that answered, or undefined where the call is not specified. */
  readonly onAnswer?: (rule: string | undefined) => void;
};

export const REFUSALS_CHANGE_NOTHING = 'a refused call changes nothing';

/** No results of earlier operations: handles are numbers. */
const EXECUTION: Execution = { base: ARENA_BASE, given: new Map() };

/** The call of an operation whose handles are numbers. */
const callFor = (operation: Operation): Call => {
  if (operation.op === 'dma') return dmaCallOf(operation, EXECUTION);
  if (operation.op !== 'ioctl') return callOf(operation, EXECUTION);
  const { argument, spans } = prepare(operation.argument, EXECUTION);
  return {
    kind: 'ioctl',
    process: PROCESS,
    fd: fileDescriptor(Number(resolve(operation.fd, EXECUTION))),
    command: operation.command,
    argument,
    memory: spans,
  };
};

/** Descriptors and objects of explored programs have smaller numbers. */
const NUMBERS = 1 << 10;

/** A cache of an action's calls, by the numbers of its handles. */
class Calls {
  readonly #action: Action;
  /** By the numbers of the handles that it needs, as digits of one number. */
  readonly #known = new Map<number, Call>();

  constructor(action: Action) {
    this.#action = action;
  }

  of(handles: Handles): Call {
    const { needs } = this.#action;
    let key = 0;
    for (const need of needs) {
      const number = handles.get(need)?.number ?? 0;
      if (number >= NUMBERS) throw new Error(`The number of ${need}, ${number}, is too large.`);
      key = key * NUMBERS + number;
    }
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const values = needs.map((need) => BigInt(handles.get(need)?.number ?? 0));
    const call = callFor(this.#action.operation(this.#action.name, values));
    this.#known.set(key, call);
    return call;
  }
}

const mayChange: ReadonlySet<string> = new Set(CHANGES_THOUGH_REFUSED.map(({ rule }) => rule));

/** A quick check: true only if the worlds differ in nothing but stored bytes and counters. */
const surelySame = (a: World, b: World): boolean =>
  a.files === b.files &&
  a.processes === b.processes &&
  a.devices === b.devices &&
  a.engines.buffers === b.engines.buffers &&
  a.memory.spaces === b.memory.spaces &&
  a.memory.accounts === b.memory.accounts &&
  a.memory.userLocked === b.memory.userLocked;

/** Drops the bytes that the call stored: no action reads them. */
const withoutStores = (world: World): World =>
  world.memory.stores === undefined
    ? world
    : withMemory(world, withStored(world.memory, undefined));

const isRefined = (call: Call): boolean =>
  call.kind === 'ioctl' &&
  (call.command === VFIO_IOMMU_MAP_DMA || call.command === VFIO_IOMMU_UNMAP_DMA);

export class WorldModel implements Model<State, Action> {
  readonly #actions: readonly Action[];
  readonly #calls: ReadonlyMap<Action, Calls>;
  /** The specification, or the one in the options. */
  readonly stepOf: Step;
  readonly #onAnswer: (rule: string | undefined) => void;
  readonly #start: World;
  readonly #key: WorldKey;
  readonly #otherKey: WorldKey;
  /** The world of the latest key, and the key. */
  #keyed: World | undefined;
  #keyedOrder: Order | undefined;
  #latestKey: Uint8Array = new Uint8Array();
  /** The state of the latest `handlesOf`, and its handles. */
  #asked: State | undefined;
  #handles: Handles = new Map();

  constructor({ setting, actions, step, onAnswer }: WorldModelOptions) {
    this.#actions = actions;
    this.#calls = new Map(actions.map((each) => [each, new Calls(each)]));
    this.stepOf = step ?? stepOfSpecification;
    this.#onAnswer = onAnswer ?? (() => {});
    this.#start = startOfProgram(setting);
    this.#key = new WorldKey(this.#start);
    this.#otherKey = new WorldKey(this.#start);
  }

  start(): readonly State[] {
    return [{ world: this.#start, order: NO_ORDER, broken: undefined }];
  }

  enabled(state: State): readonly Action[] {
    if (state.broken !== undefined) return [];
    const handles = this.handlesOf(state);
    return this.#actions.filter(
      ({ needs, unless }) =>
        needs.every((need) => handles.has(need)) && !unless.some((other) => handles.has(other)),
    );
  }

  handlesOf(state: State): Handles {
    if (state !== this.#asked) {
      this.#handles = handlesIn(state.world, state.order);
      this.#asked = state;
    }
    return this.#handles;
  }

  callOf(state: State, action: Action): Call {
    const calls = this.#calls.get(action);
    if (calls === undefined) throw new Error(`The action set has no action "${action.name}".`);
    return calls.of(this.handlesOf(state));
  }

  step(state: State, action: Action): State | undefined {
    const { world } = state;
    const call = this.callOf(state, action);
    const [outcome] = this.stepOf(world, call);
    if (outcome?.kind !== 'reply') {
      this.#onAnswer(undefined);
      return undefined;
    }
    this.#onAnswer(outcome.rule.id);
    const isSame = surelySame(world, outcome.world);
    const after = isSame ? world : withoutStores(outcome.world);
    const order = isSame ? state.order : orderAfter(state.order, world, after);
    const next: State = { world: after, order, broken: undefined };
    const broken = this.#brokenBy(state, call, outcome, next);
    if (broken !== undefined) return { world: after, order, broken };
    return isSame ? state : next;
  }

  canonical({ world, order, broken }: State): Uint8Array {
    const key = this.#keyOf(world, order);
    // A state with a broken law differs from all others.
    return broken === undefined ? key : Uint8Array.of(...key, 0xff);
  }

  /** Cached: the key that a law read is usually needed again at once. */
  #keyOf(world: World, order: Order): Uint8Array {
    if (world !== this.#keyed || order !== this.#keyedOrder) {
      this.#latestKey = this.#key.of(world, order);
      this.#keyed = world;
      this.#keyedOrder = order;
    }
    return this.#latestKey;
  }

  #brokenBy(state: State, call: Call, reply: Reply, next: State): State['broken'] {
    const { rule, errno, result, writes } = reply;
    const { world: before } = state;
    const { world: after } = next;
    const orderOf = (world: World): Order =>
      world === after ? next.order : orderAfter(state.order, before, world);
    const differenceOf = (a: World, b: World): Contradiction => {
      if (surelySame(a, b)) return undefined;
      const one = this.#keyOf(a, orderOf(a));
      const other = this.#otherKey.of(b, orderOf(b));
      return sameBytes(one, other) ? undefined : 'the worlds differ';
    };
    if (errno !== 0 && after !== before && !mayChange.has(rule.id)) {
      const how = differenceOf(before, after);
      if (how !== undefined) return { law: REFUSALS_CHANGE_NOTHING, how: `${rule.id}: ${how}` };
    }
    if (!isRefined(call)) return undefined;
    const reported = errno === 0 ? result : -errno;
    const made: Made = { before, call, rule, result: reported, after, writes };
    for (const { name, compare } of REFINEMENTS) {
      const comparison = compare(made, differenceOf);
      if (comparison.kind === 'differs') return { law: name, how: comparison.how };
    }
    return undefined;
  }
}
