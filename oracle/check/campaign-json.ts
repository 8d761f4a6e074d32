// SPDX-License-Identifier: MIT
// A check's report as JSON and back: what `check --report` writes and `merge` reads.

import * as v from 'valibot';
import { BadInput } from '../trace/bad-input.ts';
import { jsonLine } from '../trace/json-line.ts';
import { parseObject } from '../trace/json-object.ts';
import {
  CAMPAIGNS_MAX,
  DEFECTS_MAX,
  LINE_BYTES_MAX,
  OPERATIONS_MAX,
  REPORT_BYTES_MAX,
} from '../trace/limits.ts';
import { textOf } from '../trace/line.ts';
import { linesOf } from '../trace/lines.ts';
import { checked } from '../trace/read-json.ts';
import { SETTING, settingJson } from '../trace/setting-json.ts';
import { shown } from '../trace/shown.ts';
import { traceOfLines } from '../trace/trace-file.ts';
import { entriesOf, exactly, fields, flag, list, text, textUpTo, whole } from '../trace/values.ts';
import type { CampaignFile, SavedCampaign } from './campaign-file.ts';
import { SHARDS_MAX } from './shard.ts';

const FORMAT = 'iommufd-check-report';

/** Version 1 had other ids of rules. */
const VERSION = 2;

const campaignJson = ({ setting, ...counts }: SavedCampaign) => ({
  ...settingJson(setting),
  ...counts,
});

export const campaignFileText = ({
  asked,
  shards,
  milliseconds,
  campaigns,
}: CampaignFile): string =>
  `${jsonLine({ format: FORMAT, version: VERSION, asked, shards, milliseconds, campaigns: campaigns.map(campaignJson) })}\n`;

const count = whole(0);

/** Counts by name. */
const countsBy = v.pipe(
  entriesOf<number>(count),
  v.transform((counts): ReadonlyMap<string, number> => new Map(counts)),
);

const sum = (counts: Iterable<number>): number => [...counts].reduce((all, one) => all + one, 0);

const campaign = v.pipe(
  fields({
    ...SETTING,
    runs: count,
    calls: count,
    failing: count,
    verdicts: fields({
      conforms: count,
      deviation: count,
      unknown: count,
      unspecified: count,
      violation: count,
    }),
    rules: countsBy,
    knownComplaints: countsBy,
    interrupted: flag,
    shrinks: count,
    at: v.exactOptional(fields({ batch: count, index: count })),
    trace: v.exactOptional(list(textUpTo(LINE_BYTES_MAX), OPERATIONS_MAX)),
  }),
  v.check(
    ({ failing, runs }) => failing <= runs,
    'must not have more failing programs than programs',
  ),
  v.check(
    ({ verdicts, calls }) => sum(Object.values(verdicts)) === calls,
    'must have as many verdicts as calls',
  ),
  v.check(
    ({ verdicts, rules }) => sum(rules.values()) === verdicts.conforms + verdicts.deviation,
    'must have a rule for each call that conforms or deviates',
  ),
  v.check(
    ({ at, trace }) => (at === undefined) === (trace === undefined),
    'must have both "at" and "trace", or neither',
  ),
  v.transform(
    ({ release, platform, credentials, at, trace, ...counts }): SavedCampaign => ({
      setting: { release, platform, credentials },
      ...counts,
      at,
      trace,
    }),
  ),
);

const shard = whole(1, SHARDS_MAX);

const shards = v.pipe(
  fields({ held: list(shard, SHARDS_MAX), of: shard }),
  v.check(
    ({ held, of }) =>
      held.length > 0 && new Set(held).size === held.length && held.every((one) => one <= of),
    'must have different shards in "held", each from 1 to "of"',
  ),
);

const REPORT: v.GenericSchema<unknown, CampaignFile> = v.pipe(
  fields({
    format: exactly(FORMAT),
    version: exactly(VERSION),
    asked: fields({
      subject: text,
      seed: whole(Number.MIN_SAFE_INTEGER),
      runs: v.exactOptional(count),
      seconds: v.exactOptional(count),
      length: count,
      paths: text,
      dma: v.exactOptional(count),
      guided: flag,
      defects: list(text, DEFECTS_MAX),
    }),
    shards: v.exactOptional(shards),
    milliseconds: count,
    campaigns: list(campaign, CAMPAIGNS_MAX),
  }),
  v.transform(({ format: _, version: __, ...file }): CampaignFile => file),
);

/** Parses a report from a line of JSON; messages call it `file`. Throws BadInput. */
export const campaignFileOf = (file: string, text: string): CampaignFile => {
  const value = parseObject(file, 1, text);
  if (value.format !== FORMAT) {
    throw new BadInput(file, 1, 'this is not a report that check --report writes');
  }
  if (value.version !== VERSION) {
    const what = `version ${shown(value.version)} of reports is not read, only version ${VERSION}`;
    throw new BadInput(file, 1, `${what}; run check again`);
  }
  const report = checked(REPORT, file, 1, value);
  for (const { trace } of report.campaigns) if (trace !== undefined) traceOfLines(file, trace);
  return report;
};

/** Throws BadInput if the file does not exist or is not a report of a check. */
export const readCampaignFile = async (file: string): Promise<CampaignFile> => {
  let report: string | undefined;
  for await (const line of linesOf(file, REPORT_BYTES_MAX)) {
    if (report !== undefined) {
      throw new BadInput(file, line.number, 'there is a line after the report');
    }
    report = textOf(file, line);
  }
  if (report === undefined) throw new BadInput(file, 0, 'the file is empty');
  return campaignFileOf(file, report);
};
