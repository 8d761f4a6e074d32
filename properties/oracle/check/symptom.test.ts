// SPDX-License-Identifier: MIT
// A shrunk program keeps its symptom: the same rule broken in the same way. It has no dangling
// handle, and a signal ends the shrinking with the shortest program so far.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DefectName } from '../../../model/emulator/defects.ts';
import { EmulatedMachine } from '../../../model/emulator/machine.ts';
import { withoutDangling } from '../../../model/programs/dangling.ts';
import type { Program } from '../../../model/programs/program.ts';
import { runProgram } from '../../../model/programs/run.ts';
import { judgeProgram } from '../../../oracle/check/judge-program.ts';
import {
  type KernelRun,
  type KernelRunner,
  runKernelCampaign,
  shrinkOnKernel,
} from '../../../oracle/check/kernel-campaign.ts';
import type { Failure } from '../../../oracle/check/report.ts';
import { shrinkProgram, shrunkProgram } from '../../../oracle/check/shrink-program.ts';
import { shows, symptomOf } from '../../../oracle/check/symptom.ts';
import { valuesOf } from '../../../oracle/text/handle-names.ts';
import type { Setting } from '../../../spec/terms/platform.ts';
import { VTD } from '../../corpus/example.ts';
import { SHOWN_DEFECTS } from '../../defects/shown-defects.ts';
import { attached, map, unmap } from '../../defects/shown-operations.ts';
import { native, open, out, vfio } from '../../helpers/operations.ts';
import { settingOf } from '../../helpers/settings.ts';

const symptom = suite('symptom');

const DEFECT: DefectName = 'bind-while-group-open';

/**
 * The defect makes the bind succeed; without its iommufd the same call would be refused for another
 * reason.
 */
const bindWhileGroupOpen: Program = [
  open('other', '/dev/iommu'),
  open('iommufd', '/dev/iommu'),
  native('ioas', 'iommufd', 'IOMMU_IOAS_ALLOC', {}),
  open('group', '/dev/vfio/4'),
  open('device', '/dev/vfio/devices/vfio0'),
  vfio('bind', 'device', 'VFIO_DEVICE_BIND_IOMMUFD', { iommufd: out('iommufd') }),
];

const danglingIn = (program: Program): readonly string[] => {
  const known = new Set<string>();
  return program.flatMap((operation) => {
    const dangling = valuesOf(operation).flatMap((value) =>
      typeof value === 'object' && 'from' in value && !known.has(value.from) ? [value.from] : [],
    );
    known.add(operation.label);
    return dangling;
  });
};

symptom('a call that was granted is not shrunk to one that is refused', () => {
  const found = shrinkProgram(VTD, bindWhileGroupOpen, new Set([DEFECT]));
  assert.ok(found !== undefined);
  assert.equal(
    found?.program.map(({ label }) => label),
    ['iommufd', 'group', 'device', 'bind'],
  );
  const { failure } = judgeProgram(VTD, found?.program ?? [], new Set([DEFECT]));
  assert.is(failure?.kind === 'reply' ? failure.verdict.observation.errno : -1, 0);
});

/**
 * A prefix of a program, so that there is something to remove: another iommufd, with areas and a
 * hole.
 */
const before: Program = [
  open('more', '/dev/iommu'),
  native('moreIoas', 'more', 'IOMMU_IOAS_ALLOC', {}),
  native('gone', 'more', 'IOMMU_DESTROY', { id: out('moreIoas', 'out_ioas_id') }),
];

symptom('shrinking keeps the symptom of every defect, and leaves no dangling handle', () => {
  for (const { defect: name, setting, program } of SHOWN_DEFECTS) {
    const defects = new Set([name]);
    const longer = [...before, ...program];
    const { failure } = judgeProgram(setting, longer, defects);
    if (failure === undefined) continue;
    const found = shrinkProgram(setting, longer, defects);
    assert.ok(shows(found?.failure, symptomOf(failure)), name);
    assert.ok((found?.program.length ?? 99) <= program.length, name);
    assert.equal(danglingIn(found?.program ?? []), [], name);
  }
});

symptom('dangling handles become 0, which means the same', () => {
  const setting = settingOf('mock');
  for (const { program } of SHOWN_DEFECTS) {
    for (const without of program.keys()) {
      const cut = program.toSpliced(without, 1);
      const fixed = withoutDangling(cut);
      assert.equal(danglingIn(fixed), []);
      const run = (one: Program) => runProgram(one, new EmulatedMachine(setting));
      assert.equal(run(fixed), run(cut));
    }
  }
});

const hidden = (where: string, expected: string, observed: string): Failure => ({
  kind: 'hidden',
  differences: [{ where, expected, observed }],
});
const complaint = (line: string): Failure => ({ kind: 'complaint', lines: [line] });

