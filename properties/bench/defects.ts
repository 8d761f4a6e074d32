// SPDX-License-Identifier: MIT
// How soon a campaign finds each Linux defect: processor seconds until it is shrunk, programs until it is found,
// and calls that are left. A campaign knows nothing of the defect.

import { HISTORICAL_NAMES } from '../../model/emulator/defects.ts';
import { runCampaign } from '../../oracle/check/campaign.ts';
import type { ShownDefect } from '../defects/shown-defect.ts';
import { SHOWN_HISTORY } from '../defects/shown-history.ts';
import { type Measured, median } from './measured.ts';

const SEEDS = [1, 2, 3];
const RUNS = 6000;
const LENGTH = 40;
const MICROSECONDS = 1_000_000;

type Found = { readonly seconds: number; readonly programs: number; readonly calls: number };

const find = async ({ defect, setting }: ShownDefect, seed: number): Promise<Found> => {
  const before = process.cpuUsage();
  const defects = new Set([defect]);
  const report = await runCampaign({ setting, runs: RUNS, seed, length: LENGTH, defects });
  const { user, system } = process.cpuUsage(before);
  return {
    seconds: (user + system) / MICROSECONDS,
    programs: report.runs,
    calls: report.counterexample?.program.length ?? Number.POSITIVE_INFINITY,
  };
};

const measure = async (shown: ShownDefect): Promise<Measured> => {
  const found: Found[] = [];
  for (const seed of SEEDS) found.push(await find(shown, seed));
  const met = found.filter(({ calls }) => Number.isFinite(calls));
  const programs = median(found.map((one) => one.programs));
  const calls = Math.min(...found.map((one) => one.calls));
  const { name } = shown.setting.platform;
  return {
    what: shown.defect,
    value: median(found.map((one) => one.seconds)),
    unit: 's',
    note: `${name}: ${met.length} of ${SEEDS.length} seeds, ${programs} programs, ${calls} calls, ${shown.program.length} are needed`,
  };
};

export const defects = async (): Promise<readonly Measured[]> => {
  const rows: Measured[] = [];
  for (const name of HISTORICAL_NAMES) {
    const shown = SHOWN_HISTORY.find(({ defect }) => defect === name);
    if (shown !== undefined) rows.push(await measure(shown));
  }
  return rows;
};
