// SPDX-License-Identifier: MIT
// The report file of a check, which merge reads and writes, and how reports of shards are merged.

import type { Setting } from '../../spec/terms/platform.ts';
import { addedVerdicts } from '../judge/verdict.ts';
import type { CampaignReport } from './report.ts';

/** A campaign's counts, without its counterexample. */
export type CampaignCounts = Omit<CampaignReport, 'counterexample' | 'seed'>;

/** A campaign in one setting, with the lines of its counterexample's trace. */
export type SavedCampaign = CampaignCounts & { readonly trace: readonly string[] | undefined };

/** The options: reports with the same options, except for the shard, belong to one run. */
export type Asked = {
  readonly subject: string;
  readonly seed: number;
  readonly runs?: number;
  readonly seconds?: number;
  readonly length: number;
  readonly paths: string;
  readonly dma?: number;
  readonly guided: boolean;
  readonly defects: readonly string[];
};

export type CampaignFile = {
  readonly asked: Asked;
  /** The shards that it has, numbered from 1, and the total; absent for an undivided run. */
  readonly shards?: { readonly held: readonly number[]; readonly of: number };
  /** The sum of all shards. */
  readonly milliseconds: number;
  readonly campaigns: readonly SavedCampaign[];
};

const added = (
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> => {
  const sum = new Map(a);
  for (const [name, count] of b) sum.set(name, (sum.get(name) ?? 0) + count);
  return sum;
};

const isBefore = (a: CampaignCounts['at'], b: CampaignCounts['at']): boolean =>
  b === undefined ||
  (a !== undefined && (a.batch < b.batch || (a.batch === b.batch && a.index < b.index)));

/** Two parts of one campaign. Keeps the violation that a single run would have met first. */
const joined = (a: SavedCampaign, b: SavedCampaign): SavedCampaign => {
  const { at, trace, shrinks } = isBefore(a.at, b.at) ? a : b;
  return {
    setting: a.setting,
    runs: a.runs + b.runs,
    calls: a.calls + b.calls,
    failing: a.failing + b.failing,
    verdicts: addedVerdicts(a.verdicts, b.verdicts),
    rules: added(a.rules, b.rules),
    knownComplaints: added(a.knownComplaints, b.knownComplaints),
    interrupted: a.interrupted || b.interrupted,
    at,
    trace,
    shrinks,
  };
};

const nameOf = ({ release, platform, credentials }: Setting): string =>
  `${release} ${platform.name} ${credentials.privileged} ${credentials.memlockLimit}`;

/** The campaigns of every part, merged by setting, in the order in which settings first occur. */
export const mergedCampaigns = (
  parts: readonly (readonly SavedCampaign[])[],
): readonly SavedCampaign[] => {
  const bySetting = new Map<string, SavedCampaign>();
  for (const campaign of parts.flat()) {
    const name = nameOf(campaign.setting);
    const before = bySetting.get(name);
    bySetting.set(name, before === undefined ? campaign : joined(before, campaign));
  }
  return [...bySetting.values()];
};

/** Why the files are not parts of one run; undefined if they are. */
export const whyNotOneRun = (
  files: readonly { readonly name: string; readonly file: CampaignFile }[],
): string | undefined => {
  const [first] = files;
  const shards = new Map<number, string>();
  for (const { name, file } of files) {
    for (const key of Object.keys({ ...first?.file.asked, ...file.asked })) {
      const [one, other] = [first?.file.asked, file.asked].map((asked) =>
        JSON.stringify(asked?.[key as keyof Asked]),
      );
      if (one !== other) {
        return `${name} is of another run than ${first?.name}: ${key} is ${other}, there ${one}`;
      }
    }
    if (file.shards === undefined) {
      if (files.length > 1) return `${name}  is not a shard: it has the whole run`;
      continue;
    }
    if (file.shards.of !== first?.file.shards?.of) {
      return `${name} is one of ${file.shards.of} shards, ${first?.name} of ${first?.file.shards?.of}`;
    }
    for (const number of file.shards.held) {
      const other = shards.get(number);
      if (other !== undefined) return `${name} and ${other} both hold shard ${number}`;
      shards.set(number, name);
    }
  }
  return undefined;
};

/** Several reports of one run as one. */
export const mergedFiles = (files: readonly [CampaignFile, ...CampaignFile[]]): CampaignFile => {
  const [{ asked, shards }] = files;
  const held = files.flatMap((file) => file.shards?.held ?? []).sort((a, b) => a - b);
  return {
    asked,
    ...(shards === undefined ? {} : { shards: { held, of: shards.of } }),
    milliseconds: files.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
    campaigns: mergedCampaigns(files.map(({ campaigns }) => campaigns)),
  };
};

/** Numbers of the shards without a report. */
export const missingShards = ({ shards }: CampaignFile): readonly number[] => {
  if (shards === undefined) return [];
  const held = new Set(shards.held);
  return Array.from({ length: shards.of }, (_, index) => index + 1).filter(
    (number) => !held.has(number),
  );
};