const isSame = (one: Failure, other: Failure): boolean => shows(other, symptomOf(one));

symptom('neither an address nor the time of a message makes another symptom', () => {
  const domain = 'the domain of hwpt 5 of descriptor 3';
  const left = hidden(domain, 'nothing there', 'translates 0x1000 to 0x1fff, rw');
  const elsewhere = 'the domain of hwpt 4 of descriptor 9';
  assert.ok(isSame(left, hidden(elsewhere, 'nothing there', 'translates 0x0 to 0xfff, r-')));
  assert.not.ok(isSame(left, hidden(elsewhere, 'translates 0x0 to 0xfff, r-', 'nothing there')));
  assert.not.ok(isSame(left, hidden('pins', 'none', '1 pages 1 times')));
  const warning = '[  3.1] WARNING: CPU: 0 PID: 12 at drivers/iommu/iommufd/pages.c:170 f+0x1/0x2';
  const later = '[ 99.9] WARNING: CPU: 1 PID: 77 at drivers/iommu/iommufd/pages.c:170 f+0x3/0x9';
  const other = '[  3.1] WARNING: CPU: 0 PID: 12 at drivers/vfio/group.c:60 f+0x1/0x2';
  assert.ok(isSame(complaint(warning), complaint(later)));
  assert.not.ok(isSame(complaint(warning), complaint(other)));
  assert.not.ok(isSame(complaint(warning), left));
});

const UNMAP_DEFECT: DefectName = 'unmap-truncates-areas';
const MOCK = settingOf('mock');
const cut: Program = [
  ...attached,
  map('map', 0x100_0000n, 0x2000n),
  map('other', 0x200_0000n, 0x1000n),
  unmap('unmap', 0x100_0000n, 0x1000n),
];

symptom('a signal ends the shrinking on the emulator, with what was found', async () => {
  const defects = new Set([UNMAP_DEFECT]);
  const aborted = AbortSignal.abort();
  const stopped = await shrunkProgram(MOCK, cut, defects, undefined, aborted);
  assert.is(stopped?.counterexample.program.length, cut.length);
  assert.is(stopped?.counterexample.failure.kind, 'reply');
  const whole = await shrunkProgram(MOCK, cut, defects);
  assert.is(whole?.counterexample.program.length, 4);
});

const runOn = (setting: Setting, program: Program, defect: DefectName): KernelRun => ({
  steps: runProgram(program, new EmulatedMachine(setting, { defects: new Set([defect]) })),
  complaints: [],
});

/** A kernel that is interrupted while a program shrinks on it, and never answers again. */
const interruptedKernel = (
  runs: number,
): { readonly subject: KernelRunner; readonly signal: AbortSignal } => {
  const controller = new AbortController();
  let shrinking = 0;
  const subject: KernelRunner = {
    run: async (programs, fresh) => {
      if (fresh === true) shrinking += 1;
      if (shrinking > runs) {
        controller.abort();
        return new Promise(() => {});
      }
      return programs.map((program) => runOn(MOCK, program, UNMAP_DEFECT));
    },
  };
  return { subject, signal: controller.signal };
};

for (const runs of [0, 1, 3]) {
  symptom(
    `a campaign on a kernel is interrupted in its shrinking, after ${runs} runs`,
    async () => {
      const { subject, signal } = interruptedKernel(runs);
      const options = { setting: MOCK, subject, runs: 400, seed: 5, length: 40 };
      const report = await runKernelCampaign({ ...options, interrupted: signal });
      assert.is(report.counterexample?.failure.kind, 'reply');
      assert.ok(report.interrupted);
    },
  );
}

symptom('shrinking a program on a kernel is interrupted', async () => {
  const early = interruptedKernel(0);
  assert.is(await shrinkOnKernel(MOCK, early.subject, cut, early.signal), undefined);
  const later = interruptedKernel(1);
  const found = await shrinkOnKernel(MOCK, later.subject, cut, later.signal);
  assert.is(found?.program.length, cut.length);
});

symptom('the machine dies of the interrupt, too: that is not taken for a violation', async () => {
  const controller = new AbortController();
  const subject: KernelRunner = {
    run: async (programs, fresh) => {
      if (fresh !== true) return programs.map((program) => runOn(MOCK, program, UNMAP_DEFECT));
      controller.abort();
      return programs.map(() => ({ steps: [], complaints: [], died: 'terminating on signal 2' }));
    },
  };
  const options = { setting: MOCK, subject, runs: 400, seed: 5, length: 40 };
  const report = await runKernelCampaign({ ...options, interrupted: controller.signal });
  assert.is(report.counterexample?.failure.kind, 'reply');
});

symptom.run();
