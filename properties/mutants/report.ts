// SPDX-License-Identifier: MIT
// What a hunt found, as text: a line for each file, the survivors, and the score.

import { type Equivalent, keysOfEquivalents } from './equivalent.ts';
import { isKilled, type Judged, keyOf } from './mutant.ts';

export type Score = {
  readonly mutants: number;
  readonly killed: number;
  readonly equivalent: number;
};

export type Report = {
  readonly files: ReadonlyMap<string, Score>;
  readonly survivors: readonly Judged[];
  readonly total: Score;
  /** Entries of the table of equivalent mutants that were killed, or are no mutants of the files any more. */
  readonly wrong: readonly string[];
};

/** Several runs as one: what one of them killed is killed, and of the mutants that survived all of them the last run is reported. */
export const mergedRuns = (runs: readonly (readonly Judged[])[]): readonly Judged[] => {
  const byKey = new Map<string, Judged>();
  for (const mutant of runs.flat()) {
    const known = byKey.get(keyOf(mutant));
    if (known === undefined || !isKilled(known.outcome)) byKey.set(keyOf(mutant), mutant);
  }
  return [...byKey.values()];
};

const NOTHING: Score = { mutants: 0, killed: 0, equivalent: 0 };

const plus = (a: Score, b: Score): Score => ({
  mutants: a.mutants + b.mutants,
  killed: a.killed + b.killed,
  equivalent: a.equivalent + b.equivalent,
});

/** In percent of those that are not equivalent. */
export const percentOf = ({ mutants, killed, equivalent }: Score): number =>
  mutants === equivalent ? 100 : (100 * killed) / (mutants - equivalent);

/**
 * Adds up what became of mutants. `known`: the keys of every mutant that there is, by which entries of the table that
 * name none are reported; those of a part that was not asked for are left alone.
 */
export const reportOf = (
  judged: readonly Judged[],
  known: ReadonlySet<string>,
  equivalents: readonly Equivalent[],
): Report => {
  const unreachable = keysOfEquivalents(equivalents);
  const files = new Map<string, Score>();
  const survivors: Judged[] = [];
  const wrong: string[] = [];
  for (const mutant of judged) {
    const key = keyOf(mutant);
    const killed = isKilled(mutant.outcome);
    const isIgnored = unreachable.has(key);
    if (isIgnored && killed) wrong.push(`${key} is no equivalent: ${mutant.outcome.kind}`);
    if (!isIgnored && !killed) survivors.push(mutant);
    const equivalent = isIgnored && !killed ? 1 : 0;
    const score = { mutants: 1, killed: killed ? 1 : 0, equivalent };
    files.set(mutant.file, plus(files.get(mutant.file) ?? NOTHING, score));
  }
  for (const key of unreachable) if (!known.has(key)) wrong.push(`${key} is no mutant any more`);
  const total = [...files.values()].reduce(plus, NOTHING);
  return { files, survivors, total, wrong };
};

const TOP = 'model/emulator';

/** Files of a folder that also has folders are reported under its name. */
const folderOf = (file: string): string => {
  const [folder, rest] = file.slice(TOP.length + 1).split('/');
  return rest === undefined ? `${TOP}/*.ts` : `${TOP}/${folder}/`;
};

const line = (name: string, score: Score): string => {
  const { mutants, killed, equivalent } = score;
  const survived = mutants - killed - equivalent;
  const numbers = [mutants, killed, survived, equivalent].map((n) => String(n).padStart(8));
  return `${name.padEnd(46)}${numbers.join('')}${percentOf(score).toFixed(1).padStart(9)} %`;
};

const HEAD = `${''.padEnd(46)} mutants  killed survived   equiv.    score`;

const survivorText = ({ file, line, mutator, original, replacement, outcome }: Judged): string => {
  const tried =
    outcome.kind === 'survived' ? `${outcome.programs} programs reach it` : 'no program reaches it';
  return `${file}:${line}  ${mutator}, ${tried}\n    ${original}\n    ${replacement}`;
};

export const reportText = ({ files, survivors, total, wrong }: Report): string => {
  const folders = new Map<string, Score>();
  for (const [file, score] of files) {
    folders.set(folderOf(file), plus(folders.get(folderOf(file)) ?? NOTHING, score));
  }
  const parts = [
    survivors.map(survivorText).join('\n'),
    [HEAD, ...[...files].map(([file, score]) => line(file, score))].join('\n'),
    [HEAD, ...[...folders].map(([folder, score]) => line(folder, score)), line('all', total)].join(
      '\n',
    ),
    wrong.map((words) => `wrong in the table of equivalent mutants: ${words}`).join('\n'),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
};
