// SPDX-License-Identifier: MIT
// The shortest program of an action set that shows a defect of the emulator, or the proof that none of so many calls does:
// every program is run, shortest first. What a defect does is not seen in the specification's worlds. So two programs that
// lead to one world are both continued if the defect was at work in one of them, that is where its switch was asked.
// Where it was not, the emulator was as one without the defect, which is held to the specification: of those one is enough.

import type { DefectName } from '../../model/emulator/defects.ts';
import { EmulatedMachine } from '../../model/emulator/machine.ts';
import { MachineDied } from '../../model/machine/machine.ts';
import type { Operation, Program } from '../../model/programs/program.ts';
import { runProgram, type Step } from '../../model/programs/run.ts';
import type { World } from '../../spec/state/world.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { hiddenDifferences } from '../check/hidden.ts';
import { judgeSteps } from '../check/judge-program.ts';
import type { Action } from './actions.ts';
import { orderAfter } from './order.ts';
import { programOf } from './program-of.ts';
import { type State, WorldModel } from './world-model.ts';

type Counted = {
  /** Programs that were run. */
  readonly programs: number;
  /** Of them those in which the defect was at work. */
  readonly atWork: number;
};

export type ShortestViolation = Counted &
  (
    | /** No program of the actionSet with fewer calls shows it. */
    { readonly kind: 'shown'; readonly program: Program }
    /** No program of the action set with at most so many calls shows it. */
    | { readonly kind: 'not shown'; readonly calls: number }
    /** The same, and for more calls there are too many programs. */
    | { readonly kind: 'too many'; readonly calls: number }
  );

export type Question = {
  readonly setting: Setting;
  readonly actions: readonly Action[];
  readonly defect: DefectName | undefined;
  /** Calls in a program, at most. */
  readonly calls: number;
  /** Programs, at most; any number where absent. */
  readonly programs?: number;
  /** Programs in which the defect was not at work are all continued, too: that takes nothing for granted. */
  readonly every?: boolean;
};

/** The set of a defect alone, and whether it was asked for it. */
class Asked extends Set<DefectName> {
  isAsked = false;

  override has(name: DefectName): boolean {
    const isOn = super.has(name);
    if (isOn) this.isAsked = true;
    return isOn;
  }
}

/** A program, what it came to, and the one that it continues. */
type Node = {
  readonly before: Node | undefined;
  readonly action: Action | undefined;
  /** With the numbers of handles in place of names: as long as nothing is wrong they are what the emulator gave. */
  readonly operations: readonly Operation[];
  readonly state: State;
  readonly isAtWork: boolean;
};

const operationIn = (model: WorldModel, state: State, action: Action): Operation => {
  const handles = model.handlesOf(state);
  const values = action.needs.map((need) => BigInt(handles.get(need)?.number ?? 0));
  return action.operation(action.name, values);
};

type RunResult = {
  readonly isAtWork: boolean;
  /** Undefined where the program shows that something is wrong. */
  readonly world: World | undefined;
};

/** Runs a program whose calls but the last are known to be answered rightly, the world before that being `before`. */
const runLastCall = (
  setting: Setting,
  program: Program,
  before: World,
  defect: DefectName | undefined,
): RunResult => {
  const defects = new Asked(defect === undefined ? [] : [defect]);
  const machine = new EmulatedMachine(setting, { defects: defects });
  let steps: readonly Step[];
  try {
    steps = runProgram(program, machine);
  } catch (error) {
    if (!(error instanceof MachineDied)) throw error;
    return { isAtWork: true, world: undefined };
  }
  const isAtWork = defects.isAsked;
  const judged = judgeSteps(before, steps.slice(-1));
  const isWrong =
    judged.failure !== undefined ||
    hiddenDifferences(judged.world, machine.hiddenState()).length > 0;
  return { isAtWork, world: isWrong ? undefined : judged.world };
};

/** The program as one in which handles are named by what gave them. */
const programTo = (model: WorldModel, node: Node): Program => {
  const actions: Action[] = [];
  const states: State[] = [node.state];
  for (let at = node; at.before !== undefined; at = at.before) {
    actions.unshift(at.action as Action);
    states.unshift(at.before.state);
  }
  return programOf(model, actions, states);
};

class Search {
  readonly #question: Question;
  readonly #model: WorldModel;
  readonly #known = new Set<string>();
  #programs = 0;
  #atWork = 0;

  constructor(question: Question) {
    this.#question = question;
    this.#model = new WorldModel({ setting: question.setting, actions: question.actions });
  }

  run(): ShortestViolation {
    const { calls: most } = this.#question;
    const [start] = this.#model.start() as readonly [State];
    let level: readonly Node[] = [
      { before: undefined, action: undefined, operations: [], state: start, isAtWork: false },
    ];
    for (let calls = 1; calls <= most; calls += 1) {
      const next: Node[] = [];
      for (const node of level) {
        const shown = this.#goOn(node, next);
        if (shown !== undefined) {
          return { kind: 'shown', program: programTo(this.#model, shown), ...this.#counted };
        }
        if (this.#isFull) return { kind: 'too many', calls: calls - 1, ...this.#counted };
      }
      level = next;
    }
    return { kind: 'not shown', calls: most, ...this.#counted };
  }

  get #counted(): Counted {
    return { programs: this.#programs, atWork: this.#atWork };
  }

  get #isFull(): boolean {
    return this.#programs > (this.#question.programs ?? Number.POSITIVE_INFINITY);
  }

  /** Runs every program that has one call more, and adds those to continue; the one that shows the defect, if any does. */
  #goOn(node: Node, next: Node[]): Node | undefined {
    const { setting, defect } = this.#question;
    const model = this.#model;
    for (const action of model.enabled(node.state)) {
      const state = model.step(node.state, action);
      if (state === undefined) continue;
      const operations = [...node.operations, operationIn(model, node.state, action)];
      const { isAtWork, world } = runLastCall(setting, operations, node.state.world, defect);
      this.#programs += 1;
      if (isAtWork) this.#atWork += 1;
      const made: Node = { before: node, action, operations, state, isAtWork };
      if (world === undefined) return made;
      if (isAtWork || this.#question.every === true) next.push(this.#judged(made, node, world));
      else if (this.#isNew(state)) next.push(made);
    }
    return undefined;
  }

  /** Where the defect was at work, what it was seen to choose is what goes on, and not what is expected. */
  #judged(made: Node, { state: before }: Node, world: World): Node {
    const order = orderAfter(before.order, before.world, world);
    return { ...made, state: { world, order, broken: undefined } };
  }

  #isNew(state: State): boolean {
    const name = Buffer.from(this.#model.canonical(state)).toString('latin1');
    if (this.#known.has(name)) return false;
    this.#known.add(name);
    return true;
  }
}

export const shortestViolation = (question: Question): ShortestViolation =>
  new Search(question).run();
