// The one fast-check Arbitrary of programs: draws them guided by the world, and shrinks them, also those that it did not
// draw.

import * as fc from 'fast-check';
import type { World } from '../../spec/state/world.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { Draft, type Expectation, startOfProgram } from './draft.ts';
import { drawEngine } from './draw/engine.ts';
import { drawOperation } from './draw/operation.ts';
import { Scene } from './draw/scene.ts';
import { Novelty } from './novelty.ts';
import { drawPaths, type PathsOfCampaign } from './paths.ts';
import type { Program } from './program.ts';
import { type Progress, smallerPrograms, startOfShrinking } from './shrink.ts';
import { withTransfers } from './transfers.ts';
import { Dice } from './values.ts';

const isProgram = (value: unknown): value is Program =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'object' && 'op' in entry);

const expectations = new WeakMap<Program, readonly Expectation[]>();

/** What was expected of the program's calls when it was drawn; undefined where it was not drawn. */
export const expectationsOf = (program: Program): readonly Expectation[] | undefined =>
  expectations.get(program);

/** How often programs look at what no reply shows. */
export type Looks = {
  /** One program of so many opens a device that can move memory, and makes it; 0 for none. */
  readonly transfersIn: number;
};

const USUAL_LOOKS: Looks = { transfersIn: 4 };

/** Transfers in a program, at most: each takes a real device a tenth of a second. */
const TRANSFERS = 10;

/** How often a call is drawn again, at most. */
const TRIES = 2;

class ProgramArbitrary extends fc.Arbitrary<Program> {
  readonly #start: World;
  readonly #length: number;
  readonly #looks: Looks;
  readonly #paths: PathsOfCampaign;

  readonly #novelty: Novelty | undefined;

  constructor(setting: Setting, length: number, ways: WaysOfDrawing) {
    const { looks = USUAL_LOOKS, paths = 'any', guided = false } = ways;
    super();
    this.#novelty = guided ? new Novelty() : undefined;
    this.#looks = looks;
    this.#start = startOfProgram(setting);
    this.#length = length;
    this.#paths = paths;
  }

  generate(random: fc.Random): fc.Value<Program> {
    const dice = new Dice(random);
    const draft = new Draft(this.#start);
    const paths = drawPaths(dice, this.#start.setting.platform, this.#paths);
    const transfers = this.#makesTransfers(dice);
    const scene = new Scene(dice, draft, paths, transfers);
    const length = dice.number(Math.max(1, this.#length >> 2), this.#length);
    if (transfers) drawEngine(scene);
    while (draft.operations.length < length) this.#drawOne(scene);
    const { operations } = draft;
    const whole = transfers ? (withTransfers(this.#start, operations, TRANSFERS) ?? draft) : draft;
    expectations.set(whole.operations, whole.expectations);
    return this.#value(whole.operations, startOfShrinking(whole.operations.length));
  }

  /** Draws what comes next, and once more where it would only repeat what was seen often. */
  #drawOne(scene: Scene): void {
    const { draft } = scene;
    const { world } = draft;
    const count = draft.operations.length;
    drawOperation(scene);
    if (this.#novelty === undefined) return;
    for (let tries = 0; tries < TRIES && this.#novelty.isStale(draft, count); tries += 1) {
      scene.backTo(count, world);
      drawOperation(scene);
    }
    this.#novelty.see(draft, count);
  }

  #makesTransfers(dice: Dice): boolean {
    const { transfersIn } = this.#looks;
    const { devices } = this.#start.setting.platform;
    return (
      transfersIn > 0 && devices.some(({ dmaEngine }) => dmaEngine) && dice.chance(1, transfersIn)
    );
  }

  canShrinkWithoutContext(value: unknown): value is Program {
    return isProgram(value);
  }

  shrink(program: Program, context: unknown): fc.Stream<fc.Value<Program>> {
    const progress = (context as Progress | undefined) ?? startOfShrinking(program.length);
    return fc.stream(this.#smaller(program, progress));
  }

  *#smaller(program: Program, progress: Progress): IterableIterator<fc.Value<Program>> {
    for (const candidate of smallerPrograms(program, progress)) {
      yield this.#value(candidate.program, candidate.progress);
    }
  }

  #value(program: Program, progress: Progress): fc.Value<Program> {
    return new fc.Value(program, progress);
  }
}

export type WaysOfDrawing = {
  readonly looks?: Looks | undefined;
  /** Through which files the programs call VFIO; each way in some of them where it is absent. */
  readonly paths?: PathsOfCampaign | undefined;
  /** Refusals that would only repeat what was seen often are drawn again: a program then depends on those before it. */
  readonly guided?: boolean | undefined;
};

/** Programs for the setting, of at most `length` operations that are drawn; looks at what is hidden come on top. */
export const programs = (
  setting: Setting,
  length: number,
  ways: WaysOfDrawing = {},
): fc.Arbitrary<Program> => new ProgramArbitrary(setting, length, ways);
