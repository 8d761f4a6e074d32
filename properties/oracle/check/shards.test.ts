// SPDX-License-Identifier: MIT
// All shards together do what one run does: the same programs, counts, rules and violation. With
// GNU parallel, if it is installed.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DefectName } from '../../../model/emulator/defects.ts';
import { runCampaign } from '../../../oracle/check/campaign.ts';
import {
  type CampaignFile,
  mergedCampaigns,
  missingShards,
  type SavedCampaign,
} from '../../../oracle/check/campaign-file.ts';
import {
  campaignFileOf,
  campaignFileText,
  readCampaignFile,
} from '../../../oracle/check/campaign-json.ts';
import type { Shard } from '../../../oracle/check/shard.ts';
import { ranges } from '../../../oracle/text/quantities.ts';
import { BadInput } from '../../../oracle/trace/bad-input.ts';
import { settingOf } from '../../helpers/settings.ts';

const RUNS = 260;
const SEED = 7;
const SETTING = settingOf('mock');

const campaign = async (shard?: Shard, defect?: DefectName): Promise<SavedCampaign> => {
  const { counterexample, seed, ...counts } = await runCampaign({
    setting: SETTING,
    runs: RUNS,
    seed: SEED,
    length: 40,
    ...(shard === undefined ? {} : { shard }),
    ...(defect === undefined ? {} : { defects: new Set([defect]) }),
  });
  return { ...counts, trace: counterexample?.program.map(({ label }) => label) };
};

const known = new Map<string, Promise<SavedCampaign>>();

/** What the numbers of shards are compared with, run once for all of them. */
const once = (shard?: Shard, defect?: DefectName): Promise<SavedCampaign> => {
  const key = `${shard === undefined} ${defect}`;
  const ran = known.get(key) ?? campaign(shard, defect);
  known.set(key, ran);
  return ran;
};

const shardsOf = async (of: number, defect?: DefectName): Promise<readonly SavedCampaign[]> => {
  const parts: SavedCampaign[] = [];
  for (let index = 0; index < of; index += 1) parts.push(await campaign({ index, of }, defect));
  return parts;
};

/** Maps compare by their order, too, which does not matter here. */
const comparable = ({ rules, knownComplaints, setting, ...counts }: SavedCampaign) => ({
  ...counts,
  rules: [...rules].sort(),
  knownComplaints: [...knownComplaints].sort(),
});

const shards = suite('shards');

for (const of of [1, 3]) {
  shards(`${of} shards make the report of one run`, async () => {
    const merged = mergedCampaigns((await shardsOf(of)).map((part) => [part]));
    assert.equal(merged.map(comparable), [comparable(await once())]);
  });

  shards(`${of} shards make the report of one, violations included`, async () => {
    const defect = 'cut-off-by-one';
    const parts = await shardsOf(of, defect);
    const whole = await once({ index: 0, of: 1 }, defect);
    assert.ok(whole.failing > 0);
    assert.equal(mergedCampaigns(parts.map((part) => [part])).map(comparable), [comparable(whole)]);
    const alone = await once(undefined, defect);
    assert.equal([whole.at, whole.trace], [alone.at, alone.trace]);
  });

  shards(`${of} shards: the order of the reports does not matter`, async () => {
    const parts = [...(await shardsOf(of, 'size-not-written-back'))];
    const [one, other] = [parts, [...parts].reverse()].map((list) =>
      mergedCampaigns(list.map((part) => [part])).map(comparable),
    );
    assert.equal(one, other);
  });
}

const REPORT = {
  asked: {
    subject: 'the emulator',
    seed: SEED,
    runs: RUNS,
    length: 40,
    paths: 'any',
    guided: false,
    defects: [],
  },
  milliseconds: 1,
  campaigns: [],
};

shards("the numbers of a report's shards have bounds", () => {
  const read = (held: readonly unknown[], of: unknown): CampaignFile => {
    const text = campaignFileText({ ...REPORT, shards: { held: [1], of: 1 } });
    const shards = `"shards":${JSON.stringify({ held, of })}`;
    return campaignFileOf('report.json', text.replace(/"shards":\{[^}]*\}/, shards));
  };
  assert.is(missingShards(read([1, 999_999], 999_999)).length, 999_997);
  for (const [held, of, why] of [
    [[1], 2_000_000_000, /"shards.of" must be a whole number, 1 to 999999, and is 2000000000/],
    [[1], 0, /"shards.of" must be/],
    [[3], 2, /"shards" must have different shards in "held"/],
    [[0], 2, /"shards.held\[0\]" must be/],
    [['1'], 2, /"shards.held\[0\]" must be/],
    [[1.5], 2, /"shards.held\[0\]" must be/],
    [[1, 1], 2, /"shards" must have different shards/],
    [[], 2, /"shards" must have different shards/],
  ] as const) {
    assert.throws(
      () => read(held, of),
      (error: unknown) => error instanceof BadInput && why.test(error.message),
    );
  }
});

shards('numbers of shards are listed as ranges', () => {
  assert.equal(ranges([]), []);
  assert.equal(ranges([1, 2, 3, 5, 7, 8]), ['1 to 3', '5', '7 to 8']);
  assert.equal(ranges([1000, 1001, 999_999]), ['1,000 to 1,001', '999,999']);
});

const MAIN = resolve('dist', 'oracle', 'cli', 'main.js');
const hasParallel = spawnSync('parallel', ['--version']).status === 0;

shards(
  `GNU parallel runs shards${hasParallel ? '' : ': skipped, as it is not installed'}`,
  async () => {
    if (!hasParallel) return;
    const folder = mkdtempSync(join(tmpdir(), 'shards-'));
    try {
      const check = [process.execPath, MAIN, 'check', '--runs', '400', '--seed', `${SEED}`];
      const options = ['--platform', 'vtd', '--shard', '{}/4', '--report', '{}.json'];
      const jobs = ['--will-cite', '-j', `${availableParallelism()}`];
      const quoted = [...check, ...options];
      const ran = spawnSync('parallel', [...jobs, ...quoted, ':::', '1', '2', '3', '4'], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.is(ran.status, 0, ran.stderr);
      const reports = readdirSync(folder).filter((name) => name.endsWith('.json'));
      assert.is(reports.length, 4);
      const whole = [...check.slice(1), '--platform', 'vtd', '--report', 'whole'];
      assert.is(spawnSync(process.execPath, whole, { cwd: folder }).status, 0);
      const merge = [MAIN, 'merge', '--report', 'merged', ...reports];
      assert.is(spawnSync(process.execPath, merge, { cwd: folder }).status, 0);
      const [one, other] = await Promise.all(
        ['whole', 'merged'].map(async (name) =>
          (await readCampaignFile(join(folder, name))).campaigns.map(comparable),
        ),
      );
      assert.equal(other, one);
      const [partly, again] = [reports.slice(1), [...reports, ...reports.slice(0, 1)]].map(
        (names) => spawnSync(process.execPath, [MAIN, 'merge', ...names], { cwd: folder }).status,
      );
      assert.equal([partly, again], [2, 2]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

shards.run();
