// SPDX-License-Identifier: MIT
// The output of `check`: as text, as JSON, and as a file for merge.

import type { CampaignFile } from '../check/campaign-file.ts';
import { coverOf } from '../check/cover.ts';
import type { CampaignReport } from '../check/report.ts';
import { campaignsText, summaryOf } from '../report/campaign-text.ts';
import { counterexampleText, settingText } from '../report/counterexample.ts';
import { coverText } from '../report/cover/cover-text.ts';
import type { KtapTest } from '../report/ktap.ts';
import { assumedRelease } from '../text/assumed-release.ts';
import { wrapped } from '../text/lines.ts';
import { PLAIN } from '../text/palette.ts';
import { count } from '../text/quantities.ts';
import type { Verbosity } from '../text/verbosity.ts';
import { jsonLine } from '../trace/json-line.ts';
import { traceLines } from '../trace/trace-file.ts';
import type { CampaignsResult } from './check-campaigns.ts';
import { type CheckOptions, isGuided, subjectOf } from './check-options.ts';
import { counterexampleJson } from './counterexample-json.ts';
import type { Output } from './output.ts';
import { traceOf } from './save-trace.ts';

/** The results, the subject, and the command that runs a program on it again. */
export type Campaigns = CampaignsResult & { readonly subject: string; readonly replay: string };

export const fileOf = (campaigns: Campaigns, seed: number, options: CheckOptions): CampaignFile => {
  const { runs, seconds, length, dma, paths, shard, defect = [] } = options;
  const { subject } = campaigns;
  return {
    asked: {
      subject,
      seed,
      ...(runs === undefined ? { seconds } : { runs }),
      length,
      paths,
      ...(dma === undefined ? {} : { dma }),
      guided: isGuided(options),
      defects: defect,
    },
    ...(shard === undefined ? {} : { shards: { held: [shard.index + 1], of: shard.of } }),
    milliseconds: Math.round(campaigns.seconds * 1000),
    campaigns: campaigns.reports.map(({ counterexample, seed: _, ...counts }) => ({
      ...counts,
      trace:
        counterexample === undefined
          ? undefined
          : [...traceLines(traceOf(counterexample, seed, defect, subjectOf(options)))],
    })),
  };
};

export const printText = (
  output: Output,
  campaigns: Campaigns,
  seed: number,
  verbosity: Verbosity,
  { cover }: CheckOptions,
): void => {
  const { palette } = output;
  const { reports, counterexample, seconds } = campaigns;
  const summary = summaryOf(reports, seed, seconds, campaigns.subject);
  output.lines(campaignsText(summary, verbosity, palette));
  for (const release of new Set(reports.map(({ setting }) => setting.release))) {
    const assumed = assumedRelease(release);
    if (assumed !== undefined) output.lines(['', ...wrapped(assumed, '')]);
  }
  if (cover === true) output.lines(['', ...coverText(coverOf(reports), palette)]);
  output.line('');
  if (counterexample === undefined) {
    output.line(palette.good('no violation'));
    return;
  }
  output.lines(counterexampleText(counterexample, verbosity, palette));
};

/** `saved` is the counterexample's file. */
export const printJson = (
  output: Output,
  campaigns: Campaigns,
  seed: number,
  { cover }: CheckOptions,
  saved: string | undefined,
): void => {
  const { reports, counterexample, seconds } = campaigns;
  output.line(
    jsonLine({
      ...summaryOf(reports, seed, seconds, campaigns.subject),
      seconds,
      ...(cover === undefined ? {} : { cover: coverOf(reports) }),
      ...(counterexample === undefined
        ? {}
        : { counterexample: counterexampleJson(counterexample, 'brief'), saved }),
    }),
  );
};

/** The programs of one setting are a test. */
export const ktapOf = ({ setting, runs, calls, counterexample }: CampaignReport): KtapTest => {
  const name = settingText(setting);
  const lines = [`${count(runs, 'program')}, ${count(calls, 'call')}`];
  if (counterexample !== undefined) {
    const text = counterexampleText(counterexample, 'brief', PLAIN);
    return { name, result: 'not ok', lines: [...lines, ...text] };
  }
  return { name, result: runs === 0 ? { skip: 'no program ran' } : 'ok', lines };
};
