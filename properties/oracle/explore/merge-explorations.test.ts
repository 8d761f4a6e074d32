// SPDX-License-Identifier: MIT
// Explorations in parts: each part is saved and resumed like a whole one, and all together equal
// the whole one.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ACTION_SETS } from '../../../oracle/explore/action-sets/all.ts';
import { MEMORY } from '../../../oracle/explore/action-sets/memory.ts';
import { NATIVE } from '../../../oracle/explore/action-sets/native.ts';
import {
  mergedExploration,
  type NamedExploration,
  whyNotOneExploration,
} from '../../../oracle/explore/merge-explorations.ts';
import {
  type ExploreOptions,
  type ExploreReport,
  runExplore,
} from '../../../oracle/explore/run-explore.ts';
import { explorationBytes, openExploration } from '../../../oracle/explore/saved-file.ts';
import type { Step } from '../../../oracle/explore/world-model.ts';
import { saveFile } from '../../../oracle/files/save-file.ts';
import { withMemory } from '../../../spec/state/world.ts';
import { step } from '../../../spec/step.ts';
import { settingOf } from '../../helpers/settings.ts';

const test = suite('explorations in parts');

const FOLDER = mkdtempSync(join(tmpdir(), 'explore-parts-'));

test.after(() => rmSync(FOLDER, { recursive: true }));

const PARTS = 3;

const options = (more: Partial<ExploreOptions>): ExploreOptions => ({
  actionSet: NATIVE,
  setting: settingOf('mock'),
  depth: 5,
  states: 1_000_000,
  time: Number.POSITIVE_INFINITY,
  signal: new AbortController().signal,
  ...more,
});

const saved = async (name: string, more: Partial<ExploreOptions>): Promise<string> => {
  const path = join(FOLDER, name);
  const asked = options(more);
  await saveFile(path, explorationBytes(asked.actionSet, await runExplore(asked)));
  return path;
};

const opened = (paths: readonly string[]): readonly NamedExploration[] =>
  paths.map((name) => ({ name, saved: openExploration(name, ACTION_SETS) }));

const mergedOf = (paths: readonly string[]) => {
  const all = opened(paths);
  try {
    assert.is(whyNotOneExploration(all), undefined);
    const [first, ...others] = all;
    return mergedExploration([first as NamedExploration, ...others]);
  } finally {
    for (const each of all) each.saved.close();
  }
};

const parts = (
  name: string,
  more: Partial<ExploreOptions> = {},
  count = PARTS,
): Promise<readonly string[]> =>
  Promise.all(
    Array.from({ length: count }, (_, index) =>
      saved(`${name}-${index}.bin`, { ...more, shard: { index, of: count } }),
    ),
  );

const same = (one: ExploreReport, other: ExploreReport): void => {
  assert.equal(one.counts, other.counts);
  assert.equal([...one.rules].sort(), [...other.rules].sort());
  assert.is(one.ended, other.ended);
};

test('all parts are the whole, also where it ends by itself, and where there is one call', async () => {
  for (const more of [{}, { depth: 1 }, { actionSet: MEMORY, depth: 30 }]) {
    const { report } = await runExplore(options(more));
    const merged = mergedOf(await parts('whole', more));
    same(merged.report, report);
    assert.equal([merged.missing, merged.unfinished], [[], []]);
  }
});

test('a part that is resumed is as if it had not been stopped', async () => {
  const [first, ...others] = await parts('stopped');
  const path = await saved('stopped-0.bin', { states: 200, shard: { index: 0, of: PARTS } });
  assert.is(path, first);
  assert.equal(mergedOf([path, ...others]).unfinished, [path]);
  const { actionSet, setting, depth, shard, earlier, close } = openExploration(path, ACTION_SETS);
  if (shard === undefined) throw new Error('It is a part.');
  const second = await runExplore(options({ actionSet, setting, depth, shard, earlier }));
  close();
  await saveFile(path, explorationBytes(actionSet, second));
  const merged = mergedOf([path, ...others]);
  same(merged.report, (await runExplore(options({}))).report);
  assert.equal(merged.unfinished, []);
});

test('missing parts are reported', async () => {
  const [first, , third] = await parts('missing');
  const merged = mergedOf([third, first] as readonly string[]);
  assert.equal(merged.missing, [2]);
  assert.equal(merged.report.without, [2]);
});

test('what is no part of the same is refused', async () => {
  const [first, second] = await parts('mine');
  const why = (paths: readonly (string | undefined)[]): string => {
    const all = opened(paths as readonly string[]);
    for (const each of all) each.saved.close();
    return whyNotOneExploration(all) ?? '';
  };
  assert.match(why([first, first]), 'both part 1');
  const others = await parts('other', { setting: settingOf('mock', undefined, '6.12.95') });
  assert.match(why([first, others[1]]), 'release differs');
  assert.match(why([first, (await parts('deep', { depth: 4 }))[1]]), 'depth differs');
  assert.match(why([second, (await parts('few', {}, 2))[0]]), 'parts differs');
});

test('of broken laws the one with the shortest program is reported', async () => {
  /** Unmapped pages stay charged. */
  const keepsCharge: Step = (before, call) =>
    step(before, call).map((outcome) =>
      outcome.kind === 'reply' && outcome.rule.id === 'ioas-unmap/unmaps'
        ? {
            ...outcome,
            world: withMemory(outcome.world, {
              ...outcome.world.memory,
              accounts: before.memory.accounts,
            }),
          }
        : outcome,
    );
  const { report } = await runExplore(options({ step: keepsCharge }));
  const { broken, report: merged } = mergedOf(await parts('broken', { step: keepsCharge }));
  assert.is(merged.ended, 'broken');
  assert.is(broken?.law, report.broken?.law);
  // There is one line before the operations, and one after them.
  assert.is((broken?.trace.length ?? 0) - 2, report.broken?.program.length);
});

test.run();
