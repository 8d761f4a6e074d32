// SPDX-License-Identifier: MIT
// The shortest program of an action set that shows a defect of the emulator, or the proof that none up to a length does. Every
// program runs, the shortest first. The specification's worlds do not show what a defect did. So of the programs that lead to
// the same world, each in which the defect was active (the emulator read its switch) is continued. The others behaved as on
// an emulator without the defect, which conforms to the specification: one of them is enough.

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
  /** Programs that ran. */
  readonly programs: number;
  /** The programs among them in which the defect was active. */
  readonly atWork: number;
};

export type ShortestViolation = Counted &
  /** No program of the action set with fewer calls shows it. */
  (
    | { readonly kind: 'shown'; readonly program: Program }
    /** No program of the action set with at most `calls` calls shows it. */
    | { readonly kind: 'not shown'; readonly calls: number }
    /** The same; there are too many programs with more calls. */
    | { readonly kind: 'too many'; readonly calls: number }
  );

export type Question = {
  readonly setting: Setting;
  readonly actions: readonly Action[];
  readonly defect: DefectName | undefined;
  /** Calls in a program, at most. */
  readonly calls: number;
  /** Programs, at most; absent: no limit. */
  readonly programs?: number;
  /** Also continues every program in which the defect was not active. */
  readonly every?: boolean;
};

/** The set of one defect, which notes whether the emulator read it. */
class DefectSwitch extends Set<DefectName> {
  isRead = false;

  override has(name: DefectName): boolean {
    const isOn = super.has(name);
    if (isOn) this.isRead = true;
    return isOn;
  }
}

/** A program, the state that it leads to, and the program that it continues. */
type Node = {
  readonly before: Node | undefined;
  readonly action: Action | undefined;
  /** With the numbers of handles instead of names: while no reply is wrong, these are the emulator's. */
  readonly operations: readonly Operation[];
  readonly state: State;
  readonly isActive: boolean;
};

const operationIn = (model: WorldModel, state: State, action: Action): Operation => {
  const handles = model.handlesOf(state);
  const values = action.needs.map((need) => BigInt(handles.get(need)?.number ?? 0));
  return action.operation(action.name, values);
};

type RunResult = {
  readonly isActive: boolean;
  /** Undefined if the program shows a defect. */
  readonly world: World | undefined;
};

/** Runs a program and judges its last call, in the world `before`. The replies of the other calls are known to conform. */
const runLastCall = (
  setting: Setting,
  program: Program,
  before: World,
  defect: DefectName | undefined,
): RunResult => {
  const defects = new DefectSwitch(defect === undefined ? [] : [defect]);
  const machine = new EmulatedMachine(setting, { defects: defects });
  let steps: readonly Step[];
  try {
    steps = runProgram(program, machine);
  } catch (error) {
    if (!(error instanceof MachineDied)) throw error;
    return { isActive: true, world: undefined };
  }
  const isActive = defects.isRead;
  const judged = judgeSteps(before, steps.slice(-1));
  const isWrong =
    judged.failure !== undefined ||
    hiddenDifferences(judged.world, machine.hiddenState()).length > 0;
  return { isActive, world: isWrong ? undefined : judged.world };
};

/** The node's program, with handles named by the operations that returned them. */
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
      { before: undefined, action: undefined, operations: [], state: start, isActive: false },
    ];
    for (let calls = 1; calls <= most; calls += 1) {
      const next: Node[] = [];
      for (const node of level) {
        const shown = this.#extend(node, next);
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

  /** Runs every program with one call more. Adds those to continue to `next`; returns the one that shows the defect, if any. */
  #extend(node: Node, next: Node[]): Node | undefined {
    const { setting, defect } = this.#question;
    const model = this.#model;
    for (const action of model.enabled(node.state)) {
      const state = model.step(node.state, action);
      if (state === undefined) continue;
      const operations = [...node.operations, operationIn(model, node.state, action)];
      const { isActive, world } = runLastCall(setting, operations, node.state.world, defect);
      this.#programs += 1;
      if (isActive) this.#atWork += 1;
      const made: Node = { before: node, action, operations, state, isActive };
      if (world === undefined) return made;
      if (isActive || this.#question.every === true) next.push(this.#judged(made, node, world));
      else if (this.#isNew(state)) next.push(made);
    }
    return undefined;
  }

  /** If the defect was active, the program continues from the judged world, which has the emulator's choices. */
  #judged(made: Node, { state: before }: Node, world: World): Node {
    const order = orderAfter(before.order, before.world, world);
    return { ...made, state: { world, order, broken: undefined } };
  }

  #isNew(state: State): boolean {
    const key = Buffer.from(this.#model.canonical(state)).toString('latin1');
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    return true;
  }
}

export const shortestViolation = (question: Question): ShortestViolation =>
  new Search(question).run();
