// SPDX-License-Identifier: MIT
// The small form of the fuzzer: a fixed seed, and nothing that depends on time.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzz } from './campaign.ts';
import { damaged } from './damage.ts';
import { ranVerb, verbsFor } from './run-verb.ts';
import { KINDS, type SeedFile, seedFiles } from './seed-files.ts';

const SEED = 20_261_130;
const RUNS = 150;

const fuzzer = suite('damaged files');

const quietly = async <T>(make: () => Promise<T>): Promise<T> => {
  const write = process.stdout.write;
  process.stdout.write = () => true;
  try {
    return await make();
  } finally {
    process.stdout.write = write;
    process.exitCode = 0;
  }
};

const FILES = await quietly(seedFiles);

fuzzer('there are files of every kind', () => {
  assert.equal([...new Set(FILES.map(({ kind }) => kind))].sort(), [...KINDS].sort());
});

/** The exit status of a verb on a file that is not damaged. */
const statusOn = async (verb: readonly string[], { name, bytes }: SeedFile): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'iommufd-spec-fuzz-'));
  writeFileSync(join(folder, name), bytes);
  const { status } = await ranVerb(verb, join(folder, name));
  rmSync(folder, { recursive: true });
  return status;
};

/** Not every trace can be emitted in every form. */
const MOST_TRIED = 20;

fuzzer('each verb reads one of the first files of its kind that are not damaged', async () => {
  for (const kind of KINDS) {
    const files = FILES.filter((file) => file.kind === kind).slice(0, MOST_TRIED);
    for (const verb of verbsFor(kind)) {
      const statuses: number[] = [];
      for (const file of files) {
        statuses.push(await statusOn(verb, file));
        if ((statuses.at(-1) ?? 2) <= 1) break;
      }
      assert.ok(Math.min(...statuses) <= 1, `${verb.join(' ')}: ${statuses.join(', ')}`);
    }
  }
});

fuzzer('damage is to a copy: the files stay as they are', () => {
  const before = FILES.map(({ bytes }) => Buffer.from(bytes).toString('latin1'));
  fc.sample(damaged(FILES), { seed: SEED, numRuns: RUNS });
  FILES.forEach(({ name, bytes }, index) => {
    assert.is(Buffer.from(bytes).toString('latin1'), before[index], name);
  });
});

fuzzer('end no verb otherwise than documented, and reach no output as they are', async () => {
  const report = await fuzz(FILES, { seed: SEED, runs: RUNS, isTimed: false });
  assert.equal(report.wrong, [], `seed ${SEED}`);
  // Most damage is noticed, and some is harmless: else the files or the damage are wrong.
  assert.ok((report.statuses.get(2) ?? 0) > RUNS / 2);
  assert.ok((report.statuses.get(0) ?? 0) > 0);
});

fuzzer('a verb in this process ends as in its own', async () => {
  const ran = await ranVerb(['rules', 'no such part'], 'properties/fuzz/README.md');
  assert.is(ran.status, 2);
  assert.match(ran.output, 'no such part');
});

fuzzer.run();
