// SPDX-License-Identifier: MIT
// Tries every mutant on the programs that reach it, in processes of their own, until one program shows it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { nameOf } from '../helpers/settings.ts';
import type { Judged, Mutant, Outcome } from './mutant.ts';
import { placeOf, roundOf } from './programs.ts';
import type { Survey } from './survey.ts';
import type { Answer } from './worker.ts';
import { WorkerProcess } from './worker-process.ts';

export type Hunt = {
  /** The instrumented copy, and where the programs lie. */
  readonly copy: string;
  readonly folder: string;
  /** How many programs there are, and on how many of those that reach it a mutant is tried at most. */
  readonly count: number;
  readonly most: number;
  /** Processes at a time. */
  readonly jobs: number;
  readonly onJudged: (judged: Judged) => void;
  readonly signal: AbortSignal;
};

/** Milliseconds. A process that is silent for longer hangs where no switch is passed; none is known to. */
const SURVEY_PATIENCE = 3_600_000;
const PATIENCE = 600_000;

/** What every program shows without a mutant, and which it reaches. */
const surveyed = async ({ copy, folder, count, most }: Hunt): Promise<Survey> => {
  const file = join(folder, 'survey.bin');
  const worker = new WorkerProcess(copy, folder);
  const answer = await worker.ask({ ask: 'survey', count, most, file }, SURVEY_PATIENCE);
  worker.end();
  if (answer === undefined) throw new Error('The instrumented emulator does not run.');
  const survey: Survey = deserialize(readFileSync(file));
  writeFileSync(join(folder, 'usual.bin'), serialize(survey.usual));
  return survey;
};

const outcomeOf = (answer: Answer | undefined): Outcome => {
  if (answer === undefined || answer.answer !== 'tried') {
    return { kind: 'endless', by: { setting: 'any', program: 0 } };
  }
  const { kind, number } = answer;
  return kind === 'survived'
    ? { kind, programs: number }
    : { kind, by: { setting: nameOf(placeOf(number)), program: roundOf(number) } };
};

/** Calls the work for each of the entries, several at a time. */
const shared = async <Entry>(
  entries: readonly Entry[],
  { jobs, signal }: Hunt,
  makeWork: () => { readonly each: (entry: Entry) => Promise<void>; readonly end: () => void },
): Promise<void> => {
  let next = 0;
  const job = async (): Promise<void> => {
    const { each, end } = makeWork();
    while (next < entries.length && !signal.aborted) {
      const entry = entries[next] as Entry;
      next += 1;
      await each(entry);
    }
    end();
  };
  await Promise.all(Array.from({ length: jobs }, job));
};

/** What became of each mutant, in their order; of an interrupted hunt those that it came to. */
export const huntMutants = async (
  mutants: readonly Mutant[],
  hunt: Hunt,
): Promise<readonly Judged[]> => {
  const { copy, folder, count, most, onJudged } = hunt;
  const survey = await surveyed(hunt);
  const outcomes = new Map<string, Outcome>();
  const found = (mutant: Mutant, outcome: Outcome): void => {
    outcomes.set(mutant.id, outcome);
    onJudged({ ...mutant, outcome });
  };
  const once = mutants.filter(({ id }) => survey.onceOnly.has(id));
  const often = mutants.filter(({ id }) => !survey.onceOnly.has(id));
  const first = Array.from({ length: Math.min(count, most) }, (_, number) => number);
  await shared(often, hunt, () => {
    let worker: WorkerProcess | undefined;
    return {
      each: async (mutant) => {
        const numbers = survey.reachedBy.get(mutant.id);
        if (numbers === undefined) {
          found(mutant, { kind: 'unreached' });
          return;
        }
        if (worker === undefined || worker.isGone) worker = new WorkerProcess(copy, folder);
        found(
          mutant,
          outcomeOf(await worker.ask({ ask: 'try', id: mutant.id, numbers }, PATIENCE)),
        );
      },
      end: () => worker?.end(),
    };
  });
  await shared(once, hunt, () => ({
    each: async (mutant) => {
      const worker = new WorkerProcess(copy, folder, mutant.id);
      const asked = { ask: 'try', id: mutant.id, numbers: first } as const;
      found(mutant, outcomeOf(await worker.ask(asked, PATIENCE)));
      worker.end();
    },
    end: () => {},
  }));
  return mutants.flatMap((mutant) => {
    const outcome = outcomes.get(mutant.id);
    return outcome === undefined ? [] : [{ ...mutant, outcome }];
  });
};
