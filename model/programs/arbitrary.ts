// The one fast-check Arbitrary of programs: draws them guided by the world, and shrinks them, also those that it did not
// draw.

import * as fc from 'fast-check';
import type { Setting } from '../../spec/platform.ts';
import type { World } from '../../spec/world.ts';
import { Draft, type Expectation, startOfProgram } from './draft.ts';
import { drawOperation } from './draw/operation.ts';
import { Scene } from './draw/scene.ts';
import { drawPaths, type PathsOfCampaign } from './paths.ts';
import type { Program } from './program.ts';
import { type Progress, smallerPrograms, startOfShrinking } from './shrink.ts';
import { Dice } from './values.ts';

const isProgram = (value: unknown): value is Program =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'object' && 'op' in entry);

const expectations = new WeakMap<Program, readonly Expectation[]>();

/** What was expected of the program's calls when it was drawn; undefined where it was not drawn. */
export const expectationsOf = (program: Program): readonly Expectation[] | undefined =>
  expectations.get(program);

class ProgramArbitrary extends fc.Arbitrary<Program> {
  readonly #start: World;
  readonly #length: number;
  readonly #paths: PathsOfCampaign;

  constructor(setting: Setting, length: number, paths: PathsOfCampaign) {
    super();
    this.#start = startOfProgram(setting);
    this.#length = length;
    this.#paths = paths;
  }

  generate(random: fc.Random): fc.Value<Program> {
    const dice = new Dice(random);
    const draft = new Draft(this.#start);
    const paths = drawPaths(dice, this.#start.setting.platform, this.#paths);
    const scene = new Scene(dice, draft, paths);
    const length = dice.number(Math.max(1, this.#length >> 2), this.#length);
    while (draft.operations.length < length) drawOperation(scene);
    expectations.set(draft.operations, draft.expectations);
    return this.#value(draft.operations, startOfShrinking(length));
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

/** Programs for the setting, of at most `length` operations. */
export const programs = (
  setting: Setting,
  length: number,
  paths: PathsOfCampaign = 'any',
): fc.Arbitrary<Program> => new ProgramArbitrary(setting, length, paths);
