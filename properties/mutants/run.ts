// SPDX-License-Identifier: MIT
// One run of mutation testing: instruments, generates, hunts, and reports progress on standard error.

import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { huntMutants } from './hunt.ts';
import { UNMUTATED_FILES } from './ignored.ts';
import { buildCopy, type Instrumented, instrument } from './instrument.ts';
import { isKilled, type Judged, keyOf, type Mutant } from './mutant.ts';
import { generatePrograms, PLACES } from './programs.ts';

export type Asked = {
  /** Of each setting. */
  readonly programs: number;
  /** Programs on which a mutant is tried, at most. */
  readonly tries: number;
  readonly only?: string;
  readonly sample?: number;
  /** Keys of mutants, where only these are asked for. */
  readonly among?: ReadonlySet<string>;
  readonly shard?: { readonly index: number; readonly of: number };
  readonly seed: number;
  readonly jobs: number;
};

const FOLDER = 'model/emulator';

/** The emulator of the checkout at `root`, instrumented: files with `only` in their path. */
export const mutantsOf = (root: string, only = ''): Promise<Instrumented> => {
  const names = readdirSync(join(root, FOLDER), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && UNMUTATED_FILES[name] === undefined)
    .map((name) => `${FOLDER}/${name}`)
    .filter((name) => name.includes(only))
    .sort();
  return instrument(
    names.map((name) => ({ name, content: readFileSync(join(root, name), 'utf8') })),
  );
};

/** A pseudo-random number, the same for the same name and seed. */
const lot = (name: string, seed: number): number => {
  let hash = seed ^ 0x9e37_79b9;
  for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2_ae35);
  return (hash ^ (hash >>> 13)) >>> 0;
};

/** Those that are asked for, in their order. */
const chosen = (
  mutants: readonly Mutant[],
  { sample, shard, seed, among }: Asked,
): readonly Mutant[] => {
  const byLot = mutants
    .filter((mutant) => among === undefined || among.has(keyOf(mutant)))
    .sort((a, b) => lot(keyOf(a), seed) - lot(keyOf(b), seed));
  const sampled = new Set(byLot.slice(0, sample));
  return mutants.filter(
    (mutant, index) =>
      sampled.has(mutant) && (shard === undefined || index % shard.of === shard.index),
  );
};

const SECONDS = 10;

export const runHunt = async (
  root: string,
  asked: Asked,
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<readonly Judged[]> => {
  const { files, mutants, ignored } = await mutantsOf(root, asked.only);
  const hunted = chosen(mutants, asked);
  for (const [reason, count] of ignored) say(`${count} left out: ${reason}`);
  const work = join(root, 'dist', 'mutants', String(process.pid));
  const folder = join(work, 'programs');
  try {
    await buildCopy(root, work, files);
    mkdirSync(folder, { recursive: true });
    generatePrograms(folder, asked.programs, asked.seed);
    const count = asked.programs * PLACES.length;
    say(`${hunted.length} of ${mutants.length} mutants, ${count} programs`);
    let done = 0;
    let killed = 0;
    let said = Date.now();
    const onJudged = ({ outcome }: Judged): void => {
      done += 1;
      if (isKilled(outcome)) killed += 1;
      if (Date.now() - said < SECONDS * 1000) return;
      said = Date.now();
      say(`${done} of ${hunted.length} mutants, ${killed} killed`);
    };
    const { tries: most, jobs } = asked;
    return await huntMutants(hunted, { copy: work, folder, count, most, jobs, onJudged, signal });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};
