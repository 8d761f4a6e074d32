// SPDX-License-Identifier: MIT
// A line of the kernel's log that is known for a release counts as known only after programs that
// can cause it.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startOfProgram } from '../../../model/programs/builder.ts';
import { sortComplaints } from '../../../oracle/check/complaints.ts';
import { judgeProgram } from '../../../oracle/check/judge-program.ts';
import { programOf } from '../../../oracle/trace/trace-file.ts';
import type { World } from '../../../spec/state/world.ts';
import type { ReleaseName } from '../../../spec/terms/releases.ts';
import { readRegressions } from '../../harness/regressions.ts';
import { PRIVILEGED, settingOf } from '../../helpers/settings.ts';

const NAME = 'an-area-with-pages-that-copies-also-pin';
const WARNING =
  'WARNING: CPU: 0 PID: 54 at drivers/iommu/iommufd/selftest.c:488 mock_domain_iova_to_phys+0x42/0x56';
const COPIES = ['copy0', 'copy1'];

/** The worlds of the program on the emulator, without the operations with those labels. */
const worldsOf = async (
  release: ReleaseName,
  without: readonly string[] = [],
): Promise<[World, ...World[]]> => {
  const regression = (await readRegressions()).find(({ name }) => name === NAME);
  if (regression === undefined) throw new Error(`There is no trace ${NAME}.`);
  const setting = settingOf('mock', PRIVILEGED, release);
  const program = programOf(regression.trace).filter(({ label }) => !without.includes(label));
  const { steps } = judgeProgram(setting, program);
  assert.is(steps.length, program.length);
  return [startOfProgram(setting), ...steps.map(({ verdict }) => verdict.world)];
};

const complaints = suite("the kernel's complaints");

complaints('a known warning is reported by its name', async () => {
  const sorted = sortComplaints(await worldsOf('6.12.95'), ['cut here', WARNING, 'Call Trace:']);
  assert.equal(sorted, { known: ['reads-what-is-unmapped'], lines: [] });
});

complaints('the same line is a new complaint on a release for which it is not known', async () => {
  assert.equal(sortComplaints(await worldsOf('7.3.4'), [WARNING]), { known: [], lines: [WARNING] });
});

for (const copy of COPIES) {
  complaints(`and after a program that cannot cause it, as without ${copy}`, async () => {
    const worlds = await worldsOf('6.12.95', [copy]);
    assert.equal(sortComplaints(worlds, [WARNING]), { known: [], lines: [WARNING] });
  });
}

complaints('other lines are no complaints', async () => {
  const lines = ['Call Trace:', 'RIP: 0010:mock_domain_iova_to_phys+0x42/0x56'];
  assert.equal(sortComplaints(await worldsOf('7.3.4'), lines), { known: [], lines: [] });
});

complaints.run();
