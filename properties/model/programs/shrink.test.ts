// SPDX-License-Identifier: MIT
// Shrinking: a long program with an injected defect shrinks to few calls in few runs, even if it
// was not generated, and every candidate is a smaller or simpler program.

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programs } from '../../../model/arbitrary.ts';
import type { DefectName } from '../../../model/emulator/defects.ts';
import type { Program } from '../../../model/programs/program.ts';
import { smallerPrograms, startOfShrinking } from '../../../model/shrink/smaller-programs.ts';
import { judgeProgram } from '../../../oracle/check/judge-program.ts';
import { shrinkProgram } from '../../../oracle/check/shrink-program.ts';
import { CORPUS } from '../../corpus/corpus.ts';
import { settingOf } from '../../helpers/settings.ts';

const OPERATIONS = 200;
const MOCK = settingOf('mock');
const SEED = 23;
const GENERATED = 40;

/** Generated programs of exactly so many operations: prefixes of longer programs. */
const longPrograms: readonly Program[] = fc
  .sample(programs(MOCK, 4 * OPERATIONS), { seed: SEED, numRuns: GENERATED })
  .map((program) => program.slice(0, OPERATIONS));

const fails = (program: Program, defect: DefectName): boolean =>
  judgeProgram(MOCK, program, new Set([defect])).failure !== undefined;

type Planted = { readonly defect: DefectName; readonly fewest: number };

// The fewest calls that show the defect, as the search for minima proves.
const PLANTED: readonly Planted[] = [
  { defect: 'wrong-errno-on-overlap', fewest: 4 },
  { defect: 'size-not-written-back', fewest: 4 },
  { defect: 'unmap-truncates-areas', fewest: 4 },
  { defect: 'second-domain-not-unmapped', fewest: 6 },
];

const PROGRAMS = 6;
/** Programs that shrinking may run; there are 2^200 ways to leave calls out. */
const RUNS_AT_MOST = 1500;
/** So many programs show the defect by a detour that no single change removes. */
const ROUNDABOUT = 4;

const shrinking = suite('shrinking');

type Shrunk = { readonly program: Program; readonly runs: number };

/** fast-check did not generate the program, so that it shrinks without context. */
const shrunkBy = (program: Program, defect: DefectName): Shrunk => {
  let runs = 0;
  const property = fc.property(programs(MOCK, OPERATIONS), (candidate) => {
    runs += 1;
    return !fails(candidate, defect);
  });
  const { counterexample } = fc.check(property, { examples: [[program]], numRuns: 1, seed: SEED });
  return { program: counterexample?.[0] ?? [], runs };
};

const hasNoCallTooMany = (program: Program, defect: DefectName): boolean =>
  program.every((_, index) => !fails(program.toSpliced(index, 1), defect));

for (const { defect, fewest } of PLANTED) {
  shrinking(`200 operations with ${defect} come down to ${fewest}`, () => {
    const shown = longPrograms.filter((program) => fails(program, defect)).slice(0, PROGRAMS);
    assert.is(shown.length, PROGRAMS, 'too few of the long programs show the defect');
    const lengths: number[] = [];
    for (const program of shown) {
      const shrunk = shrunkBy(program, defect);
      assert.ok(fails(shrunk.program, defect));
      assert.ok(hasNoCallTooMany(shrunk.program, defect));
      assert.ok(shrunk.runs <= RUNS_AT_MOST, `${shrunk.runs} runs`);
      lengths.push(shrunk.program.length);
    }
    const shortest = lengths.filter((length) => length === fewest).length;
    assert.ok(shortest >= PROGRAMS / 3, `operations left: ${lengths.join(', ')}`);
    assert.ok(
      Math.max(...lengths) <= fewest + ROUNDABOUT,
      `operations left: ${lengths.join(', ')}`,
    );
  });
}

shrinking('the campaign and the shrinking of a saved program give the same', () => {
  const defect: DefectName = 'unmap-truncates-areas';
  const program = longPrograms.find((candidate) => fails(candidate, defect)) ?? [];
  const found = shrinkProgram(MOCK, program, new Set([defect]));
  assert.ok(found !== undefined && found.program.length <= 6);
  assert.is(found.failure.kind, 'reply');
  assert.is(
    shrinkProgram(MOCK, program),
    undefined,
    'without the defect there is nothing to shrink',
  );
});

const written: readonly Program[] = Object.values(CORPUS)
  .flat()
  .map(({ steps }) => steps.map(([operation]) => operation));

shrinking('programs that were written by hand can be shrunk', () => {
  const arbitrary = programs(MOCK, OPERATIONS);
  for (const program of written) {
    assert.ok(arbitrary.canShrinkWithoutContext(program));
    for (const { value } of arbitrary.shrink(program, undefined).take(200)) {
      assert.ok(value.length <= program.length);
      assert.is.not(value, program);
    }
  }
  for (const other of [undefined, 1, {}, [1], ['open'], [{ call: 'open' }]]) {
    assert.not(arbitrary.canShrinkWithoutContext(other));
  }
});

/** Takes the first candidate repeatedly until there is none. Returns the number of steps. */
const stepsToTheEnd = (program: Program): number => {
  let steps = 0;
  let best = program;
  let progress = startOfShrinking(program.length);
  for (;;) {
    const [candidate] = smallerPrograms(best, progress);
    if (candidate === undefined) return steps;
    assert.ok(candidate.program.length <= best.length);
    best = candidate.program;
    progress = candidate.progress;
    steps += 1;
    assert.ok(steps < STEPS_AT_MOST, `${best.length} operations are left`);
  }
};

const STEPS_AT_MOST = 20_000;

shrinking('shrinking ends, even if every candidate is accepted', () => {
  for (const program of [...written, ...longPrograms.slice(0, 2)]) stepsToTheEnd(program);
});

shrinking('shrinking tries to remove every operation of a program', () => {
  for (const program of written) {
    const tried = new Set<string>();
    for (const candidate of smallerPrograms(program, startOfShrinking(program.length))) {
      if (candidate.program.length !== program.length - 1) continue;
      const left = new Set(candidate.program.map(({ label }) => label));
      for (const { label } of program) if (!left.has(label)) tried.add(label);
    }
    assert.is(tried.size, program.length === 1 ? 0 : program.length);
  }
});

shrinking.run();
