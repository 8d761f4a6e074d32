// SPDX-License-Identifier: MIT
// Runs suites in several processes: each process takes the next one when it has finished one, the longest first.

import type { Suite } from './messages.ts';
import { type Finished, startWorker, type Worker } from './worker-process.ts';

/** Suites that share what is slow to make, and run in one process, one after the other. */
export type Unit = readonly Suite[];

export type Stage = {
  /** In the order in which they are started. */
  readonly units: readonly Unit[];
  /** The folder for V8's coverage; undefined where none is taken, as it makes everything slower. */
  readonly coverage: string | undefined;
};

type Options = {
  /** How many processes run at a time. */
  readonly jobs: number;
  /** The rules that earlier suites reached. */
  readonly reached: readonly string[];
  readonly onFinished: (finished: Finished) => void;
};

/** A process of a later stage may start while the last ones of an earlier stage are running. */
export const runStages = async (
  stages: readonly Stage[],
  { jobs, reached, onFinished }: Options,
): Promise<void> => {
  const queues = stages.map(({ units, coverage }) => ({ waiting: [...units], coverage }));
  const lane = async (): Promise<void> => {
    for (const { waiting, coverage } of queues) {
      let worker: Worker | undefined;
      for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
        for (const suite of unit) {
          worker ??= startWorker(coverage);
          const finished = await worker.run({ suite, reached });
          if (finished.outcome === undefined) worker = undefined;
          onFinished(finished);
        }
      }
      await worker?.end();
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
};
