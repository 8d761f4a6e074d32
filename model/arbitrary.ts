// SPDX-License-Identifier: MIT
// The one fast-check Arbitrary of programs: generates them guided by the world, and shrinks them, also those that it did not
// generate.

import * as fc from 'fast-check';
import type { World } from '../spec/state/world.ts';
import type { Setting } from '../spec/terms/platform.ts';
import { undecidedChanges } from '../spec/terms/releases.ts';
import { GenContext } from './generate/gen-context.ts';
import { Novelty } from './generate/novelty.ts';
import { generateOperation } from './generate/operation.ts';
import { generatePaths, type PathsOfCampaign } from './generate/paths.ts';
import { Rng } from './generate/rng.ts';
import { withTransfers } from './probes/transfers.ts';
import { type Expectation, ProgramBuilder, startOfProgram } from './programs/builder.ts';
import type { Program } from './programs/program.ts';
import { chooseProfile } from './scenarios/profiles.ts';
import { generateEngine } from './scenarios/transfers-begin.ts';
import { type Progress, smallerPrograms, startOfShrinking } from './shrink/smaller-programs.ts';

const isProgram = (value: unknown): value is Program =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'object' && 'op' in entry);

const expectations = new WeakMap<Program, readonly Expectation[]>();

/** What was expected of the program's calls when it was generated; undefined if it was not generated. */
export const expectationsOf = (program: Program): readonly Expectation[] | undefined =>
  expectations.get(program);

/** How often programs probe what no reply shows. */
export type ProbeOptions = {
  /** One program of so many opens a device that can move memory, and makes it; 0 for none. */
  readonly transfersIn: number;
};

const USUAL_PROBES: ProbeOptions = { transfersIn: 4 };

/** Transfers in a program, at most: each takes a real device a tenth of a second. */
const TRANSFERS = 10;

/** How often a call is generated again, at most. */
const TRIES = 2;

class ProgramArbitrary extends fc.Arbitrary<Program> {
  readonly #start: World;
  readonly #length: number;
  readonly #probes: ProbeOptions;
  readonly #paths: PathsOfCampaign;

  readonly #novelty: Novelty | undefined;

  constructor(setting: Setting, length: number, options: GenerateOptions) {
    const { probes = USUAL_PROBES, paths = 'any', guided = false } = options;
    super();
    this.#novelty = guided ? new Novelty() : undefined;
    this.#probes = probes;
    this.#start = startOfProgram(setting);
    this.#length = length;
    this.#paths = paths;
  }

  generate(random: fc.Random): fc.Value<Program> {
    const rng = new Rng(random);
    const builder = new ProgramBuilder(this.#start);
    const paths = generatePaths(rng, this.#start.setting.platform, this.#paths);
    const transfers = this.#makesTransfers(rng);
    const gen = new GenContext(builder, {
      rng,
      paths,
      makesTransfers: transfers,
      chooseProfile: chooseProfile,
    });
    const length = rng.number(Math.max(1, this.#length >> 2), this.#length);
    if (transfers) generateEngine(gen);
    while (builder.operations.length < length) this.#generateOne(gen);
    const { operations } = builder;
    const whole = transfers
      ? (withTransfers(this.#start, operations, TRANSFERS) ?? builder)
      : builder;
    expectations.set(whole.operations, whole.expectations);
    return this.#value(whole.operations, startOfShrinking(whole.operations.length));
  }

  /** Generates what comes next, and once more if it would only repeat what happened often. */
  #generateOne(gen: GenContext): void {
    const { builder } = gen;
    const { world } = builder;
    const count = builder.operations.length;
    generateOperation(gen);
    if (this.#novelty === undefined) return;
    for (let tries = 0; tries < TRIES && this.#novelty.isStale(builder, count); tries += 1) {
      gen.backTo(count, world);
      generateOperation(gen);
    }
    this.#novelty.see(builder, count);
  }

  #makesTransfers(rng: Rng): boolean {
    const { transfersIn } = this.#probes;
    const { release, platform } = this.#start.setting;
    const { devices } = platform;
    // What a device reads through entries for writes is not known before it reads them.
    if (undecidedChanges(release).has('vtdReadPermission')) return false;
    return (
      transfersIn > 0 && devices.some(({ dmaEngine }) => dmaEngine) && rng.chance(1, transfersIn)
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

export type GenerateOptions = {
  readonly probes?: ProbeOptions | undefined;
  /** Through which files the programs call VFIO; each way in some of them where it is absent. */
  readonly paths?: PathsOfCampaign | undefined;
  /** Refusals that would only repeat what was seen often are generated again: a program then depends on those before it. */
  readonly guided?: boolean | undefined;
};

/** Programs for the setting, of at most `length` operations that are generated; probes at what is hidden come on top. */
export const programs = (
  setting: Setting,
  length: number,
  options: GenerateOptions = {},
): fc.Arbitrary<Program> => new ProgramArbitrary(setting, length, options);
