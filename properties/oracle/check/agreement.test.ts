// SPDX-License-Identifier: MIT
// The specification and the emulator, two independent descriptions of the ABI, agree on every reply and on hidden state.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCampaign } from '../../../oracle/check/campaign.ts';
import { describeCounterexample } from '../../harness/describe.ts';
import { recordEach } from '../../helpers/reached-rules.ts';
import { INNER_SETTINGS, nameOf, SETTINGS } from '../../helpers/settings.ts';

const RUNS = 400;
const LENGTH = 40;

const agreement = suite('agreement');

for (const [index, setting] of [...SETTINGS, ...INNER_SETTINGS].entries()) {
  const seed = 101 + index;
  agreement(nameOf(setting), async () => {
    const report = await runCampaign({ setting, runs: RUNS, seed, length: LENGTH });
    recordEach(report.rules.keys());
    assert.is(report.runs, RUNS, describeCounterexample(report));
    assert.is(report.verdicts.violation, 0);
    assert.is(report.verdicts.unknown, 0, 'nothing is unknown if every call is observed');
  });
}

agreement.run();
