// SPDX-License-Identifier: MIT
// The campaigns of one `check`: one for each setting, on the emulator or on kernels.

import type { Setting } from '../../spec/terms/platform.ts';
import type { CampaignOptions } from '../check/campaign.ts';
import type { CampaignReport, Counterexample } from '../check/report.ts';
import { shardOfSetting } from '../check/shard.ts';
import { settingText } from '../report/counterexample.ts';
import { grouped } from '../text/quantities.ts';
import { BadUse } from './bad-use.ts';
import { type CheckOptions, isGuided } from './check-options.ts';
import { isOnKernel, kernelCredentials, kernelPlatforms, startKernel } from './kernel.ts';
import type { Progress } from './progress.ts';
import { settingsFor } from './settings.ts';

/** The results of all campaigns. */
export type CampaignsResult = {
  readonly reports: readonly CampaignReport[];
  readonly counterexample: Counterexample | undefined;
  readonly seconds: number;
};

/** The share of `total` runs that the setting at `index` of `count` gets. */
const share = (total: number, count: number, index: number): number =>
  Math.floor(total / count) + (index < total % count ? 1 : 0);

type Campaign = Omit<CampaignOptions, 'setting' | 'defects'>;

/** One setting, with the subject that runs programs there. */
type CampaignTarget = {
  readonly setting: Setting;
  readonly campaign: (campaign: Campaign) => Promise<CampaignReport>;
  readonly close: () => Promise<void>;
};

/** Opens a target when its turn comes: only then does a kernel start. */
type OpenTarget = () => Promise<CampaignTarget>;

const emulatorTargets = (options: CheckOptions, signal: AbortSignal): readonly OpenTarget[] => {
  const { defect } = options;
  const defects = defect === undefined ? {} : { defects: new Set(defect) };
  return settingsFor(options).map((setting) => async () => {
    const { runCampaign } = await import('../check/campaign.ts');
    return {
      setting,
      campaign: (campaign) =>
        runCampaign({ ...campaign, ...defects, setting, interrupted: signal }),
      close: async () => {},
    };
  });
};

const kernelTargets = (options: CheckOptions, signal: AbortSignal): readonly OpenTarget[] => {
  if (options.defect !== undefined) {
    throw new BadUse('--defect puts a defect into the emulator; it cannot be used with a kernel.');
  }
  const { release } = options;
  const releases = release === undefined ? {} : { asked: release };
  return kernelPlatforms(options).flatMap((platform) =>
    kernelCredentials(options, platform).map((credentials) => async () => {
      const { runKernelCampaign } = await import('../check/kernel-campaign.ts');
      const { subject, setting } = await startKernel(options, platform, credentials, releases);
      return {
        setting,
        campaign: (campaign) =>
          runKernelCampaign({ ...campaign, setting, subject, interrupted: signal }),
        close: () => subject.close(),
      };
    }),
  );
};

/** Without a number of runs, each target gets its share of the time. */
export const runAll = async (
  seed: number,
  options: CheckOptions,
  signal: AbortSignal,
  progress: Progress,
): Promise<CampaignsResult> => {
  const openings = (isOnKernel(options) ? kernelTargets : emulatorTargets)(options, signal);
  const { runs, length, dma, paths, shard } = options;
  const probes = dma === undefined ? {} : { probes: { transfersIn: dma } };
  const reports: CampaignReport[] = [];
  const start = Date.now();
  let starting = 0;
  const spent = (): number => (Date.now() - start - starting) / 1000;
  for (const [index, open] of openings.entries()) {
    if (signal.aborted) break;
    const asked = Date.now();
    const place = await open();
    starting += Date.now() - asked;
    const before = reports.reduce((sum, report) => sum + report.runs, 0);
    const slice = (options.seconds / openings.length) * (index + 1) - spent();
    const time = AbortSignal.timeout(Math.max(1, Math.round(slice * 1000)));
    const report = await place
      .campaign({
        seed,
        length,
        ...probes,
        paths,
        guided: isGuided(options),
        ...(shard === undefined ? {} : { shard: shardOfSetting(shard, index) }),
        runs: runs === undefined ? Number.MAX_SAFE_INTEGER : share(runs, openings.length, index),
        signal: runs === undefined ? AbortSignal.any([signal, time]) : signal,
        onProgress: (done) =>
          progress.at(
            runs === undefined
              ? Math.min(Math.floor(spent()), options.seconds)
              : before + done.runs,
            `${grouped(done.calls)} calls on ${settingText(place.setting)}`,
          ),
      })
      .finally(place.close);
    reports.push(report);
    if (report.counterexample !== undefined && shard === undefined) break;
  }
  const counterexample = reports.find((report) => report.counterexample)?.counterexample;
  return { reports, counterexample, seconds: spent() };
};
