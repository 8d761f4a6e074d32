// SPDX-License-Identifier: MIT
// How many calls a second a campaign on the emulator makes: generating, running, judging and the comparison of hidden state.

import { runCampaign } from '../../oracle/check/campaign.ts';
import { settingOf } from '../helpers/settings.ts';
import { type Measured, median, seconds } from './measured.ts';

const RUNS = 4000;
const LENGTH = 40;
const WARM_UP = 1500;
const ROUNDS = 3;

const callsOf = async (runs: number, seed: number): Promise<number> => {
  const setting = settingOf('mock');
  const report = await runCampaign({ setting, runs, seed, length: LENGTH });
  if (report.counterexample !== undefined) throw new Error('The campaign found a violation.');
  return report.calls;
};

export const checkSpeed = async (): Promise<readonly Measured[]> => {
  await callsOf(WARM_UP, 1);
  const speeds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    let calls = 0;
    const time = await seconds(async () => {
      calls = await callsOf(RUNS, 100 + round);
    });
    speeds.push(calls / time);
  }
  const note = `mock, 7.3.4, ${RUNS} programs, median of ${ROUNDS}; 50 000 are asked for`;
  return [{ what: 'check, on the emulator', value: median(speeds), unit: 'calls/s', note }];
};
