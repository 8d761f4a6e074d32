// SPDX-License-Identifier: MIT
// A campaign on a kernel, with the emulator instead of the kernel: its hidden state is not read, so
// the probes at the end of each program must find defects that no reply shows.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DefectName } from '../../../model/emulator/defects.ts';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import type { Operation } from '../../../model/programs/program.ts';
import { runProgram } from '../../../model/programs/run.ts';
import { type KernelRunner, runKernelCampaign } from '../../../oracle/check/kernel-campaign.ts';
import type { CampaignReport } from '../../../oracle/check/report.ts';
import { traceOf } from '../../../oracle/cli/save-trace.ts';
import type { Setting } from '../../../spec/terms/platform.ts';
import { describeCounterexample } from '../../harness/describe.ts';
import { LIMITED, nameOf, PRIVILEGED, settingOf } from '../../helpers/settings.ts';

const LENGTH = 40;
const IOAS_COPY = 0x3b83;

const kernel = (setting: Setting, defects: readonly DefectName[]): KernelRunner => ({
  run: async (programs) =>
    programs.map((program) => ({
      steps: runProgram(program, new EmulatedMachine(setting, { defects: new Set(defects) })),
      complaints: [],
    })),
});

const check = (
  setting: Setting,
  runs: number,
  ...defects: readonly DefectName[]
): Promise<CampaignReport> =>
  runKernelCampaign({ setting, runs, seed: 5, length: LENGTH, subject: kernel(setting, defects) });

const campaign = suite('campaign on a kernel');

for (const release of ['6.12.95', '7.3.4'] as const) {
  for (const setting of [
    settingOf('mock', PRIVILEGED, release),
    settingOf('mock', LIMITED, release),
    settingOf('vtd', PRIVILEGED, release),
  ]) {
    campaign(`${nameOf(setting)}: no violation without a defect`, async () => {
      const report = await check(setting, 150);
      assert.is(report.counterexample, undefined, describeCounterexample(report));
      assert.is(report.runs, 150);
    });
  }
}

/**
 * Defects that no reply of the generated calls shows, and the most operations that the shrunk
 * program may have.
 */
const HIDDEN: readonly (readonly [DefectName, number])[] = [
  ['second-domain-not-unmapped', 9],
  ['domain-fill-forgets-areas', 8],
  ['access-write-ignores-permission', 8],
  ['pages-not-unpinned-with-access', 9],
];

for (const [defect, most] of HIDDEN) {
  campaign(`${defect}: found, and shrunk`, async () => {
    const { counterexample } = await check(settingOf('mock'), 600, defect);
    assert.ok(counterexample !== undefined);
    assert.ok((counterexample?.program.length ?? 0) <= most, `${counterexample?.program.length}`);
  });
}

/** Dies at a call, like a kernel that hangs. */
const deadly = (setting: Setting, kills: (operation: Operation) => boolean): KernelRunner => ({
  run: async (programs) =>
    programs.map((program) => {
      const fatal = program.findIndex(kills);
      const before = fatal < 0 ? program : program.slice(0, fatal);
      const steps = runProgram(before, new EmulatedMachine(setting));
      return { steps, complaints: [], ...(fatal < 0 ? {} : { died: 'The machine ended.' }) };
    }),
});

campaign('the call that killed the kernel stays in the program and in its trace', async () => {
  const setting = settingOf('mock');
  const kills = (operation: Operation): boolean =>
    operation.op === 'ioctl' && operation.command === IOAS_COPY;
  const { counterexample } = await runKernelCampaign({
    setting,
    runs: 300,
    seed: 5,
    length: LENGTH,
    subject: deadly(setting, kills),
  });
  assert.ok(counterexample !== undefined);
  assert.is(counterexample?.failure.kind, 'death');
  assert.is(counterexample?.program.length, 1);
  assert.ok(counterexample?.program.some(kills));
  if (counterexample === undefined) return;
  const { operations } = traceOf(counterexample, 5, [], 'kernel');
  assert.equal(
    operations.map(({ operation }) => operation),
    counterexample.program,
  );
});

campaign('one seed: the same programs, and the same counterexample', async () => {
  const [one, other] = [
    await check(settingOf('mock'), 300, 'cut-off-by-one'),
    await check(settingOf('mock'), 300, 'cut-off-by-one'),
  ];
  assert.equal(one.counterexample?.program, other.counterexample?.program);
  assert.is(one.runs, other.runs);
});

campaign.run();
