// SPDX-License-Identifier: MIT
// Damages files one after the other, and has every verb read each.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Damaged, damaged } from './damage.ts';
import { whyWrong } from './expectations.ts';
import { ranVerb, verbsFor } from './run-verb.ts';
import type { SeedFile } from './seed-files.ts';

export type Wrong = { readonly file: string; readonly verb: string; readonly why: string };

export type FuzzOptions = {
  readonly seed: number;
  /** Damaged files. */
  readonly runs: number;
  /** Whether time and memory count. */
  readonly isTimed: boolean;
  readonly onProgress?: (done: number, wrong: number) => void;
};

export type FuzzReport = {
  readonly files: number;
  readonly verbs: number;
  readonly statuses: ReadonlyMap<number, number>;
  readonly wrong: readonly Wrong[];
};

/** How many files are generated at a time. */
const BATCH = 500;

const MOST_WRONG = 20;

/** What is generated of a seed, in order; a later file does not depend on how many are wanted. */
function* damagedFiles(files: readonly SeedFile[], seed: number, runs: number): Generator<Damaged> {
  for (let done = 0; done < runs; done += BATCH) {
    const numRuns = Math.min(BATCH, runs - done);
    yield* fc.sample(damaged(files), { seed: seed + done, numRuns });
  }
}

/** Files that a verb reads wrong are kept, in a folder of the system's for temporary files. */
export const fuzz = async (
  files: readonly SeedFile[],
  { seed, runs, isTimed, onProgress }: FuzzOptions,
): Promise<FuzzReport> => {
  const statuses = new Map<number, number>();
  const wrong: Wrong[] = [];
  let done = 0;
  let verbs = 0;
  for (const { file, bytes } of damagedFiles(files, seed, runs)) {
    const folder = mkdtempSync(join(tmpdir(), 'iommufd-spec-fuzz-'));
    const path = join(folder, file.name);
    writeFileSync(path, bytes);
    let isKept = false;
    for (const verb of verbsFor(file.kind)) {
      const ran = await ranVerb(verb, path);
      verbs += 1;
      statuses.set(ran.status, (statuses.get(ran.status) ?? 0) + 1);
      const why = whyWrong(ran, isTimed);
      if (why === undefined) continue;
      isKept = true;
      wrong.push({ file: path, verb: verb.join(' '), why });
    }
    if (!isKept) rmSync(folder, { recursive: true });
    done += 1;
    onProgress?.(done, wrong.length);
    if (wrong.length >= MOST_WRONG) break;
  }
  return { files: done, verbs, statuses, wrong };
};
