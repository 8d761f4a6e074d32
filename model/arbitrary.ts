// SPDX-License-Identifier: MIT
// The fast-check arbitrary of programs: generates them guided by the world, and shrinks any
// program.

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

/**
 * The replies that were expected of the program's calls when it was generated; undefined if it was
 * not generated.
 */
export const expectationsOf = (program: Program): readonly Expectation[] | undefined =>
  expectations.get(program);

/** How often programs probe hidden state. */
export type ProbeOptions = {
  /** One program in so many opens a device that can do DMA, and makes transfers; 0 for none. */
  readonly transfersIn: number;
};

const USUAL_PROBES: ProbeOptions = { transfersIn: 4 };

/** At most so many transfers in a program: each takes a real device a tenth of a second. */
const TRANSFERS = 10;

/** A call is generated at most so many times. */
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

  /** Generates the next operation, and once more if it would only repeat frequent rules. */
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
    this.#novelty.record(builder, count);
  }

  #makesTransfers(rng: Rng): boolean {
    const { transfersIn } = this.#probes;
    const { release, platform } = this.#start.setting;
    const { devices } = platform;
    // It is not known what a device reads through write-only entries.
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
  /** The files through which the programs call VFIO; by default some programs use each. */
  readonly paths?: PathsOfCampaign | undefined;
  /**
   * Generate refusals again that would only repeat frequent ones: a program then depends on those
   * before it.
   */
  readonly guided?: boolean | undefined;
};

/**
 * Programs for the setting, of at most `length` generated operations; probes of hidden state come
 * on top.
 */
export const programs = (
  setting: Setting,
  length: number,
  options: GenerateOptions = {},
): fc.Arbitrary<Program> => new ProgramArbitrary(setting, length, options);
