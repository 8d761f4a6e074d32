// SPDX-License-Identifier: MIT
// The steps that generated programs take through the specification, and those of the examples: the worlds on which
// laws are checked. Generated once, with fixed seeds, for every setting; where the kernel may choose, the step takes what it is known to choose.

import * as fc from 'fast-check';
import { expectationsOf, programs } from '../../model/arbitrary.ts';
import { type Expectation, ProgramBuilder, startOfProgram } from '../../model/programs/builder.ts';
import type { Program } from '../../model/programs/program.ts';
import type { World } from '../../spec/state/world.ts';
import type { Setting } from '../../spec/terms/platform.ts';
import { CORPUS } from '../corpus/corpus.ts';
import type { Example } from '../corpus/example.ts';
import { record } from '../helpers/reached-rules.ts';
import { SETTINGS } from '../helpers/settings.ts';

export type Visit = Omit<Expectation, 'after' | 'world'> & {
  readonly setting: Setting;
  /** How the program came about: the seed that generates it, or its example. */
  readonly origin: string;
  readonly program: Program;
  /** Which of the program's operations, from 0. */
  readonly index: number;
  readonly before: World;
  readonly after: World;
};

const PROGRAMS_A_SETTING = 85;
const LENGTH = 40;
const FIRST_SEED = 7001;

const visitsOf = (
  setting: Setting,
  origin: string,
  program: Program,
  steps: readonly Expectation[],
) => {
  const found: Visit[] = [];
  let before = startOfProgram(setting);
  for (const [index, { call, rule, result, world: after }] of steps.entries()) {
    found.push({ setting, origin, program, index, before, call, rule, result, after });
    if (rule !== undefined) record(rule.id);
    before = after;
  }
  return found;
};

const generated = (setting: Setting, seed: number): readonly Visit[] =>
  fc
    .sample(programs(setting, LENGTH), { seed, numRuns: PROGRAMS_A_SETTING })
    .flatMap((program) =>
      visitsOf(setting, `seed ${seed}`, program, expectationsOf(program) ?? []),
    );

const written = ({ says, setting, steps }: Example): readonly Visit[] => {
  const builder = new ProgramBuilder(startOfProgram(setting));
  for (const [operation] of steps) builder.add(operation);
  return visitsOf(setting, `example "${says}"`, builder.operations, builder.expectations);
};

let all: readonly Visit[] | undefined;

/** Every step of every program; the worlds are generated when they are first asked for. */
export const visits = (): readonly Visit[] => {
  all ??= [
    ...Object.values(CORPUS).flat().flatMap(written),
    ...SETTINGS.flatMap((setting, index) => generated(setting, FIRST_SEED + index)),
  ];
  return all;
};
